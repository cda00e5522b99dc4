import Addressing
import Kubernetes
import OSPF
import Testing
import Timing

@testable import Cluster

struct PoolLeadershipTests {
    /// Three agents whose leader is killed, stopped or frozen at random, on an unreliable network. ``PoolSimulation`` checks
    /// every write and that there are never two leaders.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func noAddressIsAssignedTwice(seed: UInt64) throws {
        var simulation = try PoolSimulation(seed: seed, agents: 3)
        for _ in 0..<250 {
            injectRandomEvent(&simulation)
            simulation.advance(.milliseconds(simulation.random.below(3000)))
        }
        // Now nothing fails any more.
        simulation.isUnreliable = false
        simulation.advance(.seconds(60))
        #expect(simulation.writes > 20 && simulation.leaders.count > 1)
        let before = simulation.services
        simulation.advance(.seconds(60))
        #expect(simulation.services == before, "no service changes once faults have ended")
        #expect(simulation.agents.values.count { $0.leadership != nil } == 1)
        var allocator = PoolAllocator(pools: PoolSimulation.pools, loadBalancerClass: "kubermesh.io/anycast")
        for service in simulation.services.values { allocator.update(service) }
        #expect(allocator.settle().toWrite.isEmpty, "a new allocator would change no service")
    }

    /// At rest, only the leader sends requests: one renewal every 2 s. When it is killed, another takes over within 17 s of its
    /// last renewal, and few of the others send anything.
    @Test func onlyTheLeaderSendsRequestsAtRest() throws {
        var simulation = try PoolSimulation(seed: 1, agents: 500)
        simulation.isUnreliable = false
        simulation.advance(.seconds(30))
        var before = simulation.leaseRequests
        simulation.advance(.seconds(100))
        #expect((45...51).contains(simulation.leaseRequests - before))
        let killed = try #require(leader(&simulation))
        before = simulation.leaseRequests
        simulation.kill(killed)
        simulation.advance(.seconds(18))
        let next = try #require(leader(&simulation))
        #expect(next != killed && simulation.leaseRequests - before < 150, "\(simulation.leaseRequests - before)")
        // A leader that stops releases the lease, and another takes over at once.
        before = simulation.leaseRequests
        simulation.stop(next)
        simulation.advance(.seconds(1))
        #expect(
            try #require(leader(&simulation)) != next && simulation.leaseRequests - before < 300,
            "\(simulation.leaseRequests - before)")
    }

    /// One random action: mostly a service is created, changed or deleted; otherwise the leader is frozen (for up to 40 s, so
    /// longer than the 15 s of the lease), killed or stopped, the lease is deleted, or nothing happens. An agent that is
    /// gone is replaced.
    private func injectRandomEvent(_ simulation: inout PoolSimulation) {
        let number = simulation.random.below(14)
        switch simulation.random.below(20) {
        case 0...5: simulation.apply(number) { _, _ in }
        case 6...8: simulation.delete(number)
        case 9...11:
            simulation.apply(number) { service, random in
                service.type = service.type == "ClusterIP" || random.below(3) > 0 ? "LoadBalancer" : "ClusterIP"
            }
        case 12:
            simulation.apply(number) { service, random in
                service.metadata.annotations["kubermesh.io/addresses"] =
                    random.below(2) == 0 ? nil : "192.0.2.\(1 + random.below(6))"
            }
        case 13:
            simulation.apply(number) { service, _ in
                service.metadata.labels["changed"] = service.metadata.resourceVersion
            }
        case 14: if let id = leader(&simulation) { simulation.freeze(id, for: .seconds(simulation.random.below(40))) }
        case 15: if let id = leader(&simulation) { simulation.kill(id) }
        case 16: if let id = leader(&simulation) { simulation.stop(id) }
        case 17: simulation.deleteLease()
        default: break
        }
        while simulation.agents.count < 3 { simulation.startAgent() }
    }

    private func leader(_ simulation: inout PoolSimulation) -> Int? {
        simulation.agents.filter { $0.value.leadership != nil }.keys.min()
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
        var service = try PoolFixture.service(name)
        service.metadata.resourceVersion = "\(version)"
        return service
    }

    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test func nothingIsWrittenBeforeTheListIsComplete() throws {
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
    @Test func aConflictLeadsToANewRead() throws {
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

    /// After 403 for 5 s, all requests pause for at least 30 s. Before, the server may not have read the roles.
    @Test func aForbiddenWriteIsReportedOnceAndRetried() throws {
        var random = RandomNumbers(state: 1)
        let service = try service("a", version: 1)
        var (leadership, actions) = leadership([service])
        let request = PoolLeadership.Request.write(service, ["192.168.4.10"])
        #expect(actions == [.send(request)])
        let refusal = RequestFailure.refused(Status(code: 403, reason: "Forbidden"))
        var now = at(0)
        var attempts = 0
        repeat {
            actions = leadership.handle(.failed(request, refusal), at: now, random: &random)
            attempts += 1
            guard actions == [] else { break }
            now = try #require(leadership.deadline)
            #expect(leadership.handle(.clock, at: now, random: &random) == [.send(request)])
        } while attempts < 20
        guard case .notice(let text)? = actions.first, actions.count == 1 else {
            Issue.record("unexpected actions: \(actions)")
            return
        }
        #expect(text.contains("\"patch\" on services/status"))
        #expect(now >= at(5) && now < at(20) && attempts > 2)
        let next = try #require(leadership.deadline)
        #expect(next >= now + .seconds(30))
        #expect(leadership.handle(.clock, at: next, random: &random) == [.send(request)])
        #expect(leadership.handle(.failed(request, refusal), at: next, random: &random) == [])
        let later = try #require(leadership.deadline)
        #expect(later >= next + .seconds(30))
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
    @Test func aFailedWriteDoesNotDelayOtherServices() throws {
        var random = RandomNumbers(state: 1)
        let failing = try service("a", version: 1)
        var (leadership, actions) = leadership([failing])
        let request = PoolLeadership.Request.write(failing, ["192.168.4.10"])
        #expect(actions == [.send(request)])
        let failure = RequestFailure.refused(Status(code: 500, reason: "InternalError"))
        actions = leadership.handle(.failed(request, failure), at: at(1), random: &random)
        guard case .notice(let text)? = actions.first, actions.count == 1 else {
            Issue.record("unexpected actions: \(actions)")
            return
        }
        #expect(text.contains("default/a"))
        let healthy = try service("b", version: 2)
        actions = leadership.handle(.changed(updated: [healthy], deleted: []), at: at(2), random: &random)
        #expect(actions == [.send(.write(healthy, ["192.168.4.11"]))])
        // The write is tried again, and a second failure is not logged.
        let retry = try #require(leadership.deadline)
        #expect(leadership.handle(.clock, at: retry, random: &random) == [.send(request)])
        #expect(leadership.handle(.failed(request, failure), at: retry, random: &random) == [])
        #expect(leadership.deadline != nil)
    }

    /// Concurrent requests that fail together count as one failure: the pause is at most that after a first failure (0.8 s),
    /// not that after the eighth (30 s).
    @Test func concurrentFailuresCountAsOneForTheBackoff() throws {
        var random = RandomNumbers(state: 1)
        var (leadership, actions) = leadership(try (0..<8).map { try service("s\($0)", version: $0 + 1) })
        #expect(actions.count == 8)
        for case .send(let request) in actions {
            _ = leadership.handle(.failed(request, .unreachable("away")), at: at(1), random: &random)
        }
        actions = []
        #expect(try #require(leadership.deadline) - at(1) <= .seconds(2))
    }

    @Test func aProblemIsReportedOnce() throws {
        var random = RandomNumbers(state: 1)
        var service = try service("a", version: 1)
        service.metadata.annotations["kubermesh.io/pool"] = "wan"
        var (leadership, actions) = leadership([service])
        let problem = PoolProblem.unknownPool("wan", known: ["lan"])
        #expect(actions == [.send(.createEvent(service, .problem(problem, .found)))])
        #expect(leadership.handle(.eventCreated, at: at(1), random: &random) == [])
        service.metadata.resourceVersion = "2"
        service.metadata.labels = ["changed": "yes"]
        #expect(leadership.handle(.changed(updated: [service], deleted: []), at: at(2), random: &random) == [])
        service.metadata.resourceVersion = "3"
        service.metadata.annotations = ["kubermesh.io/addresses": "x"]
        actions = leadership.handle(.changed(updated: [service], deleted: []), at: at(3), random: &random)
        #expect(actions == [.send(.createEvent(service, .problem(.notAnAddress("x"), .new)))])
        // If the agent must not create Events, it logs that once and creates none for 30 s.
        let refusal = RequestFailure.refused(Status(code: 403))
        actions = leadership.handle(
            .failed(.createEvent(service, .problem(problem, .new)), refusal), at: at(4), random: &random)
        #expect(actions.count == 1)
        service.metadata.resourceVersion = "4"
        service.metadata.annotations = ["kubermesh.io/addresses": "y"]
        #expect(leadership.handle(.changed(updated: [service], deleted: []), at: at(5), random: &random) == [])
        // After 30 s it tries again.
        service.metadata.resourceVersion = "5"
        service.metadata.annotations = ["kubermesh.io/addresses": "z"]
        actions = leadership.handle(.changed(updated: [service], deleted: []), at: at(35), random: &random)
        #expect(actions == [.send(.createEvent(service, .problem(.notAnAddress("z"), .new)))])
    }

    /// If an Event about a problem exists, another is created only if the problem began during this leadership.
    @Test func anEventThatExistsIsNotCreatedAgainUnlessTheProblemIsNew() throws {
        var random = RandomNumbers(state: 1)
        var service = try service("a", version: 1)
        service.metadata.annotations["kubermesh.io/pool"] = "wan"
        let problem = PoolProblem.unknownPool("wan", known: ["lan"])
        let exists = RequestFailure.refused(Status(code: 409, reason: "AlreadyExists"))
        var (leadership, actions) = leadership([service])
        let first = PoolLeadership.Request.createEvent(service, .problem(problem, .found))
        #expect(actions == [.send(first)])
        #expect(leadership.handle(.failed(first, exists), at: at(1), random: &random) == [])
        // The problem ends and begins again.
        service.metadata.resourceVersion = "2"
        service.metadata.annotations = [:]
        actions = leadership.handle(.changed(updated: [service], deleted: []), at: at(2), random: &random)
        #expect(actions == [.send(.write(service, ["192.168.4.10"]))])
        service.metadata.resourceVersion = "3"
        service.metadata.annotations["kubermesh.io/pool"] = "wan"
        actions = leadership.handle(.changed(updated: [service], deleted: []), at: at(3), random: &random)
        let second = PoolLeadership.Request.createEvent(service, .problem(problem, .new))
        #expect(actions == [.send(second)])
        let third = PoolLeadership.Request.createEvent(service, .problem(problem, .again))
        #expect(leadership.handle(.failed(second, exists), at: at(4), random: &random) == [.send(third)])
        #expect(leadership.handle(.failed(third, exists), at: at(5), random: &random) == [])
    }

    @Test func atMostEightWritesAreOutstanding() throws {
        var random = RandomNumbers(state: 1)
        let services = try (0..<11).map { try service("s\($0)", version: $0 + 1) }
        var (leadership, actions) = leadership(services)
        #expect(actions.count == 8)
        guard case .send(.write(var service, let addresses))? = actions.first else {
            Issue.record("unexpected actions: \(actions)")
            return
        }
        service.ingressIPs = addresses
        service.metadata.resourceVersion = "100"
        actions = leadership.handle(.written(service), at: at(1), random: &random)
        #expect(actions.count == 1, "one write follows, and no Event before all is written")
    }
}
