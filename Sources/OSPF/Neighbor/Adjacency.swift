import OSPFPacket
internal import Timing

/// The adjacency with a neighbor from ExStart on (RFC 2328 §10): the database exchange, and flooding to it.
struct Adjacency: Sendable {
    /// The stage of the adjacency; each stage stores only what it needs.
    enum Stage: Sendable {
        /// Negotiating the master. In this stage and the next two, the exchange restarts at `until`, which progress postpones.
        case exStart(until: Instant)
        /// Describing databases.
        case exchange(DatabaseSummary, until: Instant)
        /// Waiting for requested LSAs.
        case loading(until: Instant)
        /// Databases agree. After an election the adjacency may no longer be wanted, and the next hello may change the
        /// outcome of the election again. So the adjacency stays for a hello interval (RFC 2328 §10.3 ends it at once). An
        /// unneeded adjacency does no harm, but without one the designated router does not announce the neighbor.
        case full(unwanted: Unwanted? = nil)
    }

    /// A full adjacency that is not wanted.
    struct Unwanted: Sendable {
        /// When it ends, unless it is wanted again.
        var until: Instant
        /// Why it is not wanted: neither router is designated or backup now.
        var fault: NeighborFault?
    }

    /// What remains to be described to the neighbor (RFC 2328 §10, "Database summary list").
    struct DatabaseSummary: Sendable {
        var keys: [DatabaseKey]
        /// The index of the first key that has not been described yet.
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
        /// The number of retransmissions.
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
    /// Whether this router is the master of the exchange. In ExStart it claims to be.
    var isMaster = true
    /// The last description sent.
    var sent: SentDescription?
    /// The last description accepted.
    var received: ReceivedDescription?
    /// When the neighbor last sent a description that was next in order.
    var progress: Instant?
    /// The LSAs in the neighbor's last request that we answered. If its next request has no others, our answer was lost.
    var answered: Set<LSAKey>?
    /// The LSAs that we lack and the neighbor has.
    var requests = RequestList()
    /// The LSAs that the neighbor must acknowledge.
    var retransmissions = RetransmissionList()

    var state: NeighborState {
        switch stage {
        case .exStart: .exStart
        case .exchange: .exchange
        case .loading: .loading
        case .full: .full
        }
    }

    /// When the exchange restarts unless there is progress; `nil` in stage `full`, where setting it has no effect.
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

    /// Set while a full adjacency is not wanted; `nil` in other stages, where setting it has no effect.
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
