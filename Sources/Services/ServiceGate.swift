internal import Addressing
public import Timing

/// Whether connections to services are delivered on this node, as far as that is checked. Until the check has passed once, no
/// service is announced; when it fails later, this node becomes the last that is taken, as what is delivered still is.
public struct ServiceGate: Sendable {
    /// A table of one: it knows of rising, falling and checkers that stall.
    private var table = VIPTable()
    /// Whether it was ever open.
    public private(set) var hasOpened: Bool

    /// Makes one; without a check it is open.
    public init(check: HealthCheck?) { hasOpened = check == nil }

    /// Whether services are delivered.
    public var isOpen: Bool { table.entries.isEmpty ? hasOpened : table.entries.allSatisfy(\.isAnnounced) }

    /// Why not.
    public var problem: String? {
        guard !isOpen, let entry = table.entries.first else { return nil }
        return entry.health == .stalled ? "its checker has stalled" : entry.lastError ?? "not checked yet"
    }

    /// When ``VIPTable/Event/timer`` is wanted next.
    public var nextDeadline: Instant? { table.nextDeadline }

    /// Begins, or ends, to check.
    public mutating func configure(_ check: HealthCheck?, at now: Instant) -> [VIPTable.Action] {
        // No VIP of the configuration can have this name.
        table.configure(check.map { [VIP(name: "service proxy", address: .unspecified, check: $0)] } ?? [], at: now)
    }

    /// Takes in what may concern it.
    public mutating func handle(_ event: VIPTable.Event, at now: Instant) -> [VIPTable.Action] {
        let actions = table.handle(event, at: now)
        if isOpen { hasOpened = true }
        return actions
    }
}
