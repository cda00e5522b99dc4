import ControlAPI
import Foundation
import Kubernetes
import Lab
import NIOCore
import NIOPosix
import TestAPIServer
import Testing

/// The access to a cluster for agents that run on machines and not in pods.
@Suite struct MachineTests {
    /// `scripts/agent-kubeconfig` makes a kubeconfig from the token secret with a real kubectl, and a client uses it. The
    /// script fails while the secret does not exist or has no token.
    @Test func aClientUsesTheKubeconfigForAgents() async throws {
        let directory = try TemporaryDirectory()
        let certificates = try TestCertificates(in: URL(fileURLWithPath: directory.path), names: ["IP:::1"])
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await TestAPIServer.start(on: "::1", certificates: certificates, group: group)
        server.changeBehavior { $0.tokens = ["admin", "agent"] }
        let address = "https://[::1]:\(server.port)"
        try directory.write(
            """
            current-context: admin
            contexts: [ { name: admin, context: { cluster: test, user: admin } } ]
            users: [ { name: admin, user: { token: admin } } ]
            clusters: [ { name: test, cluster: { server: "\(address)", certificate-authority: ca.pem } } ]
            """, to: "admin")
        let kubectl = try Repository.output(of: "scripts/kubectl").trimmingCharacters(in: .newlines)
        let script = Command([
            "env", "KUBECTL=\(kubectl)", "KUBECONFIG=\(directory.path)/admin",
            Repository.path("scripts/agent-kubeconfig"),
            address,
        ])

        let missing = try script.output()
        #expect(missing.status != 0 && missing.text.isEmpty && missing.errors.contains("NotFound"), "\(missing)")
        var secret: JSONValue = [
            "kind": "Secret", "apiVersion": "v1", "type": "kubernetes.io/service-account-token",
            "metadata": [
                "name": "kubermesh-machines", "namespace": "kube-system",
                "annotations": ["kubernetes.io/service-account.name": "kubermesh"],
            ],
        ]
        try server.apply(secret)
        let withoutToken = try script.output()
        #expect(
            withoutToken.status == 1 && withoutToken.text.isEmpty && withoutToken.errors.contains("has no token yet"),
            "\(withoutToken)")
        let authority = try Data(contentsOf: URL(fileURLWithPath: certificates.path("ca.pem")))
        secret["data"] = [
            "ca.crt": .string(authority.base64EncodedString()), "namespace": "a3ViZS1zeXN0ZW0=",
            "token": .string(Data("agent".utf8).base64EncodedString()),
        ]
        try server.apply(secret)
        try directory.write(try script.run(), to: "agent")

        try server.apply(Objects.node("n1"))
        let client = try APIClient(.kubeconfig(path: "\(directory.path)/agent", context: nil), on: group.next())
        let node = try await client.get(Kubernetes.Node.self, ObjectKey(name: "n1")).get()
        #expect(node.metadata.name == "n1")
        try await client.shutdown().get()
        try await server.stop()
    }
}
