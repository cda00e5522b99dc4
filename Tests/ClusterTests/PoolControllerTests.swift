import ControlAPI
import Kubernetes
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Services
import TestAPIServer
import Testing
import Timing

@testable import Cluster

/// Real clients and a ``TestAPIServer``.
@Suite(.serialized) struct PoolControllerTests {
    /// An agent as far as pools are concerned: a watch of services, and the controller.
    private final class Agent: Sendable {
        let client: APIClient
        let watcher: ResourceWatcher<Service>
        let controller: PoolController
        let notices = NIOLockedValueBox<[String]>([])

        /// With a short lease, so that another takes over soon.
        init(_ fixture: APIServerFixture, name: String, pools: [AddressPool] = [.lan]) throws {
            var options = PoolOptions(pools: pools)
            options.times.duration = .seconds(2)
            options.times.renewal = .seconds(1)
            options.times.retry = .milliseconds(100)
            let client = try APIClient(fixture.source, on: MultiThreadedEventLoopGroup.singleton.next())
            let controller = PoolController(client, options: options, node: name) { [notices] notice in
                notices.withLockedValue { $0.append(notice) }
            }
            self.client = client
            self.controller = controller
            watcher = ResourceWatcher(client: client) { controller.receive($0.changes, $0.state) }
            watcher.start()
        }

        /// Stops in good order, with the lease released.
        func stop() async throws {
            watcher.stop()
            try await client.loop.flatSubmit { [controller] in controller.stop() }.get()
            try await client.shutdown().get()
        }

        /// Ends as by SIGKILL: the lease is not released.
        func kill() async throws {
            watcher.stop()
            try await client.shutdown().get()
        }

        var isLeading: Bool {
            get async throws { try await client.loop.submit { [controller] in controller.isLeading }.get() }
        }

        func hasReported(_ text: String) -> Bool {
            notices.withLockedValue { $0.contains { $0.contains(text) } }
        }
    }

    private static func path(_ name: String) -> String { "/api/v1/namespaces/default/services/\(name)" }

    private func make(_ name: String, in fixture: APIServerFixture, type: String = "LoadBalancer") throws {
        try fixture.server.apply(Objects.service(name, type: type, clusterIPs: ["10.0.0.1"]))
    }

    /// The first address in the `status` of a service; `nil` if it has none or does not exist.
    private func ingress(_ name: String, in fixture: APIServerFixture) -> String? {
        fixture.server.object(Self.path(name))?["status"].flatMap { Self.addresses(in: $0) }?.first
    }

    private static func addresses(in status: JSONValue) -> [String]? {
        guard case .array(let ingress)? = status["loadBalancer"]?["ingress"] else { return nil }
        return ingress.compactMap { $0["ip"]?.text }
    }

    /// The reasons of all Events.
    private func reasons(in fixture: APIServerFixture) -> [String] {
        fixture.server.objects("/api/v1/events").compactMap { $0["reason"]?.text }
    }

    /// Checks that no two services ever had the same address at the same time.
    private func checkHistory(of fixture: APIServerFixture) {
        var holders: [String: [String]] = [:]
        for (type, object) in fixture.server.changes(of: "services") {
            let name = object["metadata"]?["name"]?.text ?? ""
            let now = type == "DELETED" ? [] : object["status"].flatMap { Self.addresses(in: $0) } ?? []
            for (other, addresses) in holders where other != name {
                #expect(Set(addresses).isDisjoint(with: now), "\(now) of \(other) and \(name)")
            }
            holders[name] = now
        }
    }

    @Test func servicesGetAddresses() async throws {
        let fixture = try await APIServerFixture()
        for number in 10...21 { try make("s\(number)", in: fixture) }
        let agent = try Agent(fixture, name: "a")
        try await eventually("eleven services have an address") {
            (10...20).allSatisfy { ingress("s\($0)", in: fixture) == "192.168.4.\($0)" }
        }
        try await eventually("an Event reports that no address is left for the twelfth service") {
            reasons(in: fixture).contains("NoAddressLeft")
        }
        #expect(ingress("s21", in: fixture) == nil)
        let event = fixture.server.objects("/api/v1/events").first { $0["reason"]?.text == "NoAddressLeft" }
        #expect(event?["involvedObject"]?["name"]?.text == "s21" && event?["type"]?.text == "Warning")
        #expect(event?["source"]?["host"]?.text == "a")
        try await eventually("an Event reports the address of each of the eleven services") {
            reasons(in: fixture).count { $0 == "AddressAssigned" } == 11
        }
        // A change that the watcher does not report, as it decodes no such annotation, gives the service a new version. So the
        // next write of the leader is a conflict.
        var waiting = try #require(fixture.server.object(Self.path("s21")))
        waiting["metadata"]?["annotations"] = ["example.com/colour": "red"]
        try fixture.server.apply(waiting)
        try fixture.server.delete(Self.path("s14"))
        try await eventually("s21 gets the address of the deleted s14") {
            ingress("s21", in: fixture) == "192.168.4.14"
        }
        // A service that is no longer of type LoadBalancer loses its address.
        var service = try #require(fixture.server.object(Self.path("s15")))
        service["spec"]?["type"] = "ClusterIP"
        try fixture.server.apply(service)
        try await eventually("s15 has no address as a ClusterIP service") { ingress("s15", in: fixture) == nil }
        service = try #require(fixture.server.object(Self.path("s15")))
        service["spec"]?["type"] = "LoadBalancer"
        try fixture.server.apply(service)
        try await eventually("s15 has an address as a LoadBalancer service again") {
            ingress("s15", in: fixture) == "192.168.4.15"
        }
        checkHistory(of: fixture)
        try await agent.stop()
        let lease = fixture.server.object(
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kubermesh-address-pools")
        #expect(lease?["spec"]?["holderIdentity"]?.text == "", "the lease is released")
        try await fixture.server.stop()
    }

    @Test func anotherAgentTakesOverFromTheLeader() async throws {
        let fixture = try await APIServerFixture()
        var agents: [Agent] = []
        for name in ["a", "b", "c"] { agents.append(try Agent(fixture, name: name)) }
        var random = RandomNumbers(state: 5)
        for round in 0..<6 {
            var leader: Int?
            try await eventually("an agent is the leader") {
                for (index, agent) in agents.enumerated() where try await agent.isLeading { leader = index }
                return leader != nil
            }
            for _ in 0..<12 {
                let name = "s\(random.below(10))"
                if random.below(3) == 0 {
                    try? fixture.server.delete(Self.path(name))
                } else if fixture.server.object(Self.path(name)) == nil {
                    try make(name, in: fixture)
                }
                if random.below(3) == 0 { try await Task.sleep(for: .milliseconds(random.below(30))) }
            }
            // Meanwhile the leader is killed, stops, or loses the lease because the server does not answer.
            let index = try #require(leader)
            switch round % 3 {
            case 0:
                try await agents[index].kill()
                agents[index] = try Agent(fixture, name: "\(round)")
            case 1:
                try await agents[index].stop()
                agents[index] = try Agent(fixture, name: "\(round)")
            default:
                fixture.server.changeBehavior { $0.isStalled = true }
                try await eventually("no agent is the leader without the lease") {
                    for agent in agents where try await agent.isLeading { return false }
                    return true
                }
                fixture.server.changeBehavior { $0.isStalled = false }
                fixture.server.closeConnections()
            }
        }
        for number in 0..<10 where fixture.server.object(Self.path("s\(number)")) == nil {
            try make("s\(number)", in: fixture)
        }
        try await eventually("all ten services have an address") {
            (0..<10).allSatisfy { ingress("s\($0)", in: fixture) != nil }
        }
        checkHistory(of: fixture)
        for agent in agents { try await agent.stop() }
        try await fixture.server.stop()
    }

    /// A problem has one Event as long as it lasts, whoever leads, and another one when it begins again.
    @Test func anotherLeaderDoesNotReportAProblemAgain() async throws {
        let fixture = try await APIServerFixture()
        func ask(_ name: String, for address: String) throws {
            var service = fixture.server.object(Self.path(name)) ?? Objects.service(name, clusterIPs: ["10.0.0.1"])
            service["metadata"]?["annotations"] = ["kubermesh.io/addresses": .string(address)]
            try fixture.server.apply(service)
        }
        /// Waits until an agent leads and has no more requests for Events. Every leader examines the services in one turn, and a
        /// service that is made now is written last, so its Event is the last one.
        func lead(_ agent: Agent, _ marker: String) async throws {
            try await eventually("the agent leads") { try await agent.isLeading }
            try make(marker, in: fixture)
            try await eventually("the Event of \(marker)") {
                fixture.server.objects("/api/v1/events").contains {
                    $0["reason"] == "AddressAssigned" && $0["involvedObject"]?["name"]?.text == marker
                }
            }
        }
        func conflicts() -> Int { reasons(in: fixture).count { $0 == "AddressInUse" } }
        func requests() -> Int { fixture.server.requests.count { $0.hasPrefix("POST") && $0.hasSuffix("/events") } }

        let first = try Agent(fixture, name: "a")
        try ask("s1", for: "192.168.4.10")
        try await eventually("s1 has the address") { ingress("s1", in: fixture) == "192.168.4.10" }
        try ask("s2", for: "192.168.4.10")
        try await eventually("the conflict is reported") { conflicts() == 1 }
        // `b` takes over after the lease of `a` has expired.
        let second = try Agent(fixture, name: "b")
        try await first.kill()
        var before = requests()
        try await lead(second, "after-b")
        #expect(requests() == before + 2, "b has asked for both Events")
        #expect(conflicts() == 1)
        // The conflict ends and begins again.
        try ask("s2", for: "192.168.4.20")
        try await eventually("s2 has another address") { ingress("s2", in: fixture) == "192.168.4.20" }
        try ask("s2", for: "192.168.4.10")
        try await eventually("the new conflict is reported") { conflicts() == 2 }
        let third = try Agent(fixture, name: "c")
        try await second.stop()
        before = requests()
        try await lead(third, "after-c")
        #expect(requests() == before + 2 && conflicts() == 2)
        try await third.stop()
        try await fixture.server.stop()
    }

    /// After a restore the server has older versions than the agent knows, and a service has an address again that the agent
    /// had taken away and may have assigned to another.
    @Test func theStateOfARestoredServerIsAccepted() async throws {
        let fixture = try await APIServerFixture()
        let agent = try Agent(fixture, name: "a")
        for name in ["s1", "s2"] { try make(name, in: fixture) }
        try await eventually("s1 and s2 have an address") {
            ingress("s1", in: fixture) == "192.168.4.10" && ingress("s2", in: fixture) == "192.168.4.11"
        }
        try make("early", in: fixture, type: "ClusterIP")
        let backup = fixture.server.backup()
        var service = try #require(fixture.server.object(Self.path("early")))
        service["spec"]?["type"] = "LoadBalancer"
        try fixture.server.apply(service)
        service = try #require(fixture.server.object(Self.path("s1")))
        service["spec"]?["type"] = "ClusterIP"
        try fixture.server.apply(service)
        try await eventually("the service early has an address and s1 has none") {
            ingress("early", in: fixture) != nil && ingress("s1", in: fixture) == nil
        }
        for number in 0..<50 { try make("later\(number)", in: fixture, type: "ClusterIP") }
        try await eventually("services are watched") { fixture.server.watches(of: "services") == 1 }

        fixture.server.restore(backup)
        service = try #require(fixture.server.object(Self.path("early")))
        service["spec"]?["type"] = "LoadBalancer"
        try fixture.server.apply(service)
        try make("new", in: fixture)
        try await eventually("early, new and s1 have an address after the restore") {
            ["early", "new"].allSatisfy { ingress($0, in: fixture) != nil }
                && ingress("s1", in: fixture) == "192.168.4.10"
        }
        checkHistory(of: fixture)
        #expect(Set(["s1", "s2", "early", "new"].map { ingress($0, in: fixture) }).count == 4)
        try await agent.stop()
        try await fixture.server.stop()
    }

    /// Another controller of the same services removes the address again and again; each time the leader restores it.
    @Test func anAddressThatAnotherControllerRemovesIsRestored() async throws {
        let fixture = try await APIServerFixture()
        try make("web", in: fixture)
        let agent = try Agent(fixture, name: "a")
        try await eventually("web has an address") { ingress("web", in: fixture) == "192.168.4.10" }
        for _ in 0..<5 {
            // Two writes at once: another address, and then none.
            var other = try #require(fixture.server.object(Self.path("web")))
            other["metadata"]?["resourceVersion"] = nil
            other["status"] = ["loadBalancer": ["ingress": [["ip": "192.168.4.13"]]]]
            try fixture.server.apply(other)
            other["status"] = ["loadBalancer": [:]]
            try fixture.server.apply(other)
            try await eventually("web has its address again") { ingress("web", in: fixture) == "192.168.4.10" }
            // No address again, perhaps before the watch has reported the leader's write.
            var version = fixture.server.object(Self.path("web"))?["metadata"]?["resourceVersion"]
            try fixture.server.apply(other)
            try await eventually("web has its address again after one more removal") {
                let now = fixture.server.object(Self.path("web"))?["metadata"]?["resourceVersion"]
                guard now != version, ingress("web", in: fixture) == "192.168.4.10" else { return false }
                version = now
                return true
            }
        }
        try await agent.stop()
        try await fixture.server.stop()
    }

    @Test func missingPermissionsAreReported() async throws {
        let fixture = try await APIServerFixture()
        fixture.server.changeBehavior { $0.unchangeable = ["leases"] }
        try make("web", in: fixture)
        let agent = try Agent(fixture, name: "a")
        try await eventually("the agent reports that it may not use leases") {
            agent.hasReported("\"get\", \"list\", \"watch\", \"create\" and \"patch\" on leases")
        }
        fixture.server.changeBehavior { $0.unchangeable = ["services/status"] }
        try await eventually("the agent reports that it may not write addresses") {
            agent.hasReported("\"patch\" on services/status")
        }
        #expect(agent.notices.withLockedValue { $0.count { $0.contains("on leases") } } == 1)
        try await agent.stop()

        fixture.server.changeBehavior { $0.unchangeable = ["events"] }
        let second = try Agent(fixture, name: "b")
        try await eventually("the second agent reports that it may not create Events") {
            second.hasReported("\"create\" on events")
        }
        #expect(
            ingress("web", in: fixture) == "192.168.4.10", "addresses are assigned without permission to create Events")
        try await second.stop()
        try await fixture.server.stop()
    }

    /// As with permissions of an earlier version, which had no watch of the lease.
    @Test func aDeniedWatchOfTheLeaseIsReported() async throws {
        let fixture = try await APIServerFixture()
        fixture.server.changeBehavior { $0.forbidden = ["leases"] }
        let agent = try Agent(fixture, name: "a")
        try await eventually("the agent reports that it may not watch the lease") {
            agent.hasReported("the lease cannot be watched, so a takeover may take longer: leases: ")
        }
        try await agent.stop()
        try await fixture.server.stop()
    }

    @Test func anAgentThatCannotListServicesIsNoCandidate() async throws {
        let fixture = try await APIServerFixture()
        fixture.server.changeBehavior { $0.forbidden = ["services"] }
        let agent = try Agent(fixture, name: "a")
        try await eventually("the agent has requested services") {
            fixture.server.requests.contains { $0.hasPrefix("GET /api/v1/services") }
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(!fixture.server.requests.contains { $0.contains("leases") })
        try await agent.stop()
        try await fixture.server.stop()
    }
}
