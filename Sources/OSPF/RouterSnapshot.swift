public import Addressing
public import OSPFPacket
public import Timing

/// The state of an interface.
public struct InterfaceSnapshot: Hashable, Sendable {
    /// Its configuration.
    public var configuration: InterfaceConfiguration
    /// The kind in use. A passive or standby interface uses none: here it has the configured one, which may be `auto`.
    public var effectiveKind: InterfaceConfiguration.Kind
    /// Its state.
    public var state: InterfaceState
    /// The designated router; ``RouterID/none`` where there is none.
    public var designatedRouter: RouterID
    /// The backup; ``RouterID/none`` where there is none.
    public var backupDesignatedRouter: RouterID
    /// The number of neighbors, in any state.
    public var neighborCount: Int
    /// Neighbors in state Full.
    public var fullNeighborCount: Int
    /// LSAs waiting to be sent for the first time.
    public var queuedLSAs: Int
    /// The active interface of this router on the same link, if this one is on standby.
    public var standbyFor: UInt32?
    /// Hellos that do not match ours, one of each sender, in the order of router IDs. Some may be past their deadline.
    public var mismatches: [HelloMismatch]
}

/// The state of a neighbor.
public struct NeighborSnapshot: Hashable, Sendable {
    /// Our interface toward it.
    public var interface: UInt32
    /// Its router ID.
    public var routerID: RouterID
    /// The interface ID that it uses for its end of the link.
    public var interfaceID: UInt32
    /// Its link-local address.
    public var address: IPv6Address
    /// Its priority for becoming designated router.
    public var priority: UInt8
    /// Its options.
    public var options: OSPFOptions
    /// Its state.
    public var state: NeighborState
    /// When it entered this state.
    public var since: Instant
    /// When it is removed unless a hello is received.
    public var inactivityDeadline: Instant
    /// The designated router in its view.
    public var designatedRouter: RouterID
    /// The backup in its view.
    public var backupDesignatedRouter: RouterID
    /// State changes since the first hello.
    public var stateChanges: Int
    /// LSAs that it must acknowledge; some may still wait to be sent.
    public var retransmissionCount: Int
    /// The first retransmission since one of these LSAs was last acknowledged, replaced or removed; `nil` if there was none.
    public var unacknowledgedSince: Instant?
    /// LSAs that it has described and we still lack, requested or not.
    public var requestCount: Int
    /// The last change to an earlier state, and why; `nil` if there was none.
    public var lastFallback: NeighborFallback?
    /// The last MTU in its database descriptions that is neither ours nor 0; `nil` if none was, and again when the neighbor
    /// becomes Full.
    public var mismatchedMTU: Int?
    /// The restart that it has announced, while we help; `nil` if there is none.
    public var restart: AnnouncedRestart?
    /// Until when the link with it stays announced although it is not Full; `nil` if the link is not held.
    public var heldUntil: Instant?
}

/// One LSA of the database.
public struct DatabaseEntrySnapshot: Hashable, Sendable {
    /// The interface whose link it belongs to, for link-local scope; else `nil`.
    public var interface: UInt32?
    /// The LSA with its current age.
    public var lsa: LSA
    /// When it was installed.
    public var installed: Instant
    /// Whether the advertising router is this one. An earlier run, or another router with our ID, may have originated the LSA.
    public var isOwn: Bool
}

/// Counters since the router was made; they only grow.
public struct RouterStatistics: Hashable, Sendable {
    /// Packets sent, by type (index 1–5; index 0 is unused).
    public var packetsSent = [UInt64](repeating: 0, count: 6)
    /// Packets of other routers that passed the checks of the header (RFC 5340 §4.2.2), by type (index 1–5; index 0 is
    /// unused). Packets on standby interfaces do not count.
    public var packetsReceived = [UInt64](repeating: 0, count: 6)
    /// Packets rejected because they did not decode, by reason.
    public var decodingErrors: [DecodingError: UInt64] = [:]
    /// Packets and LSAs rejected for other reasons, by reason.
    public var rejections: [RejectionReason: UInt64] = [:]
    /// LSAs retransmitted because no acknowledgment was received.
    public var lsaRetransmissions: UInt64 = 0
    /// Instances of own LSAs originated, refreshes included.
    public var lsaOriginations: UInt64 = 0
    /// Newer instances received and installed, also of own LSAs. A flush of an LSA that we did not have counts only during a
    /// database exchange.
    public var lsasInstalled: UInt64 = 0
    /// Neighbor state changes, except from Down to Init with the first hello.
    public var neighborStateChanges: UInt64 = 0
    /// Route calculations.
    public var routeCalculations: UInt64 = 0

    /// How often helper mode began (RFC 3623 §3).
    public var helperEntries: UInt64 = 0
    /// How often helper mode ended, by cause.
    public var helperExits: [HelperExit: UInt64] = [:]
    /// Grace-LSAs that were not followed, by cause.
    public var graceRefusals: [GraceRefusal: UInt64] = [:]

    public init() {}
}

/// Why a packet or LSA was rejected, if not because of a ``DecodingError`` of the packet. The raw value is the label of the
/// case in the metrics.
public enum RejectionReason: String, Hashable, Sendable, CaseIterable {
    /// No such interface, or it is down or passive.
    case interface
    /// Another area.
    case area
    /// Another instance.
    case instance
    /// Not to an address this interface listens to, or not from a link-local address.
    case address
    /// Our own router ID, or 0.
    case routerID
    /// Timers or options that must agree do not, or the sender has our link-local address.
    case helloMismatch
    /// From a router that is not a neighbor on this interface, or from another address than the neighbor's.
    case unknownNeighbor
    /// The neighbor's state does not allow it.
    case neighborState
    /// A database description with a larger MTU than ours.
    case mtu
    /// A limit on LSAs or neighbors (``RouterLimits``) was reached, or a hello would have replaced a neighbor too soon after
    /// the last replacement on the interface.
    case limit
    /// An LSA with a reserved scope, or with advertising router 0.
    case lsaScope
    /// An LSA whose body does not decode.
    case lsaBody
    /// An LSA whose checksum is wrong.
    case lsaChecksum
    /// A newer instance that arrived too soon (MinLSArrival), after a burst of such instances was accepted.
    case lsaTooSoon
}
