import Addressing
import OSPFPacket
internal import Timing

/// A neighbor (RFC 2328 §10): the contents of its hellos, and the adjacency with it.
struct Neighbor: Sendable {
    let routerID: RouterID
    /// From its last hello, as are all members up to `backupDesignatedRouter`. (The exchange also sets `options`.)
    var interfaceID: UInt32
    var address: IPv6Address
    var priority: UInt8
    var options: OSPFOptions
    var designatedRouter: RouterID
    var backupDesignatedRouter: RouterID

    /// When it entered its state.
    var since: Instant
    var stateChanges = 0
    var lastFallback: NeighborFallback?
    /// When it is removed unless a hello is received.
    var inactivityDeadline: Instant
    /// When a point-to-point neighbor that became Full must announce the link with us (`Router+UnannouncedLink.swift`); `nil` once it
    /// does, and if it is not Full.
    var announcementDeadline: Instant?
    /// A point-to-point neighbor has left Full, and the link with it stays announced and in use. `nil` if the link is not held.
    var held: HeldLink?
    /// The restart that it has announced, while we help (`Router+Helper.swift`).
    var restart: AnnouncedRestart?

    /// Since when it does not answer (``RouterEvent/neighborLiveness(interface:address:isAlive:isListed:)``); `nil` if it does, or if
    /// nothing is known. Meanwhile it stays in state Init.
    var unresponsiveSince: Instant?
    /// Whether our hellos list it.
    var isListed = true
    /// Since when all its hellos have listed us, without a gap, while it does not answer; and the last of them.
    var listsUs: (since: Instant, last: Instant)?
    /// Whether it hears us: its last hello lists us, or it has sent a database description since.
    var isTwoWay = false
    /// The adjacency, from ExStart on.
    var adjacency: Adjacency?
    /// The DD sequence number (RFC 2328 §10): that of our current description. It counts on from one exchange to the next, so
    /// that descriptions of an earlier exchange do not fit.
    var sequenceNumber: UInt32
    /// The sequence number with which the neighbor began its latest exchange, to recognize late copies of that description.
    var firstDescriptionNumber: UInt32?
    /// The last MTU in its database descriptions that is neither ours nor 0; `nil` if none was, and again when the neighbor
    /// becomes Full.
    var mismatchedMTU: Int?
    /// Whether packets to it must fit ``AdjacencyContext/smallestMTU``, because something was lost.
    var usesSmallPackets = false

    var state: NeighborState { adjacency?.state ?? (isTwoWay ? .twoWay : .initial) }

    /// Whether a point-to-point link with it is announced and used.
    var isLinked: Bool { state == .full || held != nil }

    /// Whether nothing is under way between us: no exchange, and nothing unacknowledged.
    var isQuiet: Bool {
        guard let adjacency else { return true }
        return adjacency.state == .full && adjacency.requests.isEmpty && adjacency.retransmissions.isEmpty
    }

    /// The earliest moment at which something is due.
    var nextDeadline: Instant {
        var earliest = inactivityDeadline
        if let moment = held?.until { earliest = min(earliest, moment) }
        if let moment = restart?.until { earliest = min(earliest, moment) }
        if let moment = announcementDeadline { earliest = min(earliest, moment) }
        if let moment = adjacency?.nextDeadline { earliest = min(earliest, moment) }
        return earliest
    }

    /// How the rest of the router uses a neighbor; a change causes originations and a route calculation.
    struct Use: Hashable {
        /// ``Neighbor/isLinked``.
        var isLinked = false
        /// ``Interface/isUsable(_:)``.
        var isUsable = false
    }
}
