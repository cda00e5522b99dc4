public import Addressing
public import OSPF
public import Timing

/// The VIPs of this node: which of them it should hold now, and why. A value: events in, actions out.
public struct VIPTable: Sendable {
    /// One VIP as it stands.
    public struct Entry: Hashable, Sendable {
        /// What the configuration says.
        public let vip: VIP
        /// What is believed of its service; of no meaning without a check.
        public fileprivate(set) var health = Health.unknown
        /// When the belief last changed.
        public fileprivate(set) var since: Instant
        /// When the latest outcome came.
        public fileprivate(set) var lastCheck: Instant?
        /// Why the latest try failed, if it did.
        public fileprivate(set) var lastError: String?
        /// Tries so far.
        public fileprivate(set) var checks = 0
        /// Failed tries so far.
        public fileprivate(set) var failures = 0
        /// Tells the checker of this entry from those of earlier ones with its name.
        fileprivate let generation: Int
        /// When the latest outcome is too old to count.
        fileprivate var deadline: Instant?
        /// Whether that has come, and waits for outcomes that may be on their way.
        fileprivate var isOverdue = false

        /// Whether this node should hold and announce the address.
        public var isAnnounced: Bool { vip.check == nil || health.isHealthy }
    }

    /// What can happen.
    public enum Event: Hashable, Sendable {
        /// A checker reports.
        case checked(CheckID, CheckOutcome)
        /// The moment ``VIPTable/nextDeadline`` has come.
        case timer
    }

    /// Names a running checker.
    public struct CheckID: Hashable, Sendable {
        /// The VIP's name.
        public let name: String
        fileprivate let generation: Int
    }

    /// What is to be done.
    public enum Action: Hashable, Sendable {
        /// Put the address on this node and announce it.
        case announce(VIP)
        /// Announce it no more and take it from this node.
        case withdraw(VIP, reason: String)
        /// Begin to check, and report outcomes under the ID.
        case startChecking(CheckID, HealthCheck)
        /// Stop the checker of this ID.
        case stopChecking(CheckID)
    }

    /// How long outcomes that may wait somewhere are given once the latest one is too old.
    public static let grace = Duration.milliseconds(100)

    /// In the order of the configuration.
    public private(set) var entries: [Entry] = []
    private var generation = 0

    public init() {}

    /// Whether something has been heard of every service.
    public var isDecided: Bool { entries.allSatisfy { $0.vip.check == nil || $0.health != .unknown } }

    /// The addresses to hold now.
    public var announced: [IPv6Address] { entries.filter(\.isAnnounced).map(\.vip.address) }

    /// What to announce together with them.
    public var announcedPrefixes: [AdvertisedPrefix] { entries.filter(\.isAnnounced).flatMap(\.vip.prefixes) }

    /// When ``Event/timer`` is wanted next.
    public var nextDeadline: Instant? { entries.compactMap(\.deadline).min() }

    /// Takes the VIPs of the configuration, all of them. One that has not changed goes on as it is; one whose check has
    /// changed keeps its address until the new check has spoken.
    public mutating func configure(_ vips: [VIP], at now: Instant) -> [Action] {
        var actions: [Action] = []
        for entry in entries where !vips.contains(entry.vip) {
            if entry.vip.check != nil { actions.append(.stopChecking(entry.id)) }
            guard entry.isAnnounced, !vips.contains(where: { $0.address == entry.vip.address }) else { continue }
            actions.append(.withdraw(entry.vip, reason: "not configured any more"))
        }
        let previous = entries
        entries = vips.map { vip in
            let old = previous.first { $0.vip.address == vip.address }
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
        return actions
    }

    /// Takes an event in and says what is to be done.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch event {
        case .checked(let id, let outcome):
            guard let index = entries.firstIndex(where: { $0.id == id }) else { return [] }
            return record(outcome, index, at: now)
        case .timer:
            return entries.indices.flatMap { expire($0, at: now) }
        }
    }

    private mutating func record(_ outcome: CheckOutcome, _ index: Int, at now: Instant) -> [Action] {
        guard let check = entries[index].vip.check else { return [] }
        let before = entries[index]
        entries[index].checks += 1
        entries[index].lastCheck = now
        entries[index].deadline = now + check.lifetime
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

    private mutating func expire(_ index: Int, at now: Instant) -> [Action] {
        guard let deadline = entries[index].deadline, deadline <= now else { return [] }
        // It may have been this thread that stood still, and outcomes wait to be taken in: they have their turn first.
        guard entries[index].isOverdue else {
            entries[index].isOverdue = true
            entries[index].deadline = now + Self.grace
            return []
        }
        let before = entries[index]
        entries[index].deadline = nil
        entries[index].health = .stalled
        return transition(from: before, index, at: now, reason: "its checker has stalled")
    }

    private mutating func transition(from before: Entry, _ index: Int, at now: Instant, reason: String) -> [Action] {
        let entry = entries[index]
        if entry.health.isHealthy != before.health.isHealthy || before.health == .unknown || entry.health == .stalled {
            entries[index].since = now
        }
        // The first outcome is told even if it is bad: an earlier run may have left the address.
        guard entry.isAnnounced != before.isAnnounced || before.health == .unknown else { return [] }
        return [entry.isAnnounced ? .announce(entry.vip) : .withdraw(entry.vip, reason: reason)]
    }
}

extension VIPTable.Entry {
    /// The checker of this entry.
    public var checkID: VIPTable.CheckID { id }

    var id: VIPTable.CheckID { VIPTable.CheckID(name: vip.name, generation: generation) }
}
