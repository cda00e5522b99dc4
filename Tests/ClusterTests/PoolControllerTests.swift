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
        init(_ stage: APIStage, name: String, pools: [AddressPool] = [.lan]) throws {
            var options = PoolOptions(pools: pools)
            options.times.duration = .seconds(2)
            options.times.renewal = .seconds(1)
            options.times.retry = .milliseconds(100)
            let client = try APIClient(stage.source, on: MultiThreadedEventLoopGroup.singleton.next())
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
        func die() async throws {
            watcher.stop()
            try await client.shutdown().get()
        }

        var isLeading: Bool {
            get async throws { try await client.loop.submit { [controller] in controller.isLeading }.get() }
        }

        func hasSaid(_ words: String) -> Bool {
            notices.withLockedValue { $0.contains { $0.contains(words) } }
        }
    }

    private static func path(_ name: String) -> String { "/api/v1/namespaces/default/services/\(name)" }

    private func make(_ name: String, in stage: APIStage, type: String = "LoadBalancer") throws {
        try stage.server.apply(Objects.service(name, type: type, clusterIPs: ["10.0.0.1"]))
    }

    /// The first address in the `status` of a service; `nil` if it has none or does not exist.
    private func ingress(_ name: String, in stage: APIStage) -> String? {
        stage.server.object(Self.path(name))?["status"].flatMap { Self.addresses(in: $0) }?.first
    }

    private static func addresses(in status: JSONValue) -> [String]? {
        guard case .array(let ingress)? = status["loadBalancer"]?["ingress"] else { return nil }
        return ingress.compactMap { $0["ip"]?.text }
    }

    /// The reasons of all Events.
    private func reasons(in stage: APIStage) -> [String] {
        stage.server.objects("/api/v1/events").compactMap { $0["reason"]?.text }
    }

    /// Checks that no two services ever had the same address at the same time.
    private func checkHistory(of stage: APIStage) {
        var holders: [String: [String]] = [:]
        for (type, object) in stage.server.changes(of: "services") {
            let name = object["metadata"]?["name"]?.text ?? ""
            let now = type == "DELETED" ? [] : object["status"].flatMap { Self.addresses(in: $0) } ?? []
            for (other, addresses) in holders where other != name {
                #expect(Set(addresses).isDisjoint(with: now), "\(now) of \(other) and \(name)")
            }
            holders[name] = now
        }
    }

    @Test func servicesAreGivenAddresses() async throws {
        let stage = try await APIStage()
        for number in 10...21 { try make("s\(number)", in: stage) }
        let agent = try Agent(stage, name: "a")
        try await eventually("eleven have one") {
            (10...20).allSatisfy { ingress("s\($0)", in: stage) == "192.168.4.\($0)" }
        }
        try await eventually("the twelfth is told why not") { reasons(in: stage).contains("NoAddressLeft") }
        #expect(ingress("s21", in: stage) == nil)
        let event = stage.server.objects("/api/v1/events").first { $0["reason"]?.text == "NoAddressLeft" }
        #expect(event?["involvedObject"]?["name"]?.text == "s21" && event?["type"]?.text == "Warning")
        #expect(event?["source"]?["host"]?.text == "a")
        try await eventually("and the others which") { reasons(in: stage).count { $0 == "AddressAssigned" } == 11 }
        // A change that the watcher does not report, as it decodes no such annotation, gives the service a new version. So the
        // next write of the leader is a conflict.
        var waiting = try #require(stage.server.object(Self.path("s21")))
        waiting["metadata"]?["annotations"] = ["example.com/colour": "red"]
        try stage.server.apply(waiting)
        try stage.server.delete(Self.path("s14"))
        try await eventually("it has what became free") { ingress("s21", in: stage) == "192.168.4.14" }
        // A service that is no longer of type LoadBalancer loses its address.
        var service = try #require(stage.server.object(Self.path("s15")))
        service["spec"]?["type"] = "ClusterIP"
        try stage.server.apply(service)
        try await eventually("it is taken back") { ingress("s15", in: stage) == nil }
        service = try #require(stage.server.object(Self.path("s15")))
        service["spec"]?["type"] = "LoadBalancer"
        try stage.server.apply(service)
        try await eventually("it has one again") { ingress("s15", in: stage) == "192.168.4.15" }
        checkHistory(of: stage)
        try await agent.stop()
        let lease = stage.server.object(
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kubermesh-address-pools")
        #expect(lease?["spec"]?["holderIdentity"]?.text == "", "the next need not wait")
        try await stage.server.stop()
    }

    @Test func thereIsOneLeaderAndAnotherTakesOver() async throws {
        let stage = try await APIStage()
        var agents: [Agent] = []
        for name in ["a", "b", "c"] { agents.append(try Agent(stage, name: name)) }
        var random = RandomNumbers(state: 5)
        for life in 0..<6 {
            var leader: Int?
            try await eventually("somebody rules") {
                for (index, agent) in agents.enumerated() where try await agent.isLeading { leader = index }
                return leader != nil
            }
            for _ in 0..<12 {
                let name = "s\(random.below(10))"
                if random.below(3) == 0 {
                    try? stage.server.delete(Self.path(name))
                } else if stage.server.object(Self.path(name)) == nil {
                    try make(name, in: stage)
                }
                if random.below(3) == 0 { try await Task.sleep(for: .milliseconds(random.below(30))) }
            }
            // Meanwhile the leader is killed, stops, or loses the lease because the server does not answer.
            let index = try #require(leader)
            switch life % 3 {
            case 0:
                try await agents[index].die()
                agents[index] = try Agent(stage, name: "\(life)")
            case 1:
                try await agents[index].stop()
                agents[index] = try Agent(stage, name: "\(life)")
            default:
                stage.server.changeBehavior { $0.isStalled = true }
                try await eventually("nobody rules without the lease") {
                    for agent in agents where try await agent.isLeading { return false }
                    return true
                }
                stage.server.changeBehavior { $0.isStalled = false }
                stage.server.closeConnections()
            }
        }
        for number in 0..<10 where stage.server.object(Self.path("s\(number)")) == nil {
            try make("s\(number)", in: stage)
        }
        try await eventually("all have an address") { (0..<10).allSatisfy { ingress("s\($0)", in: stage) != nil } }
        checkHistory(of: stage)
        for agent in agents { try await agent.stop() }
        try await stage.server.stop()
    }

    /// After a restore the server has older versions than the agent knows, and a service has an address again that the agent
    /// had taken away and may have assigned to another.
    @Test func aServerThatWasSetBackIsBelieved() async throws {
        let stage = try await APIStage()
        let agent = try Agent(stage, name: "a")
        for name in ["s1", "s2"] { try make(name, in: stage) }
        try await eventually("both have one") {
            ingress("s1", in: stage) == "192.168.4.10" && ingress("s2", in: stage) == "192.168.4.11"
        }
        try make("early", in: stage, type: "ClusterIP")
        let backup = stage.server.backup()
        var service = try #require(stage.server.object(Self.path("early")))
        service["spec"]?["type"] = "LoadBalancer"
        try stage.server.apply(service)
        service = try #require(stage.server.object(Self.path("s1")))
        service["spec"]?["type"] = "ClusterIP"
        try stage.server.apply(service)
        try await eventually("one has one, and the other none") {
            ingress("early", in: stage) != nil && ingress("s1", in: stage) == nil
        }
        for number in 0..<50 { try make("later\(number)", in: stage, type: "ClusterIP") }
        try await eventually("it has been heard") { stage.server.watches(of: "services") == 1 }

        stage.server.restore(backup)
        service = try #require(stage.server.object(Self.path("early")))
        service["spec"]?["type"] = "LoadBalancer"
        try stage.server.apply(service)
        try make("new", in: stage)
        try await eventually("all have one") {
            ["early", "new"].allSatisfy { ingress($0, in: stage) != nil } && ingress("s1", in: stage) == "192.168.4.10"
        }
        checkHistory(of: stage)
        #expect(Set(["s1", "s2", "early", "new"].map { ingress($0, in: stage) }).count == 4)
        try await agent.stop()
        try await stage.server.stop()
    }

    /// Another controller of the same services removes the address again and again; each time the leader restores it.
    @Test func somebodyElseWritesAtOnce() async throws {
        let stage = try await APIStage()
        try make("web", in: stage)
        let agent = try Agent(stage, name: "a")
        try await eventually("it has one") { ingress("web", in: stage) == "192.168.4.10" }
        for _ in 0..<5 {
            // Two writes at once: another address, and then none.
            var other = try #require(stage.server.object(Self.path("web")))
            other["metadata"]?["resourceVersion"] = nil
            other["status"] = ["loadBalancer": ["ingress": [["ip": "192.168.4.13"]]]]
            try stage.server.apply(other)
            other["status"] = ["loadBalancer": [:]]
            try stage.server.apply(other)
            try await eventually("it has it again") { ingress("web", in: stage) == "192.168.4.10" }
            // No address again, perhaps before the watch has reported the leader's write.
            var version = stage.server.object(Self.path("web"))?["metadata"]?["resourceVersion"]
            try stage.server.apply(other)
            try await eventually("and again") {
                let now = stage.server.object(Self.path("web"))?["metadata"]?["resourceVersion"]
                guard now != version, ingress("web", in: stage) == "192.168.4.10" else { return false }
                version = now
                return true
            }
        }
        try await agent.stop()
        try await stage.server.stop()
    }

    @Test func whatIsForbiddenIsSaid() async throws {
        let stage = try await APIStage()
        stage.server.changeBehavior { $0.unchangeable = ["leases"] }
        try make("web", in: stage)
        let agent = try Agent(stage, name: "a")
        try await eventually("that it may not have the lease") {
            agent.hasSaid("\"get\", \"create\" and \"patch\" on leases")
        }
        stage.server.changeBehavior { $0.unchangeable = ["services/status"] }
        try await eventually("that it may not write addresses") { agent.hasSaid("\"patch\" on services/status") }
        #expect(agent.notices.withLockedValue { $0.count { $0.contains("on leases") } } == 1)
        try await agent.stop()

        stage.server.changeBehavior { $0.unchangeable = ["events"] }
        let second = try Agent(stage, name: "b")
        try await eventually("that it may not create events") { second.hasSaid("\"create\" on events") }
        #expect(ingress("web", in: stage) == "192.168.4.10", "which is no reason not to assign addresses")
        try await second.stop()
        try await stage.server.stop()
    }

    /// An agent that cannot list services does not take part in the election.
    @Test func anAgentWithoutServicesIsNoCandidate() async throws {
        let stage = try await APIStage()
        stage.server.changeBehavior { $0.forbidden = ["services"] }
        let agent = try Agent(stage, name: "a")
        try await eventually("services are asked for") {
            stage.server.requests.contains { $0.hasPrefix("GET /api/v1/services") }
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(!stage.server.requests.contains { $0.contains("leases") })
        try await agent.stop()
        try await stage.server.stop()
    }
}
