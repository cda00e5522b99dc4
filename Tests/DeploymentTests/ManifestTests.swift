import Foundation
import Lab
import Testing
import Yams

/// The files that are applied to a cluster or copied to a machine.
@Suite struct ManifestTests {
    private static let manifests = [
        "deploy/kubermesh.yaml", "deploy/machines/static-pod.yaml", "deploy/prepull.yaml",
        "deploy/components/gateway/nat.yaml",
    ]

    /// The documents of a file.
    private func documents(_ file: String) throws -> [Node] {
        try Array(Yams.compose_all(yaml: Repository.text(file)))
    }

    private func daemonSet() throws -> Node {
        try #require(try documents("deploy/kubermesh.yaml").first { $0["kind"]?.string == "DaemonSet" })
    }

    @Test func theSingleManifestIsUpToDate() throws {
        let check = try Command([Repository.path("scripts/render-manifests"), "--check"]).output()
        #expect(check.status == 0, "\(check.text)\(check.errors)")
    }

    /// `scripts/manifest-validator` installs the validator, which includes the schemas of Kubernetes, into a directory of its
    /// own.
    @Test func manifestsFollowTheSchemasOfKubernetes() throws {
        let validator = try Repository.output(of: "scripts/manifest-validator").trimmingCharacters(in: .newlines)
        let result = try Command([validator, "--strict"] + Self.manifests.map { Repository.path($0) }).output(
            limit: .seconds(60))
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        // A wrong type is found.
        let directory = try TemporaryDirectory()
        try directory.write(
            try Repository.text("deploy/kubermesh.yaml").replacing("hostNetwork: true", with: "hostNetwork: 1"),
            to: "wrong.yaml")
        #expect(try Command([validator, "--strict", "\(directory.path)/wrong.yaml"]).output().status != 0)
    }

    @Test func theAgentHasNoMoreRightsThanItNeeds() throws {
        let spec = try #require(try daemonSet()["spec"])
        let pod = try #require(spec["template"]?["spec"])
        #expect(pod["hostNetwork"]?.bool == true && pod["dnsPolicy"]?.string == "Default")
        #expect(pod["priorityClassName"]?.string == "system-node-critical")
        #expect(pod["tolerations"]?.sequence?.first?["operator"]?.string == "Exists")
        #expect(pod["securityContext"]?["seccompProfile"]?["type"]?.string == "RuntimeDefault")
        #expect(pod["automountServiceAccountToken"]?.bool == false, "no token is mounted into all containers")
        #expect(spec["updateStrategy"]?["rollingUpdate"]?["maxUnavailable"]?.int == 1)
        let minimum = try #require(spec["minReadySeconds"]?.int)
        #expect(minimum > 4, "minReadySeconds is longer than the dead interval")

        let agent = try #require(pod["containers"]?.sequence?.first)
        let context = try #require(agent["securityContext"])
        #expect(context["readOnlyRootFilesystem"]?.bool == true && context["allowPrivilegeEscalation"]?.bool == false)
        #expect(context["privileged"] == nil)
        #expect(context["capabilities"]?["drop"]?.array().compactMap(\.string) == ["ALL"])
        #expect(context["capabilities"]?["add"]?.array().compactMap(\.string) == ["NET_ADMIN", "NET_RAW"])
        for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
            let get = try #require(agent[probe]?["httpGet"])
            #expect(get["host"]?.string == "::1" && get["path"]?.string == path && get["port"]?.string == "metrics")
        }
        #expect(Self.mounts(agent)["api-access"] == "/var/run/secrets/kubernetes.io/serviceaccount")
        // Only the agent's container has the token, and keys.
        #expect(Self.mounts(agent)["keys"] == "/etc/kubermesh-keys")
        for container in pod["initContainers"]?.array() ?? [] {
            #expect(Self.mounts(container)["api-access"] == nil && Self.mounts(container)["keys"] == nil)
        }
        let keys = pod["volumes"]?.array().first { $0["name"]?.string == "keys" }?["secret"]
        #expect(keys?["defaultMode"]?.int == 0o400 && keys?["optional"]?.bool == true)
    }

    /// The mount path of each volume of a container.
    private static func mounts(_ container: Node) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: (container["volumeMounts"]?.array() ?? []).compactMap { mount in
                mount["name"]?.string.flatMap { name in mount["mountPath"]?.string.map { (name, $0) } }
            })
    }

    @Test func rolesAllowExactlyTheRequestsOfTheAgent() throws {
        var rights: [String: [String]] = [:]
        for document in try documents("deploy/kubermesh.yaml") {
            let kind = document["kind"]?.string ?? ""
            if kind.hasSuffix("RoleBinding") || kind == "ClusterRoleBinding" {
                #expect(document["roleRef"]?["kind"]?.string == kind.replacing("Binding", with: ""))
                #expect(document["roleRef"]?["name"]?.string == "kubermesh")
                let subject = document["subjects"]?.array().first
                #expect(subject?["name"]?.string == "kubermesh" && subject?["namespace"]?.string == "kube-system")
            }
            for rule in document["rules"]?.array() ?? [] {
                for resource in rule["resources"]?.array().compactMap(\.string) ?? [] {
                    let group = rule["apiGroups"]?.array().first?.string ?? "?"
                    let name = rule["resourceNames"]?.array().first?.string.map { " \($0)" } ?? ""
                    let verbs = rule["verbs"]?.array().compactMap(\.string) ?? []
                    rights["\(kind) \(group)/\(resource)\(name)", default: []] += verbs
                }
            }
        }
        #expect(
            rights == [
                "ClusterRole /services": ["get", "list", "watch"],
                "ClusterRole discovery.k8s.io/endpointslices": ["list", "watch"],
                "ClusterRole networking.k8s.io/servicecidrs": ["get", "list", "watch"],
                "ClusterRole /nodes": ["list", "watch"],
                "ClusterRole /services/status": ["patch"],
                "ClusterRole /events": ["create"],
                "Role coordination.k8s.io/leases kubermesh-address-pools": ["get", "list", "watch", "patch"],
                "Role coordination.k8s.io/leases": ["create"],
            ])
    }

    /// The static pod equals the pod of the DaemonSet, except what only the API server provides: the service account with its
    /// token, the ConfigMap, the Secret, and the selection of nodes.
    @Test func theStaticPodEqualsThePodOfTheDaemonSet() throws {
        var pod = try #require(try documents("deploy/machines/static-pod.yaml").first?["spec"]?.mapping)
        var template = try #require(try daemonSet()["spec"]?["template"]?["spec"]?.mapping)
        #expect(pod["serviceAccountName"] == nil)
        template["serviceAccountName"] = nil
        template["nodeSelector"] = nil
        template["affinity"] = nil
        for key in ["configMap", "serviceAccountToken", "secretName"] { #expect(!"\(pod)".contains(key)) }
        pod["volumes"]?.sequence?.removeFirst()
        template["volumes"]?.sequence?.removeFirst()
        #expect(template["volumes"]?.sequence?.popLast()?["name"]?.string == "api-access")
        // A static pod's keys are beside its configuration.
        #expect(template["volumes"]?.sequence?.removeFirst()["name"]?.string == "keys")
        var agent = try #require(template["containers"]?.sequence?.first)
        agent["volumeMounts"]?.sequence?.removeAll { $0["name"]?.string == "keys" }
        #expect(agent["volumeMounts"]?.sequence?.popLast()?["name"]?.string == "api-access")
        template["containers"]?.sequence?[0] = agent
        #expect(pod == template)
    }

    @Test func imagesHaveTheVersionOfTheProgram() throws {
        let version = try Repository.text("Sources/ControlAPI/Version.swift").firstMatch(of: #/text = "(.+)"/#)
        let tag = try #require(version?.1)
        for file in Self.manifests {
            let images = try Repository.text(file).matches(of: #/image: (\S+)/#).map(\.1)
            #expect(!images.isEmpty && images.allSatisfy { $0 == "kubermesh:\(tag)" }, "\(file)")
        }
    }

    @Test func theSystemdUnitIsValid() throws {
        let directory = try TemporaryDirectory()
        let unit = try Repository.text("deploy/machines/kubermesh.service")
        #expect(unit.contains("ExecStart=/usr/local/bin/meshd "))
        try directory.write(
            unit.replacing("/usr/local/bin/meshd", with: try Binaries.path(of: "meshd")), to: "kubermesh.service")
        let result = try Command(["systemd-analyze", "verify", "\(directory.path)/kubermesh.service"]).output()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    }
}
