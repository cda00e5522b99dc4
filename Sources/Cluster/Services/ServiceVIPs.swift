public import Addressing
public import OSPF

/// The addresses of services on this node, over time: one that is wanted no more becomes the last resort first, so that
/// new connections go elsewhere, and is withdrawn a while later.
public struct ServiceVIPs: Sendable {
    /// An address as it stands.
    public struct Entry: Hashable, Sendable {
        /// How it is announced.
        public fileprivate(set) var wish: Wish
        /// The services that have it, as `namespace/name`.
        public fileprivate(set) var services: [String]
        /// Since when it is announced so.
        public fileprivate(set) var since: Instant
        /// When it is withdrawn; `nil` while it is wanted.
        public fileprivate(set) var end: Instant?
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

    /// All addresses that are announced.
    public private(set) var entries: [IPv6Address: Entry] = [:]
    /// Those that are wanted no more: few of many.
    private var leaving: Set<IPv6Address> = []

    /// Makes an empty table.
    public init() {}

    /// When ``expire(at:)`` is wanted next.
    public var nextDeadline: Instant? { leaving.lazy.compactMap { entries[$0]?.end }.min() }

    /// Takes in what is wanted of one address now; `nil` is nothing.
    public mutating func set(
        _ address: IPv6Address, _ wish: Wish?, services: [String] = [], at now: Instant
    ) -> [Action] {
        guard var entry = entries[address] else {
            guard let wish else { return [] }
            entries[address] = Entry(wish: wish, services: services, since: now)
            return [.hold(address)]
        }
        let before = entry
        if let wish {
            entry.end = nil
            entry.services = services
            entry.wish = wish
            leaving.remove(address)
        } else if entry.end == nil {
            entry.end = now + Self.linger
            entry.wish = .lastResort
            leaving.insert(address)
        }
        if entry.wish != before.wish { entry.since = now }
        entries[address] = entry
        return []
    }

    /// Withdraws what has lingered for long enough.
    public mutating func expire(at now: Instant) -> [Action] {
        let over = leaving.filter { entries[$0]?.end.map { $0 <= now } ?? true }.sorted()
        for address in over { entries[address] = nil }
        leaving.subtract(over)
        return over.map(Action.release)
    }

    /// Withdraws an address at once.
    public mutating func remove(_ address: IPv6Address) -> [Action] {
        leaving.remove(address)
        return entries.removeValue(forKey: address).map { _ in [.release(address)] } ?? []
    }

    /// Withdraws everything, as at the end.
    public mutating func removeAll() -> [Action] {
        defer { (entries, leaving) = ([:], []) }
        return entries.keys.sorted().map(Action.release)
    }
}
