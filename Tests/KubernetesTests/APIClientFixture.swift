import Addressing
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import PrometheusMetrics
import TestAPIServer

@testable import Kubernetes

/// A ``TestAPIServer``, and a client that uses it over TLS with the token `good` from the file `token`.
struct APIClientFixture {
    let server: TestAPIServer
    let client: APIClient
    let directory: ScratchDirectory
    let metrics: PrometheusRegistry

    /// Runs `body` with a server and a client, and stops both. `authority` is the CA file that the client trusts, by default
    /// that of `certificates`; `serverName` is the name that it expects in the server's certificate, by default the host.
    static func run(
        host: String = "::1", serverName: String? = nil, authority: String? = nil,
        certificates: TestCertificates = certificates,
        _ body: (APIClientFixture) async throws -> Void
    ) async throws {
        let directory = try ScratchDirectory()
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await TestAPIServer.start(on: host, certificates: certificates, group: group)
        try directory.write("token", "good")
        let address = host.contains(":") ? "[\(host)]" : host
        let config = try directory.write(
            "config",
            """
            current-context: test
            contexts: [{name: test, context: {cluster: test, user: test}}]
            users: [{name: test, user: {tokenFile: token}}]
            clusters:
            - name: test
              cluster:
                server: https://\(address):\(server.port)
                certificate-authority: \(authority ?? certificates.path("ca.pem"))
                tls-server-name: \(serverName ?? "~")
            """)
        let metrics = PrometheusRegistry()
        let client = try APIClient(.kubeconfig(path: config, context: nil), on: group.next(), metrics: metrics)
        let fixture = APIClientFixture(server: server, client: client, directory: directory, metrics: metrics)
        let result: Result<Void, any Error>
        do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
        try await client.shutdown().get()
        try? await server.stop()
        try result.get()
    }

    /// The value of a counter in the metrics text; `nil` if there is none of this name (without `kubermesh_`) and these labels.
    func counter(_ name: String, _ labels: String) -> Int? {
        var text = MetricsText()
        metrics.write(to: &text)
        let line = text.text.split(separator: "\n").first { $0.hasPrefix("kubermesh_\(name){\(labels)} ") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    /// The addresses of the server that the client knows.
    func serverAddresses() async throws -> Set<IPv6Address> {
        try await client.loop.submit { [client] in client.serverAddresses }.get()
    }

    /// Watches all objects of a kind.
    func watch<Object: Resource>(
        _ type: Object.Type, scope: WatchScope = WatchScope(), limits: WatchLimits = WatchLimits()
    ) -> RecordedWatch<Object> { RecordedWatch(client, scope, limits) }
}

/// A watcher, and what its reports add up to.
final class RecordedWatch<Object: Resource>: Sendable {
    struct Record {
        var objects: [ObjectKey: Object] = [:]
        var state = WatchState()
        var notices: [String] = []
        var reports = 0
        var deleted: [String] = []
    }

    private let box = NIOLockedValueBox(Record())
    let watcher: ResourceWatcher<Object>

    init(_ client: APIClient, _ scope: WatchScope, _ limits: WatchLimits) {
        watcher = ResourceWatcher(client: client, scope: scope, limits: limits) { [box] report in
            box.withLockedValue { record in
                for object in report.changes.deleted {
                    record.objects[object.key] = nil
                    record.deleted.append(object.metadata.name)
                }
                for object in report.changes.updated { record.objects[object.key] = object }
                record.state = report.state
                record.notices += report.notices
                record.reports += 1
            }
        }
        watcher.start()
    }

    deinit { watcher.stop() }

    var record: Record { box.withLockedValue { $0 } }
    var names: [String] { record.objects.keys.map(\.name).sorted() }
}

struct ConditionTimeout: Error, CustomStringConvertible {
    var description: String
}

/// Waits until the condition holds. Throws if it does not within at least 30 s.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    for _ in 0..<3000 {
        if try condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw ConditionTimeout(description: "not within 30 s: \(what)")
}
