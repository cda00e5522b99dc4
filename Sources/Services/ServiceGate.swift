internal import Addressing
public import Timing

/// Whether the service proxy of this node works, if there is a check. Until the check has passed once, no service address is
/// announced. When it fails later, service addresses become last resort.
public struct ServiceGate: Sendable {
    /// A table with one entry, or none before ``configure(_:at:)`` and without a check: it implements rise, fall and
    /// stalled checkers.
    private var table = VIPTable()
    /// Whether the check has passed once, or there is none.
    public private(set) var hasOpened: Bool

    /// Without a check it is open.
    public init(check: HealthCheck?) { hasOpened = check == nil }

    /// Whether the service proxy works.
    public var isOpen: Bool { table.entries.isEmpty ? hasOpened : table.entries.allSatisfy(\.isAnnounced) }

    /// Why the service proxy does not work; `nil` if it works.
    public var problem: String? {
        guard !isOpen, let entry = table.entries.first else { return nil }
        return entry.health == .stalled ? "its checker does not report" : entry.lastError ?? "not checked yet"
    }

    /// When ``VIPTable/Event/timer`` is due next.
    public var nextDeadline: Instant? { table.nextDeadline }

    /// Starts or stops the check.
    public mutating func configure(_ check: HealthCheck?, at now: Instant) -> [VIPTable.Action] {
        // The address `::`, which no VIP can have, distinguishes this check from those of VIPs.
        table.configure(check.map { [VIP(name: "service proxy", address: .unspecified, check: $0)] } ?? [], at: now)
    }

    /// Handles an event that may concern it.
    public mutating func handle(_ event: VIPTable.Event, at now: Instant) -> [VIPTable.Action] {
        let actions = table.handle(event, at: now)
        if isOpen { hasOpened = true }
        return actions
    }
}
