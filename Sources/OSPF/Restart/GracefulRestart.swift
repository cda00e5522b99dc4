public import OSPFPacket
public import Timing

/// How a router takes part in graceful restarts (RFC 3623, RFC 5187).
public struct GracefulRestartOptions: Hashable, Sendable {
    /// Whether the links of neighbors that announce a restart are held (helper mode).
    public var helps = true
    /// Whether a changed LSA that would be flooded to the restarting neighbor ends helper mode (RFC 3623 §3.2 (3)): its
    /// forwarding may not fit the new topology.
    public var checksLSAsStrictly = true
    /// How long neighbors are asked to wait for this router when it stops for a restart, 1 s to ``longestPeriod``; `nil` if no
    /// restart is announced.
    public var period: Duration? = .seconds(120)

    /// The longest grace period that is announced or accepted (RFC 3623 §B.1: LSRefreshTime).
    public static let longestPeriod = Duration.seconds(1800)

    /// The defaults.
    public init() {}
}

/// A restart that a neighbor has announced, while we help (RFC 3623 §3).
public struct AnnouncedRestart: Hashable, Sendable {
    /// When the grace period ends.
    public var until: Instant
    /// The reason in the grace-LSA.
    public var reason: GraceLSA.Reason
}

/// Why a grace-LSA is not followed. The raw value is the label in the metrics.
public enum GraceRefusal: String, Hashable, Sendable, CaseIterable {
    /// Helper mode is off.
    case disabled
    /// This router resumes an earlier run itself (RFC 3623 §3.1 (5)).
    case restarting
    /// From a router that is no neighbor on the link.
    case unknownNeighbor = "unknown_neighbor"
    /// The neighbor is not Full, and its link is not held (§3.1 (1)).
    case notFull = "not_full"
    /// The link has a designated router; its adjacencies are not held.
    case broadcast
    /// Without a period or a reason, with period 0 or a reason that is not assigned.
    case malformed
    /// The grace period is over (§3.1 (3)).
    case expired
    /// The neighbor has not acknowledged changes (§3.1 (2)).
    case pendingChanges = "pending_changes"
}

/// Why helper mode ended (RFC 3623 §3.2). The raw value is the label in the metrics.
public enum HelperExit: String, Hashable, Sendable, CaseIterable {
    /// The neighbor flushed its grace-LSA, and is Full.
    case completed
    /// The neighbor flushed its grace-LSA, and is not Full.
    case abandoned
    /// The grace period is over.
    case expired
    /// An LSA changed that would be flooded to the neighbor.
    case topologyChanged = "topology_changed"
    /// Echo requests or BFD find that the neighbor has failed.
    case unresponsive
    /// The neighbor has another interface ID or does not announce the link.
    case replaced
    /// The neighbor was removed, for example because the interface went down.
    case removed
}

extension GraceLSA.Reason {
    /// The reason in a few words, for logs and tables.
    public var text: String {
        switch self {
        case .unknown: "not planned"
        case .softwareRestart: "software restart"
        case .softwareReload: "software reload"
        case .redundantProcessor: "another processor takes over"
        }
    }
}

/// What became of a neighbor's announcement of a restart, for the log.
public enum RestartNotice: Hashable, Sendable {
    /// Its link is held for so long.
    case helping(Duration, GraceLSA.Reason)
    /// The link is not held because of the announcement any more.
    case ended(HelperExit)
    /// The grace-LSA is not followed.
    case refused(GraceRefusal)
}
