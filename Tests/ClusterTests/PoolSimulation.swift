import Addressing
import Kubernetes
import OSPF
import Services
import Testing
import Timing

@testable import Cluster

/// An API server and several agents with pools, in virtual time. A seed determines what goes wrong: requests and responses are
/// late or lost, and watches lag. Tests freeze, kill, stop and replace agents.
struct PoolSimulation {
    struct Agent {
        var election: LeaseElection
        /// `nil` while it is not the leader.
        var leadership: PoolLeadership?
        /// Rises when a leadership begins or ends, to recognize answers for an earlier one.
        var number = 0
        /// Requests of this and earlier leaderships without an answer.
        var outstanding = 0
        /// The services that its watch has reported, and how many entries of the history these are from.
        var known: [ObjectKey: Service] = [:]
        var reported = 0
        /// How many entries of the history of the lease its watch has reported, and the last reported UID.
        var leaseReported = 0
        var leaseUID: String?
        var frozenUntil = Instant.zero
        var isStopping = false
    }

    /// A request that reaches the server, or an answer that reaches the agent. `number` is that of the leadership.
    private enum Message {
        case requested(PoolLeadership.Request, number: Int)
        case answered(PoolLeadership.Request, PoolLeadership.Event, number: Int)
        case leaseRequested(LeaseElection.Action)
        case leaseAnswered(LeaseElection.Event)
    }

    /// A message, when it arrives, and the ID of the agent that it concerns.
    private struct ScheduledMessage {
        var at: Instant
        var id: Int
        var message: Message
    }

    static let pools = [AddressPool(name: "lan", ranges: [AddressRange("192.0.2.1-192.0.2.6")!])]
    /// After this time the sender of a lost request gets a failure; other requests arrive sooner. So all writes of a leader
    /// arrive before the next one starts: it must stop 10 s after its last renewal, and another takes the lease after 15 s.
    private static let requestTimeout = Duration.seconds(5)
    /// The step of the virtual time.
    private static let tick = Duration.milliseconds(50)

    var random: RandomNumbers
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    /// By ID: a new number for every start of an agent.
    private(set) var agents: [Int: Agent] = [:]
    private var lastID = 0
    private var scheduled: [ScheduledMessage] = []
    private(set) var services: [ObjectKey: Service] = [:]
    /// All versions of services; `nil` is a deletion.
    private var history: [(key: ObjectKey, service: Service?)] = []
    private var lease: Lease? { didSet { leaseHistory.append(lease) } }
    /// All states of the lease; `nil` is a deletion.
    private var leaseHistory: [Lease?] = []
    /// The number of requests about the lease.
    private(set) var leaseRequests = 0
    private var version = 1
    private(set) var writes = 0
    /// The identities of all agents that were the leader.
    private(set) var leaders: Set<String> = []
    /// Whether requests and responses are late or lost, and watches lag.
    var isUnreliable = true
    private let template: Service

    init(seed: UInt64, agents count: Int) throws {
        random = RandomNumbers(state: seed)
        template = try PoolFixture.service("template")
        for _ in 0..<count { startAgent() }
    }

    /// Starts an agent.
    mutating func startAgent() {
        lastID += 1
        agents[lastID] = Agent(election: LeaseElection(identity: "agent-\(lastID)"))
        stepElection(lastID, .start)
    }

    /// Kills an agent. Requests that it has sent still reach the server.
    mutating func kill(_ id: Int) { agents[id] = nil }

    /// Freezes an agent: it does not run for a time, as a suspended process.
    mutating func freeze(_ id: Int, for duration: Duration) { agents[id]?.frozenUntil = now + duration }

    /// Stops an agent in good order: it releases the lease when no request is outstanding.
    mutating func stop(_ id: Int) {
        agents[id]?.isStopping = true
        agents[id]?.leadership = nil
        agents[id]?.number += 1
        releaseIfIdle(id)
    }

    private mutating func releaseIfIdle(_ id: Int) {
        guard let agent = agents[id], agent.isStopping, agent.outstanding == 0 else { return }
        stepElection(id, .release)
    }

    /// Somebody deletes the lease.
    mutating func deleteLease() { lease = nil }

    /// Lets virtual time pass.
    mutating func advance(_ duration: Duration) {
        let end = now + duration
        while now < end {
            now = now + Self.tick
            let all = scheduled
            let due = all.filter { $0.at <= now && !isFrozen($0) }.sorted { $0.at < $1.at }
            scheduled = all.filter { $0.at > now || isFrozen($0) }
            for scheduledMessage in due { deliver(scheduledMessage) }
            for id in agents.keys.sorted() where agents[id].map({ $0.frozenUntil <= now }) ?? false { turn(id) }
            let leading = agents.values.count { $0.leadership != nil && $0.frozenUntil <= now }
            #expect(leading <= 1, "at most one agent is the leader")
        }
    }

    /// Whether a message waits because its agent is frozen. Requests reach the server in any case.
    private func isFrozen(_ scheduledMessage: ScheduledMessage) -> Bool {
        switch scheduledMessage.message {
        case .requested, .leaseRequested: false
        case .answered, .leaseAnswered: agents[scheduledMessage.id].map { $0.frozenUntil > now } ?? false
        }
    }

    /// What an agent does when time has passed.
    private mutating func turn(_ id: Int) {
        reportChanges(id)
        reportLease(id)
        if let deadline = agents[id]?.election.deadline(at: now), deadline <= now { stepElection(id, .clock) }
        followElection(id)
        if let deadline = agents[id]?.leadership?.deadline, deadline <= now { stepLeadership(id, .clock) }
        if agents[id]?.isStopping == true, agents[id]?.election.hasReleased == true { agents[id] = nil }
    }

    /// Starts or ends an agent's leadership according to its election.
    private mutating func followElection(_ id: Int) {
        guard let agent = agents[id] else { return }
        let isElected = agent.election.isHolder(at: now)
        if !isElected, agent.leadership != nil {
            agents[id]?.leadership = nil
            agents[id]?.number += 1
        } else if isElected, agent.leadership == nil, agent.outstanding == 0, !agent.isStopping {
            leaders.insert(agent.election.identity)
            agents[id]?.number += 1
            agents[id]?.leadership = PoolLeadership(pools: Self.pools, loadBalancerClass: "kubermesh.io/anycast")
            stepLeadership(id, .start)
        }
    }

    /// Gives an event to the election of an agent.
    private mutating func stepElection(_ id: Int, _ event: LeaseElection.Event) {
        let time = MicroTime(microseconds: now.nanoseconds / 1000)
        let action = agents[id]?.election.handle(event, at: now, time: time, random: &random)
        if let action { send(id, .leaseRequested(action)) }
        followElection(id)
    }

    /// Gives an event to the leadership of an agent. As with ``PoolController``, a write within 1 s of the end of the lease is
    /// not sent and fails.
    private mutating func stepLeadership(_ id: Int, _ event: PoolLeadership.Event) {
        guard let actions = agents[id]?.leadership?.handle(event, at: now, random: &random) else { return }
        for case .send(let request) in actions {
            guard let agent = agents[id] else { return }
            agents[id]?.outstanding += 1
            if case .write = request, !agent.election.isHolder(at: now + .seconds(1)) {
                let failure = PoolLeadership.Event.failed(request, .unreachable("no lease"))
                scheduled.append(
                    ScheduledMessage(at: now, id: id, message: .answered(request, failure, number: agent.number)))
            } else {
                send(id, .requested(request, number: agent.number))
            }
        }
    }
}

// The network and the server.
extension PoolSimulation {
    /// How long a message takes: below 100 ms, for one in ten below 4.9 s.
    private mutating func delay() -> Duration {
        guard isUnreliable else { return .milliseconds(1) }
        return .milliseconds(random.below(10) == 0 ? random.below(4900) : random.below(100))
    }

    private var isLost: Bool {
        mutating get { isUnreliable && random.below(25) == 0 }
    }

    /// Sends a request, which may be lost.
    private mutating func send(_ id: Int, _ message: Message) {
        if isLost { return answer(id, to: message, with: nil, sentAt: now, after: Self.requestTimeout) }
        scheduled.append(ScheduledMessage(at: now + delay(), id: id, message: message))
    }

    /// Sends the answer to a request; without an event it is a failure.
    private mutating func answer(
        _ id: Int, to message: Message, with event: PoolLeadership.Event?, lease: LeaseElection.Event? = nil,
        sentAt: Instant, after delay: Duration
    ) {
        let failure = RequestFailure.unreachable("lost")
        let answer: Message
        switch message {
        case .requested(let request, let number):
            answer = .answered(request, event ?? .failed(request, failure), number: number)
        case .leaseRequested: answer = .leaseAnswered(lease ?? .failed(failure))
        case .answered, .leaseAnswered: return
        }
        scheduled.append(ScheduledMessage(at: sentAt + delay, id: id, message: answer))
    }

    /// Delivers a message. The server handles a request even if its response is then lost.
    private mutating func deliver(_ scheduledMessage: ScheduledMessage) {
        switch scheduledMessage.message {
        case .requested(let request, _):
            let event = serve(request)
            let isAnswerLost = isLost
            answer(
                scheduledMessage.id, to: scheduledMessage.message, with: isAnswerLost ? nil : event, sentAt: now,
                after: delay())
        case .leaseRequested(let action):
            let event = serve(action)
            let isAnswerLost = isLost
            answer(
                scheduledMessage.id, to: scheduledMessage.message, with: nil, lease: isAnswerLost ? nil : event,
                sentAt: now, after: delay())
        case .answered(_, let event, let number):
            guard agents[scheduledMessage.id] != nil else { return }
            agents[scheduledMessage.id]?.outstanding -= 1
            if agents[scheduledMessage.id]?.number == number { stepLeadership(scheduledMessage.id, event) }
            releaseIfIdle(scheduledMessage.id)
            followElection(scheduledMessage.id)
        case .leaseAnswered(let event): stepElection(scheduledMessage.id, event)
        }
    }

    private mutating func serve(_ action: LeaseElection.Action) -> LeaseElection.Event {
        leaseRequests += 1
        switch action {
        case .read: return .read(lease)
        case .create(let record): return lease == nil ? write(record) : .failed(.refused(Status(code: 409)))
        case .update(let record, let resourceVersion):
            guard let lease else { return .failed(.refused(Status(code: 404))) }
            return lease.metadata.resourceVersion == resourceVersion
                ? write(record) : .failed(.refused(Status(code: 409)))
        }
    }

    private mutating func write(_ record: LeaseRecord) -> LeaseElection.Event {
        version += 1
        var metadata = ObjectMetadata(name: "pools", namespace: "kube-system")
        metadata.resourceVersion = "\(version)"
        metadata.uid = lease?.metadata.uid ?? "lease-\(version)"
        let new = Lease(metadata: metadata, record: record)
        lease = new
        return .written(new)
    }

    private mutating func serve(_ request: PoolLeadership.Request) -> PoolLeadership.Event {
        switch request {
        case .list: return .listed(services.values.sorted { $0.key < $1.key })
        case .read(let key): return .read(key, services[key])
        case .createEvent: return .eventCreated
        case .write(let service, let addresses):
            guard var new = services[service.key] else { return .failed(request, .refused(Status(code: 404))) }
            guard new.metadata.resourceVersion == service.metadata.resourceVersion else {
                return .failed(request, .refused(Status(code: 409)))
            }
            writes += 1
            for address in addresses where !new.ingressIPs.contains(address) { check(address, for: new) }
            new.ingressIPs = addresses
            return .written(store(new))
        }
    }

    /// Checks that no other service has an address in its `status` without agreeing to share it.
    private func check(_ address: IPv6Address, for service: Service) {
        for other in services.values where other.key != service.key && other.ingressIPs.contains(address) {
            #expect(
                SharingTerms(service).agree(with: SharingTerms(other)),
                "\(address) of \(other.key) must not be assigned to \(service.key)")
        }
    }

    /// Stores a service with a new version.
    @discardableResult private mutating func store(_ service: Service) -> Service {
        version += 1
        var service = service
        service.metadata.resourceVersion = "\(version)"
        services[service.key] = service
        history.append((service.key, service))
        return service
    }
}

// What users of the cluster do, and how the watches of the agents report it.
extension PoolSimulation {
    /// Creates or changes a service. Those with even numbers have one sharing key; of these, 0 and 2 use the same port and
    /// cannot share, as 4 and 6, and so on.
    mutating func apply(_ number: Int, _ change: (inout Service, inout RandomNumbers) -> Void) {
        let key = PoolFixture.key("s\(number)")
        var service = services[key] ?? template
        if services[key] == nil {
            service.metadata.name = key.name
            service.metadata.uid = "uid-\(version)"
            if number % 2 == 0 { service.metadata.annotations["kubermesh.io/allow-shared-address"] = "even" }
            service.ports[0].port = UInt16(80 + number / 4)
        }
        change(&service, &random)
        store(service)
    }

    mutating func delete(_ number: Int) {
        let key = PoolFixture.key("s\(number)")
        guard services.removeValue(forKey: key) != nil else { return }
        history.append((key, nil))
    }

    /// Reports changes since the last report to an agent, as a watcher would: several changes of a service as one. While the
    /// network is unreliable, mostly nothing is reported, and otherwise the oldest changes, perhaps all.
    private mutating func reportChanges(_ id: Int) {
        guard var agent = agents[id], agent.reported < history.count, !isUnreliable || random.below(8) == 0 else {
            return
        }
        let end = isUnreliable ? random.below(history.count - agent.reported) + agent.reported + 1 : history.count
        var before: [ObjectKey: Service?] = [:]
        for (key, service) in history[agent.reported..<end] {
            if before[key] == nil { before[key] = .some(agent.known[key]) }
            agent.known[key] = service
        }
        agent.reported = end
        agents[id] = agent
        var updated: [Service] = []
        var deleted: [Service] = []
        for (key, old) in before.sorted(by: { $0.key < $1.key }) {
            let new = agent.known[key]
            if let old, old.metadata.uid != new?.metadata.uid { deleted.append(old) }
            if let new { updated.append(new) }
        }
        stepLeadership(id, .changed(updated: updated, deleted: deleted))
    }
}

extension PoolSimulation {
    /// Reports the lease to an agent, as a watcher would: the last state, and a deletion before it. While the network is
    /// unreliable, an older state, or mostly nothing.
    private mutating func reportLease(_ id: Int) {
        guard let agent = agents[id], agent.leaseReported < leaseHistory.count, !isUnreliable || random.below(8) == 0
        else { return }
        let count = leaseHistory.count
        let end = isUnreliable ? random.below(count - agent.leaseReported) + agent.leaseReported + 1 : count
        let state = leaseHistory[end - 1]
        agents[id]?.leaseReported = end
        agents[id]?.leaseUID = state?.metadata.uid
        if let uid = agent.leaseUID, uid != state?.metadata.uid { stepElection(id, .removed(uid: uid)) }
        if let state { stepElection(id, .observed(state)) }
    }
}

/// A generator that gives the same numbers for the same seed.
struct RandomNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
