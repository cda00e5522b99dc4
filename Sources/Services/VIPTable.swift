public import Addressing
public import OSPF
public import Timing

/// The VIPs of this node, and which of them it should announce. A value: its input is events, its output is actions.
public struct VIPTable: Sendable {
    /// A VIP with its state.
    public struct Entry: Hashable, Sendable {
        /// The VIP of the configuration.
        public let vip: VIP
        /// The health of its service; without meaning if there is no check.
        public fileprivate(set) var health = Health.unknown
        /// When ``Health/isHealthy`` last changed, the first outcome came or the checker stalled; before that, when a VIP with
        /// this address was configured.
        public fileprivate(set) var since: Instant
        /// When the last outcome was reported.
        public fileprivate(set) var lastCheck: Instant?
        /// Why the last check failed, if it did.
        public fileprivate(set) var lastError: String?
        /// The number of outcomes since the VIP was configured or last changed.
        public fileprivate(set) var checks = 0
        /// How many of these outcomes were failures.
        public fileprivate(set) var failures = 0
        /// Distinguishes its checker from earlier ones of the same name.
        fileprivate let generation: Int
        /// When the last outcome, or the wait for the first, is no longer valid; `nil` without a check, and once the checker
        /// has stalled.
        fileprivate var deadline: Instant?
        /// Whether ``deadline`` was extended by ``VIPTable/grace`` since the last outcome.
        fileprivate var isOverdue = false

        /// Whether this node should announce the address.
        public var isAnnounced: Bool { vip.check == nil || health.isHealthy }
    }

    /// An event.
    public enum Event: Hashable, Sendable {
        /// A checker reports an outcome.
        case checked(CheckID, CheckOutcome)
        /// ``VIPTable/nextDeadline`` is due.
        case timer
    }

    /// Identifies a running checker.
    public struct CheckID: Hashable, Sendable {
        /// The VIP's name.
        public let name: String
        fileprivate let address: IPv6Address
        fileprivate let generation: Int
    }

    /// What the caller must do.
    public enum Action: Hashable, Sendable {
        /// Add the address to this node and announce it.
        case announce(VIP)
        /// Withdraw the address and remove it from this node.
        case withdraw(VIP, reason: String)
        /// Start a checker that reports outcomes under the ID.
        case startChecking(CheckID, HealthCheck)
        /// Stop the checker of this ID.
        case stopChecking(CheckID)
    }

    /// How long to wait for outcomes that are on their way, once the last outcome is no longer valid.
    public static let grace = Duration.milliseconds(100)

    /// The VIPs, in the order of the configuration.
    public private(set) var entries: [Entry] = []
    /// The place of each VIP in ``entries``, by address.
    private var places: [IPv6Address: Int] = [:]
    /// The deadlines of the VIPs, by place. Every outcome and extension adds one; only the one that equals ``Entry/deadline``
    /// counts. An outdated one is never first, so that ``nextDeadline`` is right.
    private var deadlines = DeadlineQueue<Int>()
    /// The number of entries made so far.
    private var generation = 0

    public init() {}

    /// Whether the health of every VIP with a check is known, or its checker has stalled.
    public var isDecided: Bool { entries.allSatisfy { $0.vip.check == nil || $0.health != .unknown } }

    /// The addresses to announce.
    public var announced: [IPv6Address] { entries.filter(\.isAnnounced).map(\.vip.address) }

    /// The prefixes to announce together with ``announced``.
    public var announcedPrefixes: [AdvertisedPrefix] { entries.filter(\.isAnnounced).flatMap(\.vip.prefixes) }

    /// When ``Event/timer`` is due next.
    public var nextDeadline: Instant? { deadlines.first }

    /// The VIP with this address; `nil` if there is none.
    public func entry(of address: IPv6Address) -> Entry? { places[address].map { entries[$0] } }

    /// Sets the VIPs of the configuration. One that has not changed keeps its checker. An announced one that has changed stays
    /// announced, until its new check has failed ``HealthCheck/fall`` times in a row or its new checker has stalled.
    public mutating func configure(_ vips: [VIP], at now: Instant) -> [Action] {
        var actions: [Action] = []
        let previous = self
        places = Dictionary(vips.indices.map { (vips[$0].address, $0) }) { first, _ in first }
        for entry in entries {
            let new = places[entry.vip.address].map { vips[$0] }
            guard new != entry.vip else { continue }
            if entry.vip.check != nil { actions.append(.stopChecking(entry.id)) }
            guard entry.isAnnounced, new == nil else { continue }
            actions.append(.withdraw(entry.vip, reason: "no longer configured"))
        }
        entries = vips.map { vip in
            let old = previous.entry(of: vip.address)
            if let old, old.vip == vip { return old }
            generation += 1
            var entry = Entry(vip: vip, since: old?.since ?? now, generation: generation)
            if let check = vip.check {
                if old?.isAnnounced == true { entry.health = .healthy(failures: 0) }
                entry.deadline = now + check.lifetime
                actions.append(.startChecking(entry.id, check))
            } else if old?.isAnnounced != true {
                actions.append(.announce(vip))
            }
            return entry
        }
        deadlines = DeadlineQueue()
        for index in entries.indices { setDeadline(of: index, entries[index].deadline) }
        return actions
    }

    /// Handles an event. An outcome of a checker that was stopped is ignored.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .checked(let id, let outcome):
            guard let index = places[id.address], entries[index].id == id else { return [] }
            actions = record(outcome, index, at: now)
        case .timer:
            while let index = deadlines.popDue(at: now) { actions += expire(index, at: now) }
        }
        dropOutdatedDeadlines()
        return actions
    }

    private mutating func setDeadline(of index: Int, _ deadline: Instant?) {
        entries[index].deadline = deadline
        if let deadline { deadlines.insert(index, at: deadline) }
    }

    /// Drops outdated deadlines before the first that counts; all outdated ones if there are more than two deadlines per VIP.
    private mutating func dropOutdatedDeadlines() {
        while let first = deadlines.first, let index = deadlines.popDue(at: first) {
            guard entries[index].deadline == first else { continue }
            deadlines.insert(index, at: first)
            break
        }
        guard deadlines.count > 2 * entries.count else { return }
        deadlines.compact { [entries] in entries[$0].deadline == $1 }
    }

    private mutating func record(_ outcome: CheckOutcome, _ index: Int, at now: Instant) -> [Action] {
        guard let check = entries[index].vip.check else { return [] }
        let before = entries[index]
        entries[index].checks += 1
        entries[index].lastCheck = now
        setDeadline(of: index, now + check.lifetime)
        entries[index].isOverdue = false
        switch outcome {
        case .success: entries[index].lastError = nil
        case .failure(let reason):
            entries[index].failures += 1
            entries[index].lastError = reason
        }
        entries[index].health.record(outcome, rise: check.rise, fall: check.fall)
        return transition(from: before, index, at: now, reason: entries[index].lastError ?? "")
    }

    /// Handles a deadline: extends it by ``grace`` the first time, then the checker has stalled.
    private mutating func expire(_ index: Int, at now: Instant) -> [Action] {
        guard let deadline = entries[index].deadline, deadline <= now else { return [] }
        // This thread may not have run for a while: outcomes that wait are handled before the checker counts as stalled.
        guard entries[index].isOverdue else {
            entries[index].isOverdue = true
            setDeadline(of: index, now + Self.grace)
            return []
        }
        let before = entries[index]
        setDeadline(of: index, nil)
        entries[index].health = .stalled
        return transition(from: before, index, at: now, reason: "its checker does not report")
    }

    /// Sets ``Entry/since``, and returns the action that follows from the change of the health, if any.
    private mutating func transition(from before: Entry, _ index: Int, at now: Instant, reason: String) -> [Action] {
        let entry = entries[index]
        if entry.health.isHealthy != before.health.isHealthy || before.health == .unknown || entry.health == .stalled {
            entries[index].since = now
        }
        // The first outcome has consequences even if it is a failure: an earlier run may have left the address.
        guard entry.isAnnounced != before.isAnnounced || before.health == .unknown else { return [] }
        return [entry.isAnnounced ? .announce(entry.vip) : .withdraw(entry.vip, reason: reason)]
    }
}

extension VIPTable.Entry {
    /// The checker of this entry.
    public var checkID: VIPTable.CheckID { id }

    var id: VIPTable.CheckID {
        VIPTable.CheckID(name: vip.name, address: vip.address, generation: generation)
    }
}
