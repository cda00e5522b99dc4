import Addressing
import OSPFPacket
internal import Timing

/// A neighbour (RFC 2328 §10).
struct Neighbor: Sendable {
    /// How far the conversation has come; each phase carries what only it needs.
    enum Phase: Sendable {
        /// Heard, but it does not say it hears us.
        case initial
        /// Both hear each other.
        case twoWay
        /// Settling who leads.
        case exStart
        /// Describing databases.
        case exchange(DatabaseSummary)
        /// Waiting for what was requested.
        case loading
        /// Databases agree.
        case full

        var state: NeighborState {
            switch self {
            case .initial: .initial
            case .twoWay: .twoWay
            case .exStart: .exStart
            case .exchange: .exchange
            case .loading: .loading
            case .full: .full
            }
        }
    }

    /// What remains to be described to the neighbour (RFC 2328 §10, "Database summary list").
    struct DatabaseSummary: Sendable {
        var keys: [DatabaseKey]
        var next = 0
        var isComplete: Bool { next >= keys.count }
    }

    /// A database description sent and kept for sending again.
    struct SentDescription: Sendable {
        var octets: [UInt8]
        /// When it was sent first.
        var sent: Instant
        /// Whether it said that more would follow.
        var hasMore: Bool
        /// When it goes again, unless answered; `nil` at the slave, which only answers.
        var deadline: Instant?
        var attempts = 0
    }

    /// What tells a database description from its repetition (RFC 2328 §10.6).
    struct ReceivedDescription: Hashable, Sendable {
        var flags: DatabaseDescription.Flags
        var options: OSPFOptions
        var sequenceNumber: UInt32
    }

    let routerID: RouterID
    var interfaceID: UInt32
    var address: IPv6Address
    var priority: UInt8
    var options: OSPFOptions
    var designatedRouter: RouterID
    var backupDesignatedRouter: RouterID

    var phase = Phase.initial
    var since: Instant
    var stateChanges = 0
    var lastFallback: NeighborFallback?
    var inactivityDeadline: Instant
    /// It was full and begins anew: until this moment the link with it stays as it is (``Router/holdLink``).
    var heldUntil: Instant?

    /// Whether this router leads the exchange.
    var isMaster = false
    var sequenceNumber: UInt32
    var sent: SentDescription?
    var received: ReceivedDescription?
    /// The sequence number with which the neighbour began its latest exchange.
    var beginning: UInt32?
    /// When the exchange is given up and begun anew, unless it ends before.
    var exchangeDeadline: Instant?
    var mismatchedMTU: Int?

    var requests = RequestList()
    var retransmissions = RetransmissionList()

    var state: NeighborState { phase.state }

    /// Whether a point-to-point link with it is told to others and used.
    var isLinked: Bool { state == .full || heldUntil != nil }

    /// The earliest moment at which something is due.
    var nextDeadline: Instant {
        var earliest = inactivityDeadline
        if let moment = sent?.deadline { earliest = min(earliest, moment) }
        if let moment = requests.deadline { earliest = min(earliest, moment) }
        if let moment = retransmissions.nextDeadline { earliest = min(earliest, moment) }
        if let moment = exchangeDeadline { earliest = min(earliest, moment) }
        if let moment = heldUntil { earliest = min(earliest, moment) }
        return earliest
    }
}
