public import Addressing
internal import OSPF
public import Timing

/// The addresses of services on this node, over time: one that is wanted no more becomes the last resort first, so that
/// new connections go elsewhere, and is withdrawn a while later. One that comes and goes stays the last resort until it has
/// come to rest (``FlapDamping``).
public struct ServiceVIPs: Sendable {
    /// How an address stands.
    public enum Standing: Hashable, Sendable {
        /// It is announced as any other.
        case announced
        /// It is announced as the last that is taken, as is wished.
        case lastResort
        /// The same until then, because it came and went.
        case flapping(until: Instant)
        /// The same, and withdrawn then, as it is wanted no more.
        case leaving(until: Instant)

        /// When it changes by itself.
        var deadline: Instant? {
            switch self {
            case .announced, .lastResort: nil
            case .flapping(let deadline), .leaving(let deadline): deadline
            }
        }

        /// Whether it is wanted as any other is.
        fileprivate var isWanted: Bool {
            switch self {
            case .announced, .flapping: true
            case .lastResort, .leaving: false
            }
        }
    }

    /// An address as it stands.
    public struct Entry: Hashable, Sendable {
        /// How it stands.
        public fileprivate(set) var standing: Standing
        /// The services that have it, as `namespace/name`.
        public fileprivate(set) var services: [String]
        /// Since when it is announced as it is.
        public fileprivate(set) var since: Instant

        /// Whether it is announced as the last that is taken.
        public var isLastResort: Bool { standing != .announced }
    }

    /// What is to be done, beside announcing what ``entries`` holds.
    public enum Action: Hashable, Sendable {
        /// Put the address on this node, before it is announced.
        case hold(IPv6Address)
        /// Take it from this node, after others were told.
        case release(IPv6Address)
    }

    /// How long an address that is wanted no more stays the last resort.
    public static let linger = Duration.seconds(5)
    /// Addresses whose coming and going is remembered at most; of more than that, it has no consequences.
    private static let mostRemembered = 16_384

    /// All addresses that are announced.
    public private(set) var entries: [IPv6Address: Entry] = [:]
    /// Those that change by themselves: few of many.
    private var passing: Set<IPv6Address> = []
    /// Those that went lately.
    private var damping: [IPv6Address: FlapDamping] = [:]

    public init() {}

    /// When ``expire(at:)`` is wanted next.
    public var nextDeadline: Instant? { passing.lazy.compactMap { entries[$0]?.standing.deadline }.min() }

    /// The addresses that ``expire(at:)`` would change.
    public func changing(at now: Instant) -> [IPv6Address] {
        passing.filter { entries[$0]?.standing.deadline.map { $0 <= now } ?? true }.sorted()
    }

    /// Takes in what is wanted of one address now; `nil` is nothing.
    public mutating func set(
        _ address: IPv6Address, _ wish: Wish?, services: [String] = [], at now: Instant
    ) -> [Action] {
        let before = entries[address]
        if before?.standing.isWanted == true, wish != .announce { noteFlap(of: address, at: now) }
        let standing: Standing
        switch wish {
        case .announce:
            let end = damping[address]?.end ?? now
            standing = end > now ? .flapping(until: end) : .announced
        case .lastResort: standing = .lastResort
        case nil:
            guard let before else { return [] }
            if case .leaving = before.standing { return [] }
            standing = .leaving(until: now + Self.linger)
        }
        var entry = before ?? Entry(standing: standing, services: services, since: now)
        let wasLastResort = entry.isLastResort
        entry.standing = standing
        if wish != nil { entry.services = services }
        if entry.isLastResort != wasLastResort { entry.since = now }
        update(address, entry)
        return before == nil ? [.hold(address)] : []
    }

    private mutating func update(_ address: IPv6Address, _ entry: Entry?) {
        entries[address] = entry
        if entry?.standing.deadline == nil { passing.remove(address) } else { passing.insert(address) }
    }

    private mutating func noteFlap(of address: IPv6Address, at now: Instant) {
        if damping.count >= Self.mostRemembered, damping[address] == nil {
            damping = damping.filter { !$0.value.isOver(at: now) }
            guard damping.count < Self.mostRemembered else { return }
        }
        damping[address, default: FlapDamping()].note(at: now)
    }

    /// Withdraws what has lingered for long enough, and announces what has come to rest.
    public mutating func expire(at now: Instant) -> [Action] {
        var actions: [Action] = []
        for address in passing.filter({ entries[$0]?.standing.deadline.map { $0 <= now } ?? true }).sorted() {
            guard var entry = entries[address], case .flapping = entry.standing else {
                update(address, nil)
                actions.append(.release(address))
                continue
            }
            entry.standing = .announced
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

    /// Withdraws everything, as at the end.
    public mutating func removeAll() -> [Action] {
        defer { (entries, passing, damping) = ([:], [], [:]) }
        return entries.keys.sorted().map(Action.release)
    }
}
