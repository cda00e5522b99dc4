import Addressing
import Kubernetes
import OSPF
import Services
import Testing
import Timing

@testable import Cluster

/// A server, several agents that all would assign addresses, and the time: everything that may go wrong between them, from a
/// seed. Requests and answers take their time or are lost, watches lag behind, agents stand still, die and come back.
struct PoolWorld {
    struct Agent {
        var election: LeaseElection
        var leadership: PoolLeadership?
        var number = 0
        var outstanding = 0
        /// What its watch has told, and how much of the history that was.
        var known: [ObjectKey: Service] = [:]
        var heard = 0
        var frozenUntil = Instant.zero
        var isStopping = false
    }

    /// What happens next, to one agent in one of its lives.
    private enum Occurrence {
        case requested(PoolLeadership.Request, number: Int)
        case answered(PoolLeadership.Request, PoolLeadership.Event, number: Int)
        case leaseRequested(LeaseElection.Action)
        case leaseAnswered(LeaseElection.Event)
    }

    private struct Entry {
        var at: Instant
        var life: Int
        var what: Occurrence
    }

    static let pools = [AddressPool(name: "lan", ranges: [AddressRange("192.0.2.1-192.0.2.6")!])]
    /// No answer is waited for any longer, and what takes so long is not done.
    private static let patience = Duration.seconds(5)
    private static let tick = Duration.milliseconds(50)

    var random: RandomNumbers
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    /// By life: each has a number of its own.
    private(set) var agents: [Int: Agent] = [:]
    private var lives = 0
    private var entries: [Entry] = []
    private(set) var services: [ObjectKey: Service] = [:]
    private var history: [(key: ObjectKey, service: Service?)] = []
    private var lease: Lease?
    private var version = 1
    private(set) var writes = 0
    private(set) var leaders: Set<String> = []
    /// Whether anything may go wrong.
    var isRough = true
    private let template: Service

    init(seed: UInt64, agents count: Int) throws {
        random = RandomNumbers(state: seed)
        template = try PoolStage.service("template")
        for _ in 0..<count { enter() }
    }

    /// An agent begins.
    mutating func enter() {
        lives += 1
        agents[lives] = Agent(election: LeaseElection(identity: "agent-\(lives)"))
        tell(lives, .start)
    }

    /// One dies, and what it sent is still under way.
    mutating func kill(_ life: Int) { agents[life] = nil }

    /// One stands still for a while.
    mutating func freeze(_ life: Int, for duration: Duration) { agents[life]?.frozenUntil = now + duration }

    /// One ends in good order.
    mutating func stop(_ life: Int) {
        agents[life]?.isStopping = true
        agents[life]?.leadership = nil
        agents[life]?.number += 1
        letGoIfIdle(life)
    }

    private mutating func letGoIfIdle(_ life: Int) {
        guard let agent = agents[life], agent.isStopping, agent.outstanding == 0 else { return }
        tell(life, .release)
    }

    /// Somebody deletes the lease.
    mutating func deleteLease() { lease = nil }

    /// Lets time pass.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while now < end {
            now = now + Self.tick
            let all = entries
            let due = all.filter { $0.at <= now && !isFrozen($0) }.sorted { $0.at < $1.at }
            entries = all.filter { $0.at > now || isFrozen($0) }
            for entry in due { happen(entry) }
            for life in agents.keys.sorted() where agents[life].map({ $0.frozenUntil <= now }) ?? false { turn(life) }
            let leading = agents.values.count { $0.leadership != nil && $0.frozenUntil <= now }
            #expect(leading <= 1, "never two at a time")
        }
    }

    /// What reaches the server reaches it, whatever became of the sender.
    private func isFrozen(_ entry: Entry) -> Bool {
        switch entry.what {
        case .requested, .leaseRequested: false
        case .answered, .leaseAnswered: agents[entry.life].map { $0.frozenUntil > now } ?? false
        }
    }

    private mutating func turn(_ life: Int) {
        hear(life)
        if let deadline = agents[life]?.election.deadline(at: now), deadline <= now { tell(life, .clock) }
        review(life)
        if let deadline = agents[life]?.leadership?.deadline, deadline <= now { step(life, .clock) }
        if agents[life]?.isStopping == true, agents[life]?.election.hasReleased == true { agents[life] = nil }
    }

    /// The lease as it stands now decides who rules.
    private mutating func review(_ life: Int) {
        guard let agent = agents[life] else { return }
        let isElected = agent.election.isHolder(at: now)
        if !isElected, agent.leadership != nil {
            agents[life]?.leadership = nil
            agents[life]?.number += 1
        } else if isElected, agent.leadership == nil, agent.outstanding == 0, !agent.isStopping {
            leaders.insert(agent.election.identity)
            agents[life]?.number += 1
            agents[life]?.leadership = PoolLeadership(pools: Self.pools, loadBalancerClass: "kubermesh.io/anycast")
            step(life, .start)
        }
    }

    private mutating func tell(_ life: Int, _ event: LeaseElection.Event) {
        let time = MicroTime(microseconds: now.nanoseconds / 1000)
        let action = agents[life]?.election.handle(event, at: now, time: time, random: &random)
        if let action { send(life, .leaseRequested(action)) }
        review(life)
    }

    private mutating func step(_ life: Int, _ event: PoolLeadership.Event) {
        guard let actions = agents[life]?.leadership?.handle(event, at: now, random: &random) else { return }
        for case .send(let request) in actions {
            guard let agent = agents[life] else { return }
            agents[life]?.outstanding += 1
            if case .write = request, !agent.election.isHolder(at: now + .seconds(1)) {
                let failure = PoolLeadership.Event.failed(request, .unreachable("no lease"))
                entries.append(Entry(at: now, life: life, what: .answered(request, failure, number: agent.number)))
            } else {
                send(life, .requested(request, number: agent.number))
            }
        }
    }
}

// On the way, and at the server.
extension PoolWorld {
    private mutating func delay() -> Duration {
        guard isRough else { return .milliseconds(1) }
        return .milliseconds(random.below(10) == 0 ? random.below(4900) : random.below(100))
    }

    private var isLost: Bool {
        mutating get { isRough && random.below(25) == 0 }
    }

    private mutating func send(_ life: Int, _ what: Occurrence) {
        if isLost { return answer(life, to: what, with: nil, sentAt: now, after: Self.patience) }
        entries.append(Entry(at: now + delay(), life: life, what: what))
    }

    private mutating func answer(
        _ life: Int, to what: Occurrence, with event: PoolLeadership.Event?, lease: LeaseElection.Event? = nil,
        sentAt: Instant, after delay: Duration
    ) {
        let failure = RequestFailure.unreachable("lost")
        let answer: Occurrence
        switch what {
        case .requested(let request, let number):
            answer = .answered(request, event ?? .failed(request, failure), number: number)
        case .leaseRequested: answer = .leaseAnswered(lease ?? .failed(failure))
        case .answered, .leaseAnswered: return
        }
        entries.append(Entry(at: sentAt + delay, life: life, what: answer))
    }

    private mutating func happen(_ entry: Entry) {
        switch entry.what {
        case .requested(let request, _):
            let event = serve(request)
            let isUnheard = isLost
            answer(entry.life, to: entry.what, with: isUnheard ? nil : event, sentAt: now, after: delay())
        case .leaseRequested(let action):
            let event = serve(action)
            let isUnheard = isLost
            answer(
                entry.life, to: entry.what, with: nil, lease: isUnheard ? nil : event, sentAt: now, after: delay())
        case .answered(_, let event, let number):
            guard agents[entry.life] != nil else { return }
            agents[entry.life]?.outstanding -= 1
            if agents[entry.life]?.number == number { step(entry.life, event) }
            letGoIfIdle(entry.life)
            review(entry.life)
        case .leaseAnswered(let event): tell(entry.life, event)
        }
    }

    private mutating func serve(_ action: LeaseElection.Action) -> LeaseElection.Event {
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

    /// An address that somebody has is given to nobody else, but for those who share it.
    private func check(_ address: IPv6Address, for service: Service) {
        for other in services.values where other.key != service.key && other.ingressIPs.contains(address) {
            #expect(
                SharingTerms(service).agree(with: SharingTerms(other)),
                "\(address) of \(other.key) is given to \(service.key)")
        }
    }

    @discardableResult private mutating func store(_ service: Service) -> Service {
        version += 1
        var service = service
        service.metadata.resourceVersion = "\(version)"
        services[service.key] = service
        history.append((service.key, service))
        return service
    }
}

// What people do, and what watches tell of it.
extension PoolWorld {
    /// Makes or changes a service. Those with an even number share with all others of them.
    mutating func apply(_ number: Int, _ change: (inout Service, inout RandomNumbers) -> Void) {
        let key = PoolStage.key("s\(number)")
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
        let key = PoolStage.key("s\(number)")
        guard services.removeValue(forKey: key) != nil else { return }
        history.append((key, nil))
    }

    /// Tells an agent a part of what happened since it was told last, as a watcher would.
    private mutating func hear(_ life: Int) {
        guard var agent = agents[life], agent.heard < history.count, !isRough || random.below(8) == 0 else { return }
        let end = isRough ? random.below(history.count - agent.heard) + agent.heard + 1 : history.count
        var before: [ObjectKey: Service?] = [:]
        for (key, service) in history[agent.heard..<end] {
            if before[key] == nil { before[key] = .some(agent.known[key]) }
            agent.known[key] = service
        }
        agent.heard = end
        agents[life] = agent
        var updated: [Service] = []
        var deleted: [Service] = []
        for (key, old) in before.sorted(by: { $0.key < $1.key }) {
            let new = agent.known[key]
            if let old, old.metadata.uid != new?.metadata.uid { deleted.append(old) }
            if let new { updated.append(new) }
        }
        step(life, .changed(updated: updated, deleted: deleted))
    }
}

/// The same numbers for the same seed.
struct RandomNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
