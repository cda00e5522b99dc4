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
    struct Totals {
        var entries: [IPv6Address: ServiceDemand] = [:]
        var view: ClusterView?
        var withdrawals = 0
        var reports = 0
        var notices: [String] = []
        /// Service addresses that were reported while at most the API server's own address was known to be reserved.
        var reportedTooEarly: Set<IPv6Address> = []
    }

    private let box = NIOLockedValueBox(Totals())
    var totals: Totals { box.withLockedValue { $0 } }

    func record(_ report: ClusterReport) {
        box.withLockedValue { totals in
            totals.view = report.view
            totals.reports += 1
            totals.notices += report.notices
            for (address, entry) in report.changes {
                if entry == nil { totals.withdrawals += 1 }
                if entry != nil, report.view.reservedAddresses.count < 2 { totals.reportedTooEarly.insert(address) }
                totals.entries[address] = entry
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

    @Test func announcementsFollowEndpointsAndStayWithoutTheAPIServer() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        try fixture.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/120", "10.7.0.0/24"]))
        try fixture.server.apply(Objects.service("web", ingress: ["2001:db8::1"], policy: "Local"))
        try fixture.server.apply(Objects.slice("web-1", of: "web", [("a", "r"), ("b", "r")]))
        let follower = try await fixture.follow(reports)
        try await eventually("the VIP is announced") { reports.totals.entries[Self.vip]?.level == .announce }
        #expect(reports.totals.entries[Self.vip]?.services == ["default/web"])
        try await eventually("the pod ranges of the Node are known, and all watches are connected") {
            reports.totals.view?.podCIDRs.count == 2 && reports.totals.view?.isConnected == true
        }

        try fixture.server.apply(Objects.slice("web-1", of: "web", [("a", "t"), ("b", "r")]))
        try await eventually("the VIP is last resort while the endpoint on a terminates") {
            reports.totals.entries[Self.vip]?.level == .lastResort
        }
        try fixture.server.apply(Objects.slice("web-1", of: "web", [("b", "r")]))
        try await eventually("the VIP is withdrawn without an endpoint on a") {
            reports.totals.entries[Self.vip] == nil
        }
        try fixture.server.apply(Objects.slice("web-1", of: "web", [("a", "r")]))
        try await eventually("the VIP is announced again") { reports.totals.entries[Self.vip]?.level == .announce }
        try fixture.server.apply(Objects.node("a", annotations: ["kubermesh.io/drain": "true"]))
        try await eventually("the annotation of the Node requests a drain") {
            reports.totals.view?.node.drainReason != nil
        }

        // While the API server is unreachable, nothing is withdrawn.
        let withdrawals = reports.totals.withdrawals
        try await fixture.server.stop()
        try await eventually("the follower reports that the API server is unreachable") {
            reports.totals.view?.isConnected == false
        }
        #expect(reports.totals.withdrawals == withdrawals && reports.totals.entries[Self.vip] != nil)
        try await end(follower)

        // The agent is started again before the server is back.
        let secondReports = Reports()
        let second = try await fixture.follow(secondReports)
        try await eventually("the saved objects announce the VIP") {
            secondReports.totals.entries[Self.vip]?.level == .announce
        }
        #expect(secondReports.totals.view?.node.drainReason != nil && secondReports.totals.view?.isConnected == false)
        try await end(second)
    }

    /// After each restart a service is created. Its address is reported soon, not after the delay that failures of the outage have
    /// led to. Every other server denies everything at first, as one that has not read the roles yet.
    @Test func aServerThatRestartsIsFollowedAgain() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        try fixture.server.apply(Objects.node("a"))
        let follower = try await fixture.follow(reports)
        try await eventually("all watches are connected") { reports.totals.view?.isConnected == true }
        var server = fixture.server
        let rounds = ProcessInfo.processInfo.environment["KUBERMESH_RESTARTS"].flatMap { Int($0) } ?? 2
        for round in 0..<rounds {
            let isStarting = round % 2 == 0
            var behavior = TestAPIServer.Behavior()
            behavior.isStarting = isStarting
            let earlier = reports.totals.notices.count
            server = try await fixture.restart(server, after: .seconds(2 + round * 3 % 7), behavior: behavior)
            let name = "web\(round)"
            let address = try #require(IPv6Address("2001:db8::1:\(round)"))
            try server.apply(Objects.service(name, ingress: ["\(address)"], policy: "Local"))
            try server.apply(Objects.slice("\(name)-1", of: name, [("a", "r")]))
            if isStarting {
                let current = server
                try await eventually("requests are denied") { !current.requests.isEmpty }
                try await Task.sleep(for: .milliseconds(500 + round * 700 % 3000))
                server.changeBehavior { $0.isStarting = false }
            }
            let ready = ContinuousClock.now
            try await eventually("the service that was created after the restart is reported") {
                reports.totals.entries[address] != nil
            }
            try await eventually("all watches are connected again") {
                reports.totals.view?.isConnected == true && reports.totals.view?.problems == []
            }
            let time = ContinuousClock.now - ready
            #expect(time < .seconds(8), "in sync within 2.5 s on an idle machine")
            #expect(!reports.totals.notices.dropFirst(earlier).contains { $0.contains("Forbidden") })
            if rounds > 2 { print("in sync \(time) after restart \(round + 1)\(isStarting ? " with denials" : "")") }
        }
        #expect(reports.totals.withdrawals == 0)
        try await end(follower)
        try await server.stop()
    }

    /// The pods of a deleted Node continue to run, so its ranges are kept, even when the agent is started again.
    @Test func podRangesAreKeptWhenTheNodeIsDeleted() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        func ranges(_ reports: Reports) -> [String]? { reports.totals.view?.podCIDRs.map(\.description) }
        try fixture.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/120", "10.7.0.0/24"]))
        let follower = try await fixture.follow(reports)
        try await eventually("the ranges are known") { ranges(reports) == ["fd00:7::/120", "10.7.0.0/24"] }
        // As after an API server has lost its data.
        try fixture.server.delete("/api/v1/nodes/a")
        try await eventually("the follower reports that the Node was deleted") {
            guard let view = reports.totals.view else { return false }
            return view.isConnected && view.problems.contains { $0.contains("was deleted") }
        }
        #expect(ranges(reports) == ["fd00:7::/120", "10.7.0.0/24"])
        try await end(follower)

        let secondReports = Reports()
        let second = try await fixture.follow(secondReports)
        try await eventually("the second follower is connected") { secondReports.totals.view?.isConnected == true }
        #expect(ranges(secondReports) == ["fd00:7::/120", "10.7.0.0/24"])
        // A kubelet creates the Node again without ranges, and the follower writes those that the pods have.
        try await second.loop.submit { second.offer(["fd00:7::/120", "10.7.0.0/24"].compactMap { IPv6Prefix($0) }) }
            .get()
        try fixture.server.apply(Objects.node("a", labels: ["new": "yes"]))
        try await eventually("the problem ends after the Node is created again") {
            secondReports.totals.view?.problems == []
        }
        #expect(ranges(secondReports) == ["fd00:7::/120", "10.7.0.0/24"])
        // Of what the follower decodes, heartbeats of the kubelet change only the version, which it does not report.
        for _ in 0..<12 {
            try await Task.sleep(for: .seconds(1))
            try fixture.server.heartbeat(of: "a")
        }
        try await eventually("the Node gets its former pod ranges") {
            fixture.server.object("/api/v1/nodes/a")?["spec"]?["podCIDRs"] == ["fd00:7::/120", "10.7.0.0/24"]
        }
        try await end(second)
        try await fixture.server.stop()
    }

    /// Heartbeats of kubelets change only the version of a Node, as far as it is decoded.
    @Test func heartbeatsAreNotReported() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        try fixture.server.apply(Objects.node("a"))
        let follower = try await fixture.follow(reports)
        try await eventually("all watches are connected") { reports.totals.view?.isConnected == true }
        let before = reports.totals.reports
        for _ in 0..<20 {
            try fixture.server.heartbeat(of: "a")
            try await Task.sleep(for: .milliseconds(50))
        }
        try fixture.server.apply(Objects.node("a", annotations: ["kubermesh.io/drain": "true"]))
        try await eventually("the change after the heartbeats is reported") {
            reports.totals.view?.node.drainReason != nil
        }
        #expect(reports.totals.reports - before < 5)
        try await end(follower)
        try await fixture.server.stop()
    }

    /// The cluster has assigned ranges while the offer waits: nothing is written. If the agent does not know that yet, the server
    /// refuses to change them, and the agent uses those of the cluster.
    @Test func rangesAreNotOfferedInPlaceOfThoseOfTheCluster() async throws {
        let own = ["fd00:7::/120", "10.7.0.0/24"].compactMap { IPv6Prefix($0) }
        func start() async throws -> (APIServerFixture, Reports, ClusterFollower) {
            let (fixture, reports) = (try await APIServerFixture(), Reports())
            try fixture.server.apply(Objects.node("a"))
            let follower = try await fixture.follow(reports)
            try await eventually("all watches are connected") { reports.totals.view?.isConnected == true }
            try await follower.loop.submit { follower.offer(own) }.get()
            return (fixture, reports, follower)
        }
        func patches(_ fixture: APIServerFixture) -> Int { fixture.server.requests.count { $0.hasPrefix("PATCH") } }
        let (informed, informedReports, informedFollower) = try await start()
        try informed.server.apply(Objects.node("a", podCIDRs: ["fd00:8::/120"]))
        try await eventually("the ranges of the cluster are known") {
            informedReports.totals.view?.podCIDRs.map(\.description) == ["fd00:8::/120"]
        }
        let (late, lateReports, lateFollower) = try await start()
        late.server.changeBehavior { $0.sendsNoChanges = true }
        try late.server.apply(Objects.node("a", podCIDRs: ["fd00:9::/120"]))
        try await eventually("the server refuses the offer") {
            lateReports.totals.notices.contains { $0.contains("node updates may not change podCIDR") }
        }
        #expect(patches(late) == 1 && patches(informed) == 0, "the offer of the informed agent would have been earlier")
        #expect(late.server.object("/api/v1/nodes/a")?["spec"]?["podCIDRs"] == ["fd00:9::/120"])
        late.server.changeBehavior { $0.sendsNoChanges = false }
        late.server.closeConnections()
        try await eventually("the late agent has the ranges of the cluster") {
            lateReports.totals.view?.podCIDRs.map(\.description) == ["fd00:9::/120"]
        }
        #expect(patches(late) == 1)
        for (fixture, follower) in [(informed, informedFollower), (late, lateFollower)] {
            try await end(follower)
            try await fixture.server.stop()
        }
    }

    /// A server that starts may deny access to Nodes before it has read the roles. That is no reason to announce services
    /// before the addresses of Nodes are known, as it is if access is denied for good.
    @Test func nothingIsDecidedByTheDenialsOfAServerThatStarts() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        fixture.server.changeBehavior { $0.forbidden = ["nodes"] }
        try fixture.server.apply(Objects.service("thief", ingress: ["10.70.0.2"]))
        try fixture.server.apply(Objects.slice("thief-1", of: "thief", family: "IPv4", [("a", "r")]))
        try fixture.server.apply(Objects.node("b", addresses: ["10.70.0.2"]))
        let follower = try await fixture.follow(reports)
        try await eventually("Nodes are requested twice") {
            fixture.server.requests.count { $0.hasPrefix("GET /api/v1/nodes?limit=100") } >= 2
        }
        #expect(reports.totals.entries.isEmpty)
        #expect(reports.totals.view?.resources["nodes"]?.isRefused == false)
        fixture.server.changeBehavior { $0.forbidden = [] }
        try await eventually("the service is reported") { !reports.totals.entries.isEmpty }
        #expect(reports.totals.reportedTooEarly.isEmpty)
        try await end(follower)
        try await fixture.server.stop()
    }

    /// As in a manifest that says no more than necessary: the server adds the rest.
    @Test func aServiceWithDefaultsIsAnnounced() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        try fixture.server.apply(["kind": "Node", "metadata": ["name": "a"], "spec": ["podCIDR": "fd00:7::/120"]])
        try fixture.server.apply([
            "kind": "Service", "metadata": ["name": "web", "namespace": "default"],
            "spec": ["type": "LoadBalancer", "ports": [["port": 80]]],
            "status": ["loadBalancer": ["ingress": [["ip": "2001:db8::1"]]]],
        ])
        try fixture.server.apply([
            "kind": "EndpointSlice",
            "metadata": [
                "name": "web-1", "namespace": "default", "labels": ["kubernetes.io/service-name": "web"],
            ],
            "addressType": "IPv6", "endpoints": [["addresses": ["fd00:2::1"], "conditions": [:]]],
            "ports": [["port": 8080]],
        ])
        let stored = fixture.server.object("/api/v1/namespaces/default/services/web")
        #expect(stored?["spec"]?["externalTrafficPolicy"] == "Cluster")
        let follower = try await fixture.follow(reports)
        try await eventually("the address is announced, and the range of the Node is known") {
            reports.totals.entries[Self.vip]?.level == .announce
                && reports.totals.view?.podCIDRs.map(\.description) == ["fd00:7::/120"]
        }
        try await end(follower)
        try await fixture.server.stop()
    }

    @Test func invalidPodRangesAreRefused() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        let invalid = [
            "::/0", "0.0.0.0/0", "127.0.0.0/8", "fe80::/64", "ff05::/64", "::1/128", "2000::/8", "169.254.0.0/16",
        ]
        try fixture.server.apply(Objects.node("a", podCIDRs: invalid))
        let follower = try await fixture.follow(reports)
        try await eventually("the invalid ranges are reported") {
            reports.totals.view?.problems.contains { $0.contains("not announced: ::/0 and 7 more") } == true
        }
        #expect(reports.totals.view?.podCIDRs == [])
        try fixture.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/64", "fd00:8::/64", "10.7.0.0/24"]))
        try await eventually("one range of each family is used, and the other is reported") {
            reports.totals.view?.podCIDRs.map(\.description) == ["fd00:7::/64", "10.7.0.0/24"]
                && reports.totals.view?.problems.contains { $0.contains("not announced: fd00:8::/64") }
                    == true
        }
        try await end(follower)
        try await fixture.server.stop()
    }

    /// No service is reported before the addresses of all Nodes and of the API server, neither the first time nor when the
    /// agent is started again.
    @Test func addressesOfMachinesAreKnownBeforeServicesAre() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        let (own, lan, another, server): (IPv6Address, IPv6Address, IPv6Address, IPv6Address) = (
            "10.70.0.1", "10.70.0.2", "fd70::3", "::1"
        )
        try fixture.server.apply(Objects.node("a", podCIDRs: ["fd00:7::/120"], addresses: ["10.70.0.1"]))
        try fixture.server.apply(Objects.node("b", podCIDRs: ["fd00:8::/120"], addresses: ["10.70.0.2"]))
        try fixture.server.apply(Objects.service("thief", ingress: ["10.70.0.2"]))
        try fixture.server.apply(Objects.slice("thief-1", of: "thief", family: "IPv4", [("a", "r")]))
        let follower = try await fixture.follow(reports)
        try await eventually("the address of the service is reported") { reports.totals.entries[lan] != nil }
        #expect(reports.totals.reportedTooEarly.isEmpty, "no service is reported before the addresses of all machines")
        #expect(reports.totals.view?.reservedAddresses == [own, lan, server])
        try await eventually("only the pod ranges of the Node a are reported") {
            reports.totals.view?.podCIDRs.map(\.description) == ["fd00:7::/120"]
        }

        try fixture.server.apply(Objects.node("c", addresses: ["fd70::3", "10.70.0.2"]))
        try await eventually("the address of the new Node c is reserved") {
            reports.totals.view?.reservedAddresses.contains(another) == true
        }
        try fixture.server.delete("/api/v1/nodes/b")
        try fixture.server.apply(Objects.node("c", addresses: ["10.70.0.2"]))
        try await eventually("addresses that no Node has any more are not reserved") {
            reports.totals.view?.reservedAddresses == [own, lan, server]
        }
        #expect(reports.totals.view?.problems == [])
        try await end(follower)
        try await fixture.server.stop()

        let secondReports = Reports()
        let second = try await fixture.follow(secondReports)
        #expect(secondReports.totals.view?.isConnected == false)
        #expect(secondReports.totals.entries[lan] != nil && secondReports.totals.reportedTooEarly.isEmpty)
        #expect(secondReports.totals.view?.reservedAddresses == [own, lan, server])
        try await end(second)
    }

    @Test func rangesOfClusterIPsAreFollowedAndSaved() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        func ranges(_ reports: Reports) -> [String]? { reports.totals.view?.serviceRanges.map(\.description) }
        try fixture.server.apply(Objects.node("a"))
        try fixture.server.apply(Objects.serviceCIDR("kubernetes", ["10.96.0.0/12", "fd00:10:96::/112"]))
        let follower = try await fixture.follow(reports)
        try await eventually("the ranges are known") { ranges(reports) == ["10.96.0.0/12", "fd00:10:96::/112"] }
        // A range that is no range of cluster IPs is not used.
        try fixture.server.apply(Objects.serviceCIDR("more", ["10.200.0.0/16", "::/0"]))
        try fixture.server.apply(Objects.serviceCIDR("local", ["127.0.0.0/8", "0.0.0.0/0"]))
        let three = ["10.96.0.0/12", "10.200.0.0/16", "fd00:10:96::/112"]
        try await eventually("another range is known") { ranges(reports) == three }
        try fixture.server.delete("/apis/networking.k8s.io/v1/servicecidrs/kubernetes")
        try await eventually("a range is gone") { ranges(reports) == ["10.200.0.0/16"] }
        try await eventually("all watches are connected") { reports.totals.view?.isConnected == true }
        try await fixture.server.stop()
        try await end(follower)

        let secondReports = Reports()
        let second = try await fixture.follow(secondReports)
        #expect(ranges(secondReports) == ["10.200.0.0/16"], "the saved range is known at once")
        try await end(second)
    }

    /// Servers before Kubernetes 1.33 do not have ServiceCIDRs.
    @Test func aServerWithoutRangesOfClusterIPsIsNoProblem() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        fixture.server.changeBehavior { $0.missing = ["servicecidrs"] }
        try fixture.server.apply(Objects.node("a"))
        let follower = try await fixture.follow(reports)
        try await eventually("the server was asked, and all is connected") {
            fixture.server.requests.contains { $0.contains("servicecidrs") }
                && reports.totals.view?.isConnected == true && reports.totals.view?.resources["servicecidrs"] == nil
        }
        #expect(reports.totals.view?.problems == [] && reports.totals.view?.serviceRanges == [])
        #expect(fixture.server.requests.count { $0.contains("servicecidrs") } == 1)
        try await end(follower)
        try await fixture.server.stop()
    }

    /// Without access to Nodes, only the API server's address is reserved.
    @Test func servicesAreAnnouncedWithoutAccessToNodes() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        fixture.server.changeBehavior { $0.forbidden = ["nodes"] }
        try fixture.server.apply(Objects.service("web", ingress: ["2001:db8::1"]))
        try fixture.server.apply(Objects.slice("web-1", of: "web", [("a", "r")]))
        let follower = try await fixture.follow(reports)
        try await eventually("the VIP is announced without access to Nodes") { reports.totals.entries[Self.vip] != nil }
        #expect(reports.totals.view?.problems.contains { $0.hasPrefix("nodeaddresses: ") } == true)
        #expect(reports.totals.view?.reservedAddresses == ["::1"])
        try await end(follower)
        try await fixture.server.stop()
    }

    /// Without endpoints it is not known who can serve, so nothing is announced, and nothing is saved for a later start.
    @Test func servicesAreNotAnnouncedWithoutAccessToEndpoints() async throws {
        let (fixture, reports) = (try await APIServerFixture(), Reports())
        fixture.server.changeBehavior { $0.forbidden = ["endpointslices"] }
        try fixture.server.apply(Objects.service("web", ingress: ["2001:db8::1"]))
        let follower = try await fixture.follow(reports)
        try await eventually("services are synced and endpoints are refused") {
            reports.totals.view?.resources["services"]?.isSynced == true
                && reports.totals.view?.resources["endpointslices"]?.problem != nil
        }
        #expect(reports.totals.entries.isEmpty && reports.totals.view?.isConnected == false)
        #expect(!FileManager.default.fileExists(atPath: fixture.directory.appendingPathComponent("known").path))
        try await end(follower)
        try await fixture.server.stop()
    }
}

extension APIServerFixture {
    /// A follower for the node `a`, which saves its objects in the directory `known`.
    fileprivate func follow(_ reports: Reports) async throws -> ClusterFollower {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let follower = ClusterFollower(
            source, on: loop, node: "a", options: ServiceOptions(),
            filesIn: directory.appendingPathComponent("known").path
        ) { reports.record($0) }
        try await loop.submit { follower.start() }.get()
        return follower
    }
}
