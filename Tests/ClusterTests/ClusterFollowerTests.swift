import Addressing
import ControlAPI
import Foundation
import Kubernetes
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestAPIServer
import Testing

@testable import Cluster

/// What a follower told, put together.
private final class Told: Sendable {
    struct Seen {
        var entries: [IPv6Address: ServiceBoard.Entry] = [:]
        var view: ClusterView?
        var withdrawals = 0
    }

    private let box = NIOLockedValueBox(Seen())
    var seen: Seen { box.withLockedValue { $0 } }

    func take(_ report: ClusterReport) {
        box.withLockedValue { seen in
            seen.view = report.view
            for (address, entry) in report.changes {
                if entry == nil { seen.withdrawals += 1 }
                seen.entries[address] = entry
            }
        }
    }
}

/// A real client and a small API server, over TLS.
@Suite(.serialized) struct ClusterFollowerTests {
    private static let vip: IPv6Address = "2001:db8::1"

    private final class Stage: Sendable {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("kubermesh-cluster-\(UUID())")
        let server: TestAPIServer
        let told = Told()

        init() async throws {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let certificates = try TestCertificates(in: directory, names: ["IP:::1"])
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

        func follow(_ told: Told) async throws -> ClusterFollower {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let source = ConnectionSource.kubeconfig(
                path: directory.appendingPathComponent("config").path, context: nil)
            let files = directory.appendingPathComponent("known").path
            let follower = ClusterFollower(
                source, on: loop, node: "a", options: ServiceOptions(), filesIn: files
            ) { told.take($0) }
            try await loop.submit { follower.start() }.get()
            return follower
        }
    }

    private func end(_ follower: ClusterFollower) async throws {
        try await follower.loop.flatSubmit { follower.stop() }.get()
    }

    private func eventually(_ what: String, _ isSo: () -> Bool) async throws {
        for _ in 0..<3000 {
            if isSo() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("never happened: \(what)")
    }

    @Test func announcesFollowEndpointsAndOutliveTheAPI() async throws {
        let stage = try await Stage()
        try stage.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/120", "10.7.0.0/24"]))
        try stage.server.apply(Objects.service("web", ingress: ["2001:db8::1"], policy: "Local"))
        try stage.server.apply(Objects.slice("web-1", of: "web", [("a", "r"), ("b", "r")]))
        let follower = try await stage.follow(stage.told)
        try await eventually("the VIP is announced") { stage.told.seen.entries[Self.vip]?.wish == .announce }
        #expect(stage.told.seen.entries[Self.vip]?.services == [ObjectKey(namespace: "default", name: "web")])
        try await eventually("the node is known, and all is heard") {
            stage.told.seen.view?.podCIDRs.count == 2 && stage.told.seen.view?.isConnected == true
        }

        try stage.server.apply(Objects.slice("web-1", of: "web", [("a", "t"), ("b", "r")]))
        try await eventually("others are preferred") { stage.told.seen.entries[Self.vip]?.wish == .lastResort }
        try stage.server.apply(Objects.slice("web-1", of: "web", [("b", "r")]))
        try await eventually("it is withdrawn") { stage.told.seen.entries[Self.vip] == nil }
        try stage.server.apply(Objects.slice("web-1", of: "web", [("a", "r")]))
        try await eventually("it is back") { stage.told.seen.entries[Self.vip]?.wish == .announce }
        try stage.server.apply(Objects.node("a", annotations: ["kubermesh.io/drain": "true"]))
        try await eventually("a drain is wanted") { stage.told.seen.view?.node.drainReason != nil }

        // The API goes, and nothing else does.
        let withdrawals = stage.told.seen.withdrawals
        try await stage.server.stop()
        try await eventually("that is noticed") { stage.told.seen.view?.isConnected == false }
        #expect(stage.told.seen.withdrawals == withdrawals && stage.told.seen.entries[Self.vip] != nil)
        try await end(follower)

        // Another life begins while it is away.
        let told = Told()
        let second = try await stage.follow(told)
        try await eventually("what was known is used") { told.seen.entries[Self.vip]?.wish == .announce }
        #expect(told.seen.view?.node.drainReason != nil && told.seen.view?.isConnected == false)
        try await end(second)
    }

    @Test func halfOfWhatIsNeededIsNotUsed() async throws {
        let stage = try await Stage()
        stage.server.behave { $0.forbidden = ["endpointslices"] }
        try stage.server.apply(Objects.service("web", ingress: ["2001:db8::1"]))
        let follower = try await stage.follow(stage.told)
        try await eventually("services are heard and endpoints are not") {
            stage.told.seen.view?.resources["services"]?.isSynced == true
                && stage.told.seen.view?.resources["endpointslices"]?.problem != nil
        }
        #expect(stage.told.seen.entries.isEmpty && stage.told.seen.view?.isConnected == false)
        #expect(!FileManager.default.fileExists(atPath: stage.directory.appendingPathComponent("known").path))
        try await end(follower)
        try await stage.server.stop()
    }
}
