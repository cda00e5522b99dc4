internal import Addressing
public import Timing

/// Whether the service proxy of this node (such as kube-proxy) works, by the check `kubernetes.proxyCheck` of the
/// configuration. Until the check has passed once, no service address is announced. While it fails later, service addresses are
/// last resort. Without a check, the gate is always open.
public struct ServiceGate: Sendable {
    /// A table whose only entry is the check; empty before ``configure(_:at:)`` and without a check. ``VIPTable`` already
    /// implements rise, fall and stalled checkers.
    private var table = VIPTable()
    /// Whether the check has passed once, or there is none.
    public private(set) var hasOpened: Bool

    /// Makes a gate that is open if there is no check. ``configure(_:at:)`` starts the check.
    public init(check: HealthCheck?) { hasOpened = check == nil }

    /// Whether the service proxy works, or there is no check.
    public var isOpen: Bool { table.entries.isEmpty ? hasOpened : table.entries.allSatisfy(\.isAnnounced) }

    /// Why the service proxy does not work; `nil` if it works, and before the check is started.
    public var problem: String? {
        guard !isOpen, let entry = table.entries.first else { return nil }
        switch entry.health {
        case .stalled: return "its checker does not report"
        case .unhealthy: return entry.lastError ?? "its check has not passed often enough in a row yet"
        case .unknown, .healthy: return entry.lastError ?? "not checked yet"
        }
    }

    /// When ``VIPTable/Event/timer`` is due next.
    public var nextDeadline: Instant? { table.nextDeadline }

    /// Sets the check, `nil` for none. Returns which checkers to start and to stop.
    public mutating func configure(_ check: HealthCheck?, at now: Instant) -> [VIPTable.Action] {
        // The address `::`, which no VIP can have, distinguishes this check from those of VIPs.
        let entry = check.map { [VIP(name: "service proxy", address: .unspecified, check: $0)] } ?? []
        return table.configure(entry, at: now).filter { action in
            switch action {
            case .startChecking, .stopChecking: true
            // The entry is no VIP: there is no address to announce.
            case .announce, .withdraw: false
            }
        }
    }

    /// Handles an event. Outcomes of other checks, those of VIPs, are ignored.
    public mutating func handle(_ event: VIPTable.Event, at now: Instant) {
        // The table's actions would announce and withdraw the entry, which is no VIP.
        _ = table.handle(event, at: now)
        if isOpen { hasOpened = true }
    }
}
