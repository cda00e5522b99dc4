import Addressing
import ControlAPI
import Foundation
import Kubernetes
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Services
import TestAPIServer
import Testing

@testable import Cluster

/// What the reports of a follower add up to.
private final class Reports: Sendable {
    struct Seen {
        var entries: [IPv6Address: ServiceDemand] = [:]
        var view: ClusterView?
        var withdrawals = 0
        /// Service addresses that were reported while at most the API server's own address was known to be reserved.
        var early: Set<IPv6Address> = []
    }

    private let box = NIOLockedValueBox(Seen())
    var seen: Seen { box.withLockedValue { $0 } }

    func take(_ report: ClusterReport) {
        box.withLockedValue { seen in
            seen.view = report.view
            for (address, entry) in report.changes {
                if entry == nil { seen.withdrawals += 1 }
                if entry != nil, report.view.reservedAddresses.count < 2 { seen.early.insert(address) }
                seen.entries[address] = entry
            }
        }
    }
}

/// A real client and a ``TestAPIServer``, over TLS.
@Suite(.serialized) struct ClusterFollowerTests {
    private static let vip: IPv6Address = "2001:db8::1"

    private func end(_ follower: ClusterFollower) async throws {
        try await follower.loop.flatSubmit { follower.stop() }.get()
    }

    @Test func announcesFollowEndpointsAndOutliveTheAPI() async throws {
        let (stage, reports) = (try await APIStage(), Reports())
        try stage.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/120", "10.7.0.0/24"]))
        try stage.server.apply(Objects.service("web", ingress: ["2001:db8::1"], policy: "Local"))
        try stage.server.apply(Objects.slice("web-1", of: "web", [("a", "r"), ("b", "r")]))
        let follower = try await stage.follow(reports)
        try await eventually("the VIP is announced") { reports.seen.entries[Self.vip]?.level == .announce }
        #expect(reports.seen.entries[Self.vip]?.services == ["default/web"])
        try await eventually("the node is known, and all is heard") {
            reports.seen.view?.podCIDRs.count == 2 && reports.seen.view?.isConnected == true
        }

        try stage.server.apply(Objects.slice("web-1", of: "web", [("a", "t"), ("b", "r")]))
        try await eventually("others are preferred") { reports.seen.entries[Self.vip]?.level == .lastResort }
        try stage.server.apply(Objects.slice("web-1", of: "web", [("b", "r")]))
        try await eventually("it is withdrawn") { reports.seen.entries[Self.vip] == nil }
        try stage.server.apply(Objects.slice("web-1", of: "web", [("a", "r")]))
        try await eventually("it is back") { reports.seen.entries[Self.vip]?.level == .announce }
        try stage.server.apply(Objects.node("a", annotations: ["kubermesh.io/drain": "true"]))
        try await eventually("a drain is wanted") { reports.seen.view?.node.drainReason != nil }

        // While the API server is unreachable, nothing is withdrawn.
        let withdrawals = reports.seen.withdrawals
        try await stage.server.stop()
        try await eventually("that is noticed") { reports.seen.view?.isConnected == false }
        #expect(reports.seen.withdrawals == withdrawals && reports.seen.entries[Self.vip] != nil)
        try await end(follower)

        // The agent is started again before the server is back.
        let later = Reports()
        let second = try await stage.follow(later)
        try await eventually("what was known is used") { later.seen.entries[Self.vip]?.level == .announce }
        #expect(later.seen.view?.node.drainReason != nil && later.seen.view?.isConnected == false)
        try await end(second)
    }

    /// The pods of a deleted Node continue to run, so its ranges are kept, even when the agent is started again.
    @Test func podsKeepTheirRangesWhenTheirNodeIsGone() async throws {
        let (stage, reports) = (try await APIStage(), Reports())
        func ranges(_ reports: Reports) -> [String]? { reports.seen.view?.podCIDRs.map(\.description) }
        try stage.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/120", "10.7.0.0/24"]))
        let follower = try await stage.follow(reports)
        try await eventually("the ranges are known") { ranges(reports) == ["fd00:7::/120", "10.7.0.0/24"] }
        // As after an API server has lost its data.
        try stage.server.delete("/api/v1/nodes/a")
        try await eventually("the node is gone, and people can see it") {
            guard let view = reports.seen.view else { return false }
            return view.isConnected && view.problems.contains { $0.contains("was deleted") }
        }
        #expect(ranges(reports) == ["fd00:7::/120", "10.7.0.0/24"])
        try await end(follower)

        let later = Reports()
        let second = try await stage.follow(later)
        try await eventually("the API is heard") { later.seen.view?.isConnected == true }
        #expect(ranges(later) == ["fd00:7::/120", "10.7.0.0/24"])
        // A kubelet creates the Node again without ranges, and the follower writes those that the pods have.
        try await second.loop.submit { second.offer(["fd00:7::/120", "10.7.0.0/24"].compactMap { IPv6Prefix($0) }) }
            .get()
        try stage.server.apply(Objects.node("a", labels: ["new": "yes"]))
        try await eventually("it is there again") { later.seen.view?.problems == [] }
        #expect(ranges(later) == ["fd00:7::/120", "10.7.0.0/24"])
        try await eventually("its ranges are those it had") {
            stage.server.object("/api/v1/nodes/a")?["spec"]?["podCIDRs"] == ["fd00:7::/120", "10.7.0.0/24"]
        }
        try await end(second)
        try await stage.server.stop()
    }

    @Test func rangesThatCannotBeOfPodsAreRefused() async throws {
        let (stage, reports) = (try await APIStage(), Reports())
        let odd = [
            "::/0", "0.0.0.0/0", "127.0.0.0/8", "fe80::/64", "ff05::/64", "::1/128", "2000::/8", "169.254.0.0/16",
        ]
        try stage.server.apply(Objects.node("a", podCIDRs: odd))
        let follower = try await stage.follow(reports)
        try await eventually("that is reports") {
            reports.seen.view?.problems.contains { $0.contains("not announced: ::/0 and 7 more") } == true
        }
        #expect(reports.seen.view?.podCIDRs == [])
        try stage.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/64", "fd00:8::/64", "10.7.0.0/24"]))
        try await eventually("one of each family is taken") {
            reports.seen.view?.podCIDRs.map(\.description) == ["fd00:7::/64", "10.7.0.0/24"]
                && reports.seen.view?.problems.contains { $0.contains("not announced: fd00:8::/64") }
                    == true
        }
        try await end(follower)
        try await stage.server.stop()
    }

    /// No service is reported before the addresses of all Nodes and of the API server, neither the first time nor when the
    /// agent is started again.
    @Test func addressesOfMachinesAreKnownBeforeServicesAre() async throws {
        let (stage, reports) = (try await APIStage(), Reports())
        let (own, lan, another, server): (IPv6Address, IPv6Address, IPv6Address, IPv6Address) = (
            "10.70.0.1", "10.70.0.2", "fd70::3", "::1"
        )
        try stage.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/120"], addresses: ["10.70.0.1"]))
        try stage.server.apply(Objects.node("b", podCIDRs: ["fd00:8::/120"], addresses: ["10.70.0.2"]))
        try stage.server.apply(Objects.service("thief", ingress: ["10.70.0.2"]))
        try stage.server.apply(Objects.slice("thief-1", of: "thief", family: "IPv4", [("a", "r")]))
        let follower = try await stage.follow(reports)
        try await eventually("the service is wanted") { reports.seen.entries[lan] != nil }
        #expect(reports.seen.early.isEmpty, "reports of together with the machines, or after them")
        #expect(reports.seen.view?.reservedAddresses == [own, lan, server])
        try await eventually("this node's pod ranges are known, and not those of others") {
            reports.seen.view?.podCIDRs.map(\.description) == ["fd00:7::/120"]
        }

        try stage.server.apply(Objects.node("c", addresses: ["fd70::3", "10.70.0.2"]))
        try await eventually("another node is heard of") {
            reports.seen.view?.reservedAddresses.contains(another) == true
        }
        try stage.server.delete("/api/v1/nodes/b")
        try stage.server.apply(Objects.node("c", addresses: ["10.70.0.2"]))
        try await eventually("what a node has no more is free") {
            reports.seen.view?.reservedAddresses == [own, lan, server]
        }
        #expect(reports.seen.view?.problems == [])
        try await end(follower)
        try await stage.server.stop()

        let later = Reports()
        let second = try await stage.follow(later)
        #expect(later.seen.view?.isConnected == false)
        #expect(later.seen.entries[lan] != nil && later.seen.early.isEmpty)
        #expect(later.seen.view?.reservedAddresses == [own, lan, server])
        try await end(second)
    }

    /// Without access to Nodes, only the API server's address is reserved.
    @Test func servicesAreAnnouncedWhereNodesMayNotBeWatched() async throws {
        let (stage, reports) = (try await APIStage(), Reports())
        stage.server.changeBehavior { $0.forbidden = ["nodes"] }
        try stage.server.apply(Objects.service("web", ingress: ["2001:db8::1"]))
        try stage.server.apply(Objects.slice("web-1", of: "web", [("a", "r")]))
        let follower = try await stage.follow(reports)
        try await eventually("it is announced") { reports.seen.entries[Self.vip] != nil }
        #expect(reports.seen.view?.problems.contains { $0.hasPrefix("nodeaddresses: ") } == true)
        #expect(reports.seen.view?.reservedAddresses == ["::1"])
        try await end(follower)
        try await stage.server.stop()
    }

    /// Without endpoints it is not known who can serve, so nothing is announced, and nothing is saved for a later start.
    @Test func servicesWithoutEndpointsAreNotAnnounced() async throws {
        let (stage, reports) = (try await APIStage(), Reports())
        stage.server.changeBehavior { $0.forbidden = ["endpointslices"] }
        try stage.server.apply(Objects.service("web", ingress: ["2001:db8::1"]))
        let follower = try await stage.follow(reports)
        try await eventually("services are heard and endpoints are not") {
            reports.seen.view?.resources["services"]?.isSynced == true
                && reports.seen.view?.resources["endpointslices"]?.problem != nil
        }
        #expect(reports.seen.entries.isEmpty && reports.seen.view?.isConnected == false)
        #expect(!FileManager.default.fileExists(atPath: stage.directory.appendingPathComponent("known").path))
        try await end(follower)
        try await stage.server.stop()
    }
}

extension APIStage {
    /// A follower for the node `a`, which saves what it knows in the directory `known`.
    fileprivate func follow(_ reports: Reports) async throws -> ClusterFollower {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let follower = ClusterFollower(
            source, on: loop, node: "a", options: ServiceOptions(),
            filesIn: directory.appendingPathComponent("known").path
        ) { reports.take($0) }
        try await loop.submit { follower.start() }.get()
        return follower
    }
}
