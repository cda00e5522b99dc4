public import Addressing

/// An action that the router requests from its environment.
public enum RouterEffect: Sendable {
    /// Send these octets as IP protocol 89 with hop limit 1. They include the checksum.
    case send(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8])
    /// Join (`joined`) or leave a multicast group on an interface. AllSPFRouters is joined while the interface is up and not
    /// passive, AllDRouters while this router is designated or backup there.
    case membership(interface: UInt32, group: IPv6Address, joined: Bool)
    /// Routes changed.
    case routes(RouteTableUpdate)
    /// Write this to the log.
    case notice(Notice)
    /// The router ID was changed because another router has it too (RFC 7503 §7). It should be saved.
    case routerIDChanged(RouterID)
}

extension IPv6Address {
    /// `ff02::5`, AllSPFRouters (RFC 5340 §A.1).
    public static let allSPFRouters = IPv6Address(0xff02, 0, 0, 0, 0, 0, 0, 5)
    /// `ff02::6`, AllDRouters (RFC 5340 §A.1).
    public static let allDRouters = IPv6Address(0xff02, 0, 0, 0, 0, 0, 0, 6)
}

/// What the router reports to people: a change of state, a mismatch, a limit.
public enum Notice: Hashable, Sendable {
    /// A neighbor went from one state to another.
    case neighborState(
        interface: UInt32, neighbor: RouterID, from: NeighborState, to: NeighborState, reason: NeighborChangeReason)
    /// What made a neighbor fall back to an earlier state. Follows the ``neighborState`` of the same change.
    case neighborFault(
        interface: UInt32, neighbor: RouterID, from: NeighborState, to: NeighborState, fault: NeighborFault)
    /// An interface went from one state to another.
    case interfaceState(interface: UInt32, from: InterfaceState, to: InterfaceState)
    /// An interface is on the same link as another one of this router, which is active for both (RFC 5340 §4.9). This
    /// one is on standby, and takes over when the other fails.
    case standby(interface: UInt32, active: UInt32)
    /// An `auto` interface has a second neighbor and is broadcast from now on.
    case becameBroadcast(interface: UInt32)
    /// An `auto` interface has a neighbor that elects a designated router, and is broadcast from now on.
    case followsElection(interface: UInt32, neighbor: RouterID)
    /// An `auto` interface is point-to-point again: its only neighbor elects no designated router, or it has no neighbor.
    case becamePointToPoint(interface: UInt32)
    /// The MTU in the neighbor's database descriptions is not that of our interface; both in octets. The end with the smaller
    /// MTU rejects the descriptions of the other (RFC 2328 §10.6).
    case mtuMismatch(interface: UInt32, neighbor: RouterID, theirs: Int, ours: Int)
    /// Hellos that do not match ours are received, so no adjacency forms; see ``HelloMismatch`` for the values (RFC 5340
    /// §4.2.2, §4.2.2.1).
    case helloMismatch(interface: UInt32, neighbor: RouterID, field: HelloField, theirs: Int, ours: Int)
    /// Another router uses our router ID. `seenOn` is the interface on which its packet was received; `nil` if it was
    /// detected by its LSAs. If `weYield`, this router changes its own ID.
    case duplicateRouterID(RouterID, seenOn: UInt32?, weYield: Bool)
    /// Several routers announce one prefix that should belong to one node: neither a single address nor a default.
    case duplicatePrefix(IPv6Prefix, routers: [RouterID])
    /// A database exchange made no progress and restarts.
    case exchangeStalled(interface: UInt32, neighbor: RouterID, state: NeighborState)
    /// A neighbor does not answer, and all its hellos have listed us for longer than the dead interval: it hears us, so only the
    /// answers are missing. `isCertain` after three times as long, when losses cannot explain that any more.
    case unresponsiveNeighborHearsUs(interface: UInt32, address: IPv6Address, isCertain: Bool)
    /// A neighbor has announced a restart.
    case restart(interface: UInt32, neighbor: RouterID, RestartNotice)
    /// A limit was reached, and something was refused.
    case limitReached(Limit)

    /// A field in which two hellos must agree, except for ``linkLocalAddress``.
    public enum HelloField: String, Hashable, Sendable {
        /// HelloInterval.
        case helloInterval
        /// RouterDeadInterval.
        case deadInterval
        /// The E and N bits of the options.
        case areaType
        /// The area ID.
        case area
        /// The instance ID.
        case instanceID
        /// The link-local address, which must differ: the sender's is that of our interface. Both values are 0.
        case linkLocalAddress
    }

    /// The limit that was reached.
    public enum Limit: String, Hashable, Sendable, CaseIterable {
        /// ``RouterLimits/lsas`` or ``RouterLimits/lsaOctets``.
        case database
        /// ``RouterLimits/neighborsPerInterface``.
        case neighbors
        /// ``RouterLimits/prefixes``, ``RouterLimits/announcersPerPrefix`` or ``RouterLimits/announcements``.
        case prefixes
    }
}

/// The states of an interface (RFC 2328 §9.1).
public enum InterfaceState: String, Hashable, Sendable, Codable {
    /// Not one of the router's interfaces, so only in notices.
    case down = "Down"
    /// Listening for a designated router before the first election.
    case waiting = "Waiting"
    /// In use as a point-to-point link.
    case pointToPoint = "PointToPoint"
    /// Neither designated nor backup.
    case drOther = "DROther"
    /// Backup designated router.
    case backup = "Backup"
    /// Designated router.
    case designated = "DR"
    /// Silent, because another interface of this router is active on the link (RFC 5340 §4.9).
    case standby = "Standby"
    /// Without hellos and neighbors.
    case passive = "Passive"
}

/// The states of a neighbor (RFC 2328 §10.1), in their order.
public enum NeighborState: Int, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// No recent hello. Such a router is not stored as a neighbor, so this state is only in notices.
    case down
    /// Its hellos do not list this router.
    case initial
    /// Communication is bidirectional; no adjacency is wanted.
    case twoWay
    /// Negotiating the master of the database exchange.
    case exStart
    /// Describing databases.
    case exchange
    /// Requesting missing LSAs.
    case loading
    /// Databases agree.
    case full

    /// Earlier first.
    public static func < (left: NeighborState, right: NeighborState) -> Bool { left.rawValue < right.rawValue }
    /// The RFC's name of the state.
    public var description: String {
        switch self {
        case .down: "Down"
        case .initial: "Init"
        case .twoWay: "2-Way"
        case .exStart: "ExStart"
        case .exchange: "Exchange"
        case .loading: "Loading"
        case .full: "Full"
        }
    }
}

/// The event behind a neighbor's change of state (RFC 2328 §10.2).
public enum NeighborChangeReason: String, Hashable, Sendable {
    /// The first hello was received.
    case helloReceived
    /// Its hello lists us.
    case twoWayReceived
    /// Its hello does not list us any more.
    case oneWayReceived
    /// No hello for the dead interval from a neighbor that has announced its restart.
    case restarts
    /// Master and slave are negotiated.
    case negotiationDone
    /// The databases are described.
    case exchangeDone
    /// Nothing is missing.
    case loadingDone
    /// An adjacency is wanted now, or no longer; or the link has changed between point-to-point and broadcast.
    case adjacencyReconsidered
    /// A database description did not fit the exchange: out of sequence, after its end, with other flags or options, or with
    /// an LSA of reserved scope.
    case sequenceNumberMismatch
    /// It requested an LSA that we do not have, or sent an older instance than it had described.
    case badLinkStateRequest
    /// No hello for the dead interval.
    case inactivityTimer
    /// Our interface went down, or restarted because its configuration changed.
    case linkDown
    /// Its router ID or address changed, or we changed our router ID.
    case replaced
    /// Our interface is on the same link as another one of ours, and is on standby.
    case standby
    /// The exchange made no progress.
    case stalled
    /// It does not answer (``RouterEvent/neighborLiveness(interface:address:isAlive:isListed:)``).
    case unresponsive
    /// This router is shutting down.
    case shutdown
}
