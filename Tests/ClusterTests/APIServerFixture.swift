import Foundation
import Kubernetes
import NIOCore
import NIOPosix
import TestAPIServer
import Testing

/// A ``TestAPIServer`` on `::1`, and a directory with its certificates and a kubeconfig for its clients.
final class APIServerFixture: Sendable {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("kubermesh-cluster-\(UUID())")
    let server: TestAPIServer
    private let certificates: TestCertificates

    init() async throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        certificates = try TestCertificates(in: directory, names: ["IP:::1"])
        server = try await TestAPIServer.start(
            certificates: certificates, group: MultiThreadedEventLoopGroup.singleton)
        try """
        current-context: test
        contexts: [{name: test, context: {cluster: test, user: test}}]
        users: [{name: test, user: {token: t}}]
        clusters: [{name: test, cluster: {server: "https://[::1]:\(server.port)", certificate-authority: ca.pem}}]
        """.write(to: directory.appendingPathComponent("config"), atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// Stops a server, and starts another with the same objects on the same port. Like a real one that has started again, it
    /// remembers no change, so all watches that resume get 410.
    func restart(
        _ server: TestAPIServer, after outage: Duration, behavior: TestAPIServer.Behavior = .init()
    ) async throws -> TestAPIServer {
        let backup = server.backup()
        try await server.stop()
        try await Task.sleep(for: outage)
        return try await TestAPIServer.start(
            port: server.port, certificates: certificates, group: MultiThreadedEventLoopGroup.singleton, with: backup,
            behavior: behavior)
    }

    /// The kubeconfig of the server.
    var source: ConnectionSource {
        .kubeconfig(path: directory.appendingPathComponent("config").path, context: nil)
    }
}

/// Waits until the condition holds. Records an issue if it does not within at least 30 s.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<3000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within 30 s: \(what)")
}
