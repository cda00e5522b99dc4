import OSPFPacket
internal import Timing

/// The adjacency with a neighbor from ExStart on (RFC 2328 §10): the database exchange, and flooding to it.
struct Adjacency: Sendable {
    /// The stage of the adjacency; each stage stores only what it needs.
    enum Stage: Sendable {
        /// Negotiating the master; the exchange restarts at `until`.
        case exStart(until: Instant)
        /// Describing databases; the exchange restarts at `until`.
        case exchange(DatabaseSummary, until: Instant)
        /// Waiting for requested LSAs; the exchange restarts at `until`.
        case loading(until: Instant)
        /// Databases agree. After an election the adjacency may no longer be wanted, and the next hello may change the
        /// outcome again. So the adjacency stays for a short time (RFC 2328 §10.3 ends it at once). An unneeded
        /// adjacency does no harm, but without an adjacency the designated router does not announce its neighbor.
        case full(unwanted: Unwanted? = nil)
    }

    /// A full adjacency that is not wanted.
    struct Unwanted: Sendable {
        /// When it ends, unless it is wanted again.
        var until: Instant
        /// Why it is not wanted.
        var fault: NeighborFault?
    }

    /// What remains to be described to the neighbor (RFC 2328 §10, "Database summary list").
    struct DatabaseSummary: Sendable {
        var keys: [DatabaseKey]
        var next = 0
        var isComplete: Bool { next >= keys.count }
    }

    /// A database description that was sent, kept for retransmission.
    struct SentDescription: Sendable {
        var octets: [UInt8]
        /// When it was sent first.
        var sent: Instant
        /// Whether more descriptions follow (M-bit).
        var hasMore: Bool
        /// When it is retransmitted unless answered; `nil` at the slave, which only answers.
        var deadline: Instant?
        var attempts = 0
    }

    /// Identifies a database description, to detect repetitions (RFC 2328 §10.6).
    struct ReceivedDescription: Hashable, Sendable {
        var flags: DatabaseDescription.Flags
        var options: OSPFOptions
        var sequenceNumber: UInt32

        init(_ description: DatabaseDescription) {
            flags = description.flags
            options = description.options
            sequenceNumber = description.sequenceNumber
        }
    }

    var stage: Stage
    /// Whether this router is the master of the exchange.
    var isMaster = true
    var sent: SentDescription?
    var received: ReceivedDescription?
    /// When the neighbor last sent a description that was next in order.
    var progress: Instant?
    /// The LSAs in its last request that was answered.
    var answered: Set<LSAKey>?
    var requests = RequestList()
    var retransmissions = RetransmissionList()

    var state: NeighborState {
        switch stage {
        case .exStart: .exStart
        case .exchange: .exchange
        case .loading: .loading
        case .full: .full
        }
    }

    /// When the exchange restarts unless it ends before.
    var deadline: Instant? {
        get {
            switch stage {
            case .exStart(let until), .exchange(_, let until), .loading(let until): until
            case .full: nil
            }
        }
        set {
            guard let until = newValue else { return }
            switch stage {
            case .exStart: stage = .exStart(until: until)
            case .exchange(let summary, _): stage = .exchange(summary, until: until)
            case .loading: stage = .loading(until: until)
            case .full: break
            }
        }
    }

    /// Set while a full adjacency is not wanted; `nil` in other stages.
    var unwanted: Unwanted? {
        get { if case .full(let unwanted) = stage { unwanted } else { nil } }
        set { if case .full = stage { stage = .full(unwanted: newValue) } }
    }

    /// The earliest moment at which something is due.
    var nextDeadline: Instant? {
        var earliest = deadline
        func consider(_ moment: Instant?) {
            if let moment, earliest == nil || moment < earliest! { earliest = moment }
        }
        consider(unwanted?.until)
        consider(sent?.deadline)
        consider(requests.deadline)
        consider(retransmissions.nextDeadline)
        return earliest
    }
}
