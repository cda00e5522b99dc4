import Addressing
import OSPFPacket
internal import Timing

/// A neighbor (RFC 2328 §10): the contents of its hellos, and the adjacency with it.
struct Neighbor: Sendable {
    let routerID: RouterID
    var interfaceID: UInt32
    var address: IPv6Address
    var priority: UInt8
    var options: OSPFOptions
    var designatedRouter: RouterID
    var backupDesignatedRouter: RouterID

    var since: Instant
    var stateChanges = 0
    var lastFallback: NeighborFallback?
    var inactivityDeadline: Instant
    /// The neighbor was full and restarts: until this time, the link with it stays as it is (``Router/holdLink``).
    var heldUntil: Instant?

    /// Whether its hellos list us.
    var isTwoWay = false
    /// The adjacency, from ExStart on, with everything that is still to be sent.
    var adjacency: Adjacency?
    /// The sequence number of the next description. It continues from one adjacency to the next.
    var sequenceNumber: UInt32
    /// The sequence number with which the neighbor began its latest exchange.
    var firstDescriptionNumber: UInt32?
    /// The MTU in its database descriptions, if it differs from ours, until an exchange succeeds.
    var mismatchedMTU: Int?
    /// Whether packets to it are no larger than every link allows, because something was lost.
    var usesSmallPackets = false

    var state: NeighborState { adjacency?.state ?? (isTwoWay ? .twoWay : .initial) }

    /// Whether a point-to-point link with it is announced and used.
    var isLinked: Bool { state == .full || heldUntil != nil }

    /// Whether nothing is under way between us: no exchange, and nothing unacknowledged.
    var isQuiet: Bool {
        guard let adjacency else { return true }
        return adjacency.state == .full && adjacency.requests.isEmpty && adjacency.retransmissions.isEmpty
    }

    /// The earliest moment at which something is due.
    var nextDeadline: Instant {
        var earliest = inactivityDeadline
        if let moment = heldUntil { earliest = min(earliest, moment) }
        if let moment = adjacency?.nextDeadline { earliest = min(earliest, moment) }
        return earliest
    }

    /// Whether our LSAs announce the link with a neighbor, and whether routes may use it.
    struct Use: Hashable {
        var isLinked = false
        var isUsable = false
    }
}
