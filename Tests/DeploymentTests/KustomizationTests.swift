import Foundation
import Lab
import Testing
import Yams

/// The manifests that `kubectl kustomize` renders from `deploy/`.
@Suite struct KustomizationTests {
    /// The documents of an overlay with these components, in this order.
    private func render(_ components: [String]) throws -> [Node] {
        let directory = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: Repository.path("deploy"), toPath: "\(directory.path)/deploy")
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/overlay", withIntermediateDirectories: false)
        try directory.write(
            """
            resources: [ ../deploy/base ]
            components: [ \(components.map { "../deploy/\($0)" }.joined(separator: ", ")) ]
            """, to: "overlay/kustomization.yaml")
        return try render("\(directory.path)/overlay")
    }

    private func render(_ directory: String) throws -> [Node] {
        try Array(Yams.compose_all(yaml: kustomize(directory)))
    }

    private func kustomize(_ directory: String) throws -> String {
        let kubectl = try Repository.output(of: "scripts/kubectl").trimmingCharacters(in: .newlines)
        return try Command([kubectl, "kustomize", directory]).run()
    }

    /// Each document in a normal form that does not depend on how the YAML is written.
    private func normalized(_ yaml: String) throws -> [Data] {
        try Yams.load_all(yaml: yaml).map { try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys) }
    }

    /// The documents of a kind, by name.
    private func documentsByName(_ kind: String, _ documents: [Node]) -> [String: Node] {
        let pairs = documents.filter { $0["kind"]?.string == kind }.map { ($0["metadata"]?["name"]?.string ?? "", $0) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func theSingleManifestEqualsTheRenderedBase() throws {
        let rendered = try Set(normalized(kustomize(Repository.path("deploy/base"))))
        let file = try Set(normalized(Repository.text("deploy/kubermesh.yaml")))
        #expect(rendered.count == 7 && rendered.subtracting(file).isEmpty && file.subtracting(rendered).isEmpty)
    }

    @Test(arguments: ["gateway", "control-plane"]) func eachOverlayEqualsItsComponent(name: String) throws {
        let rendered = try render(Repository.path("deploy/overlays/\(name)"))
        #expect(try rendered == render(["components/\(name)"]))
    }

    @Test(arguments: [
        ["components/gateway"], ["components/control-plane"], ["monitoring"],
        ["components/gateway", "components/control-plane", "monitoring"],
    ])
    func combinedComponentsAreValid(components: [String]) throws {
        let documents = try render(components)
        try validate(documents)
        let agents = documentsByName("DaemonSet", documents).filter { $0.key != "kubermesh-nat" }
        let kinds = components.filter { ["components/gateway", "components/control-plane"].contains($0) }
        #expect(Set(agents.keys) == Set(["kubermesh"] + kinds.map { $0.replacing("components/", with: "kubermesh-") }))
        var labels: Set<String> = []
        for (name, agent) in agents {
            let pod = try #require(agent["spec"]?["template"]?["spec"])
            try checkConfiguration(of: pod, name, documents)
            #expect(pod["serviceAccountName"]?.string == "kubermesh")
            #expect(agent["spec"]?["selector"]?["matchLabels"] == agent["spec"]?["template"]?["metadata"]?["labels"])
            // No node has two agents: each DaemonSet selects another value of one label, and `kubermesh` nodes without it.
            let label = pod["nodeSelector"]?["kubermesh.io/config"]?.string
            #expect((label == nil) == (pod["affinity"] != nil))
            labels.insert(label ?? "")

            let variables = pod["containers"]?.array().first?["env"]?.array().compactMap { $0["name"]?.string } ?? []
            #expect(variables.contains("NODE_NAME"))
            #expect(variables.contains("KUBERMESH_HTTP_LISTEN") == components.contains("monitoring"))
        }
        #expect(labels.count == agents.count)
        for binding in documents where binding["kind"]?.string?.hasSuffix("RoleBinding") == true {
            #expect(binding["roleRef"]?["name"]?.string == "kubermesh")
        }
    }

    @Test func theTokenForMachinesIsThatOfTheirServiceAccount() throws {
        let documents = try render(Repository.path("deploy/machines"))
        try validate(documents)
        #expect(documents.count == 6 && documentsByName("DaemonSet", documents).isEmpty)
        let secret = try #require(documentsByName("Secret", documents)["kubermesh-machines"])
        #expect(secret["type"]?.string == "kubernetes.io/service-account-token")
        let account = secret["metadata"]?["annotations"]?["kubernetes.io/service-account.name"]?.string
        #expect(documentsByName("ServiceAccount", documents).keys.map(\.self) == [account])
    }

    /// Checks that the configuration file in the arguments of the pod's containers is in the ConfigMap that the pod mounts, and
    /// valid.
    private func checkConfiguration(of pod: Node, _ name: String, _ documents: [Node]) throws {
        let volume = pod["volumes"]?.array().first { $0["name"]?.string == "config" }
        let map = try #require(documentsByName("ConfigMap", documents)[volume?["configMap"]?["name"]?.string ?? ""])
        let containers = (pod["initContainers"]?.array() ?? []) + (pod["containers"]?.array() ?? [])
        let files = containers.compactMap { container in
            container["args"]?.array().compactMap(\.string).first { $0.hasPrefix("/etc/kubermesh/") }
        }
        let kind = name == "kubermesh" ? name : String(name.dropFirst("kubermesh-".count))
        #expect(files == ["/etc/kubermesh/\(kind).yaml", "/etc/kubermesh/\(kind).yaml"])
        let text = try #require(map["data"]?["\(kind).yaml"]?.string)
        #expect(text.contains("onStop: stay"))
        let directory = try TemporaryDirectory()
        try directory.write(text, to: "kubermesh.yaml")
        let result = try Command([
            try Binaries.path(of: "meshctl"), "validate", "\(directory.path)/kubermesh.yaml",
        ]).output()
        #expect(result.status == 0, "\(result.text)\(result.errors)")
    }

    /// Checks the objects against the schemas of Kubernetes, except those of the Prometheus operator.
    private func validate(_ documents: [Node]) throws {
        let validator = try Repository.output(of: "scripts/manifest-validator").trimmingCharacters(in: .newlines)
        let directory = try TemporaryDirectory()
        let own = documents.filter { $0["apiVersion"]?.string?.hasPrefix("monitoring.coreos.com/") != true }
        let text = try own.map { try Yams.serialize(node: $0) }.joined(separator: "---\n")
        try directory.write(text, to: "all.yaml")
        let result = try Command([validator, "--strict", "\(directory.path)/all.yaml"]).output(limit: .seconds(60))
        #expect(result.status == 0, "\(result.text)\(result.errors)")
    }
}
