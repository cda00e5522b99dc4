import Addressing
import Kubernetes
import OSPF
import Testing
import Timing

@testable import Cluster

struct PoolLeadershipTests {
    /// Three agents whose leader is killed, stopped or frozen at random, on an unreliable network. ``PoolWorld`` checks every
    /// write and that there are never two leaders.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func noAddressIsGivenTwice(seed: UInt64) throws {
        var world = try PoolWorld(seed: seed, agents: 3)
        for _ in 0..<250 {
            disturb(&world)
            world.pass(.milliseconds(world.random.below(3000)))
        }
        // Now nothing fails any more.
        world.isUnreliable = false
        world.pass(.seconds(60))
        #expect(world.writes > 20 && world.leaders.count > 1)
        let before = world.services
        world.pass(.seconds(60))
        #expect(world.services == before, "it comes to rest")
        #expect(world.agents.values.count { $0.leadership != nil } == 1)
        var allocator = PoolAllocator(pools: PoolWorld.pools, loadBalancerClass: "kubermesh.io/anycast")
        for service in world.services.values { allocator.update(service) }
        #expect(allocator.settle().toWrite.isEmpty, "everybody has what can be had")
    }

    /// One random action: mostly a service is created, changed or deleted; otherwise the leader is frozen (for up to 40 s, so
    /// longer than the 15 s of the lease), killed or stopped, or the lease is deleted. An agent that is gone is replaced.
    private func disturb(_ world: inout PoolWorld) {
        let number = world.random.below(14)
        switch world.random.below(20) {
        case 0...5: world.apply(number) { _, _ in }
        case 6...8: world.delete(number)
        case 9...11:
            world.apply(number) { service, random in
                service.type = service.type == "ClusterIP" || random.below(3) > 0 ? "LoadBalancer" : "ClusterIP"
            }
        case 12:
            world.apply(number) { service, random in
                service.metadata.annotations["kubermesh.io/addresses"] =
                    random.below(2) == 0 ? nil : "192.0.2.\(1 + random.below(6))"
            }
        case 13:
            world.apply(number) { service, _ in service.metadata.labels["changed"] = service.metadata.resourceVersion }
        case 14: if let life = leader(&world) { world.freeze(life, for: .seconds(world.random.below(40))) }
        case 15: if let life = leader(&world) { world.kill(life) }
        case 16: if let life = leader(&world) { world.stop(life) }
        case 17: world.deleteLease()
        default: break
        }
        while world.agents.count < 3 { world.startAgent() }
    }

    private func leader(_ world: inout PoolWorld) -> Int? {
        world.agents.filter { $0.value.leadership != nil }.keys.min()
    }

    /// A leadership that has just listed these services, and its first actions.
    private func leadership(_ services: [Service]) -> (PoolLeadership, [PoolLeadership.Action]) {
        var random = RandomNumbers(state: 1)
        var leadership = PoolLeadership(pools: [.lan], loadBalancerClass: "kubermesh.io/anycast")
        #expect(leadership.handle(.start, at: .zero, random: &random) == [.send(.list)])
        let actions = leadership.handle(.listed(services), at: .zero, random: &random)
        return (leadership, actions)
    }

    private func service(_ name: String, version: Int) throws -> Service {
        var service = try PoolStage.service(name)
        service.metadata.resourceVersion = "\(version)"
        return service
    }

    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test func nothingIsWrittenBeforeAllIsRead() throws {
        var random = RandomNumbers(state: 1)
        var leadership = PoolLeadership(pools: [.lan], loadBalancerClass: "kubermesh.io/anycast")
        #expect(leadership.handle(.start, at: .zero, random: &random) == [.send(.list)])
        let (a, b) = (try service("a", version: 1), try service("b", version: 2))
        #expect(leadership.handle(.changed(updated: [a, b], deleted: []), at: .zero, random: &random) == [])
        #expect(leadership.handle(.changed(updated: [], deleted: [b]), at: .zero, random: &random) == [])
        // The list was made before b was deleted, which the watch has reported already.
        let actions = leadership.handle(.listed([a, b]), at: .zero, random: &random)
        #expect(actions == [.send(.write(a, ["192.168.4.10"]))])
        #expect(leadership.allocator.count == 1)
    }

    /// After a conflict the service is read again, 200 ms later.
    @Test func whoComesTooLateReadsAgain() throws {
        var random = RandomNumbers(state: 1)
        let old = try service("a", version: 1)
        var (leadership, actions) = leadership([old])
        let request = PoolLeadership.Request.write(old, ["192.168.4.10"])
        #expect(actions == [.send(request)])
        actions = leadership.handle(.failed(request, .refused(Status(code: 409))), at: at(1), random: &random)
        #expect(actions == [] && leadership.deadline == at(1.2))
        #expect(leadership.handle(.clock, at: at(1.1), random: &random) == [])
        #expect(leadership.handle(.clock, at: at(1.2), random: &random) == [.send(.read(old.key))])
        let new = try service("a", version: 5)
        actions = leadership.handle(.read(old.key, new), at: at(1.3), random: &random)
        #expect(actions == [.send(.write(new, ["192.168.4.10"]))])
        // If the watch reports the new version before, the service is not read.
        actions = leadership.handle(
            .failed(.write(new, ["192.168.4.10"]), .refused(Status(code: 409))), at: at(2), random: &random)
        let newer = try service("a", version: 6)
        actions = leadership.handle(.changed(updated: [newer], deleted: []), at: at(2.1), random: &random)
        #expect(actions == [.send(.write(newer, ["192.168.4.10"]))])
        #expect(leadership.handle(.clock, at: at(2.2), random: &random) == [])
        // The service was deleted meanwhile.
        _ = leadership.handle(
            .failed(.write(newer, ["192.168.4.10"]), .refused(Status(code: 404))), at: at(3), random: &random)
        #expect(leadership.handle(.clock, at: at(3.2), random: &random) == [.send(.read(old.key))])
        #expect(
            leadership.handle(.read(old.key, nil), at: at(3.3), random: &random) == []
                && leadership.allocator.count == 0)
    }

    /// After 403, all requests pause for at least 30 s.
    @Test func whatIsForbiddenIsSaidOnceAndTriedAgain() throws {
        var random = RandomNumbers(state: 1)
        let service = try service("a", version: 1)
        var (leadership, actions) = leadership([service])
        let request = PoolLeadership.Request.write(service, ["192.168.4.10"])
        #expect(actions == [.send(request)])
        let refusal = RequestFailure.refused(Status(code: 403, reason: "Forbidden"))
        actions = leadership.handle(.failed(request, refusal), at: at(0), random: &random)
        guard case .notice(let text)? = actions.first, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        #expect(text.contains("\"patch\" on services/status"))
        let next = try #require(leadership.deadline)
        #expect(next >= at(30))
        #expect(leadership.handle(.clock, at: next, random: &random) == [.send(request)])
        #expect(leadership.handle(.failed(request, refusal), at: next, random: &random) == [])
        let later = try #require(leadership.deadline)
        #expect(leadership.handle(.clock, at: later, random: &random) == [.send(request)])
        var written = service
        written.metadata.resourceVersion = "2"
        written.ingressIPs = ["192.168.4.10"]
        actions = leadership.handle(.written(written), at: later, random: &random)
        #expect(
            actions == [
                .notice("addresses of services can be written again"),
                .send(.createEvent(written, .assigned(["192.168.4.10"]))),
            ])
    }

    /// Status 500 for one write, for example because of a webhook, does not pause the writes of other services.
    @Test func oneThatCannotBeWrittenLetsOthersGo() throws {
        var random = RandomNumbers(state: 1)
        let sick = try service("a", version: 1)
        var (leadership, actions) = leadership([sick])
        let request = PoolLeadership.Request.write(sick, ["192.168.4.10"])
        #expect(actions == [.send(request)])
        let failure = RequestFailure.refused(Status(code: 500, reason: "InternalError"))
        actions = leadership.handle(.failed(request, failure), at: at(1), random: &random)
        guard case .notice(let text)? = actions.first, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        #expect(text.contains("default/a"))
        let well = try service("b", version: 2)
        actions = leadership.handle(.changed(updated: [well], deleted: []), at: at(2), random: &random)
        #expect(actions == [.send(.write(well, ["192.168.4.11"]))])
        // The write is tried again, and a second failure is not logged.
        let retry = try #require(leadership.deadline)
        #expect(leadership.handle(.clock, at: retry, random: &random) == [.send(request)])
        #expect(leadership.handle(.failed(request, failure), at: retry, random: &random) == [])
        #expect(leadership.deadline != nil)
    }

    /// Concurrent requests that fail together count as one failure: the pause is at most that after a first failure (0.8 s),
    /// not that after the eighth (30 s).
    @Test func aServerThatIsAwayIsNotLeftAloneForLong() throws {
        var random = RandomNumbers(state: 1)
        var (leadership, actions) = leadership(try (0..<8).map { try service("s\($0)", version: $0 + 1) })
        #expect(actions.count == 8)
        for case .send(let request) in actions {
            _ = leadership.handle(.failed(request, .unreachable("away")), at: at(1), random: &random)
        }
        actions = []
        #expect(try #require(leadership.deadline) - at(1) <= .seconds(2))
    }

    @Test func aReasonIsToldOnce() throws {
        var random = RandomNumbers(state: 1)
        var service = try service("a", version: 1)
        service.metadata.annotations["kubermesh.io/pool"] = "wan"
        var (leadership, actions) = leadership([service])
        let problem = PoolProblem.unknownPool("wan", known: ["lan"])
        #expect(actions == [.send(.createEvent(service, .problem(problem)))])
        #expect(leadership.handle(.eventCreated, at: at(1), random: &random) == [])
        service.metadata.resourceVersion = "2"
        service.metadata.labels = ["changed": "yes"]
        #expect(leadership.handle(.changed(updated: [service], deleted: []), at: at(2), random: &random) == [])
        service.metadata.resourceVersion = "3"
        service.metadata.annotations = ["kubermesh.io/addresses": "x"]
        actions = leadership.handle(.changed(updated: [service], deleted: []), at: at(3), random: &random)
        #expect(actions == [.send(.createEvent(service, .problem(.notAnAddress("x"))))])
        // If the agent must not create Events, it logs that once and creates no more.
        let refusal = RequestFailure.refused(Status(code: 403))
        actions = leadership.handle(
            .failed(.createEvent(service, .problem(problem)), refusal), at: at(4), random: &random)
        #expect(actions.count == 1)
        service.metadata.resourceVersion = "4"
        service.metadata.annotations = ["kubermesh.io/addresses": "y"]
        #expect(leadership.handle(.changed(updated: [service], deleted: []), at: at(5), random: &random) == [])
    }

    /// At most 8 services are written at a time.
    @Test func notAllIsAskedAtOnce() throws {
        var random = RandomNumbers(state: 1)
        let services = try (0..<11).map { try service("s\($0)", version: $0 + 1) }
        var (leadership, actions) = leadership(services)
        #expect(actions.count == 8)
        guard case .send(.write(var service, let addresses))? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        service.ingressIPs = addresses
        service.metadata.resourceVersion = "100"
        actions = leadership.handle(.written(service), at: at(1), random: &random)
        #expect(actions.count == 1, "another write, and events when all is written")
    }
}
