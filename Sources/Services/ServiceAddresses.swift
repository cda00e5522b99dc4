public import Addressing
internal import OSPF
public import Timing

/// The service addresses of this node over time. An address without demand first becomes last resort, so that new connections
/// go to other nodes, and is withdrawn after ``linger``. An address that flaps stays last resort until it is stable
/// (``FlapDamping``). The states follow from the demand and time alone: what a drain or the ``ServiceGate`` requires, the node
/// adds when it announces the addresses.
public struct ServiceAddresses: Sendable {
    /// The state of an address.
    public enum State: Hashable, Sendable {
        /// It is announced at its normal metric.
        case announced
        /// It is announced as last resort, as demanded.
        case lastResort
        /// It is announced as last resort until this time, because it flapped.
        case flapping(until: Instant)
        /// It is announced as last resort until this time and then withdrawn, because there is no demand.
        case leaving(until: Instant)

        /// When a timer changes the state; `nil` if none does.
        var deadline: Instant? {
            switch self {
            case .announced, .lastResort: nil
            case .flapping(let deadline), .leaving(let deadline): deadline
            }
        }

        /// Whether the demand is for the normal metric.
        fileprivate var isWanted: Bool {
            switch self {
            case .announced, .flapping: true
            case .lastResort, .leaving: false
            }
        }
    }

    /// The state of an address, and the services that want it.
    public struct Entry: Hashable, Sendable {
        public fileprivate(set) var state: State
        /// The services that want it, as `namespace/name`; while it is leaving, those that wanted it last.
        public fileprivate(set) var services: [String]
        /// When it last changed between the normal metric and last resort, or was added.
        public fileprivate(set) var since: Instant

        /// Whether it is announced as last resort.
        public var isLastResort: Bool { state != .announced }
    }

    /// What the caller must do, besides announcing ``entries``.
    public enum Action: Hashable, Sendable {
        /// Add the address to this node, before it is announced.
        case hold(IPv6Address)
        /// Remove it from this node, after it was withdrawn.
        case release(IPv6Address)
    }

    /// How long an address without demand stays last resort. Flows for which there is no other announcer are still served, and
    /// an endpoint that is back within this time causes no withdrawal.
    public static let linger = Duration.seconds(5)
    /// The maximum number of addresses with damping, twice the maximum that a node announces (``ServiceClaims/limit``); flaps
    /// of further addresses are not counted.
    private static let mostRemembered = 16_384

    /// All addresses to announce: those with demand, and those that linger.
    public private(set) var entries: [IPv6Address: Entry] = [:]
    /// The addresses whose state has a deadline: few among thousands.
    private var timed: Set<IPv6Address> = []
    /// The addresses that flapped lately.
    private var damping: [IPv6Address: FlapDamping] = [:]

    public init() {}

    /// When to call ``expire(at:)`` next.
    public var nextDeadline: Instant? { timed.lazy.compactMap { entries[$0]?.state.deadline }.min() }

    /// The addresses that ``expire(at:)`` would change at `now`.
    public func changing(at now: Instant) -> [IPv6Address] {
        timed.filter { entries[$0]?.state.deadline.map { $0 <= now } ?? true }.sorted()
    }

    /// Sets the demand for an address: its level, `nil` for no demand, and the services that want it.
    public mutating func set(
        _ address: IPv6Address, _ level: AnnouncementLevel?, services: [String] = [], at now: Instant
    ) -> [Action] {
        let before = entries[address]
        if before?.state.isWanted == true, level != .announce { noteFlap(of: address, at: now) }
        let state: State
        switch level {
        case .announce:
            let end = damping[address]?.end ?? now
            state = end > now ? .flapping(until: end) : .announced
        case .lastResort: state = .lastResort
        case nil:
            guard let before else { return [] }
            if case .leaving = before.state { return [] }
            state = .leaving(until: now + Self.linger)
        }
        var entry = before ?? Entry(state: state, services: services, since: now)
        let wasLastResort = entry.isLastResort
        entry.state = state
        if level != nil { entry.services = services }
        if entry.isLastResort != wasLastResort { entry.since = now }
        update(address, entry)
        return before == nil ? [.hold(address)] : []
    }

    private mutating func update(_ address: IPv6Address, _ entry: Entry?) {
        entries[address] = entry
        if entry?.state.deadline == nil { timed.remove(address) } else { timed.insert(address) }
    }

    private mutating func noteFlap(of address: IPv6Address, at now: Instant) {
        if damping.count >= Self.mostRemembered, damping[address] == nil {
            damping = damping.filter { !$0.value.isOver(at: now) }
            guard damping.count < Self.mostRemembered else { return }
        }
        damping[address, default: FlapDamping()].note(at: now)
    }

    /// Withdraws addresses whose time without demand is over, and announces stable addresses at their normal metric.
    public mutating func expire(at now: Instant) -> [Action] {
        var actions: [Action] = []
        for address in timed.filter({ entries[$0]?.state.deadline.map { $0 <= now } ?? true }).sorted() {
            guard var entry = entries[address], case .flapping = entry.state else {
                update(address, nil)
                actions.append(.release(address))
                continue
            }
            entry.state = .announced
            entry.since = now
            update(address, entry)
        }
        damping = damping.filter { !$0.value.isOver(at: now) }
        return actions
    }

    /// Withdraws an address at once.
    public mutating func remove(_ address: IPv6Address) -> [Action] {
        guard entries[address] != nil else { return [] }
        update(address, nil)
        return [.release(address)]
    }
}
