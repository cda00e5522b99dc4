/// An event of a neighbor (RFC 2328 §10.2).
enum NeighborEvent: Sendable {
    /// Its hello lists us.
    case twoWayReceived
    /// Its hello does not list us.
    case oneWayReceived
    /// Master and slave are negotiated.
    case negotiationDone
    /// Both databases are described.
    case exchangeDone
    /// Nothing more to be requested.
    case loadingDone
    /// Whether an adjacency is wanted may have changed.
    case adjacencyReconsidered
    /// A full adjacency has not been wanted for as long as elections may take.
    case adjacencyUnwanted
    /// A description was out of sequence, had changed options, or had the I-bit set.
    case sequenceNumberMismatch
    /// It requested an LSA that we do not have, or sent an older one than it had described.
    case badLinkStateRequest
    /// The exchange made no progress for a long time.
    case stalled

    /// The reason for a state change that this event causes.
    var reason: NeighborChangeReason {
        switch self {
        case .twoWayReceived: .twoWayReceived
        case .oneWayReceived: .oneWayReceived
        case .negotiationDone: .negotiationDone
        case .exchangeDone: .exchangeDone
        case .loadingDone: .loadingDone
        case .adjacencyReconsidered, .adjacencyUnwanted: .adjacencyReconsidered
        case .sequenceNumberMismatch: .sequenceNumberMismatch
        case .badLinkStateRequest: .badLinkStateRequest
        case .stalled: .stalled
        }
    }
}

extension NeighborState {
    /// The state after an event (RFC 2328 §10.3). Down is left when a neighbor is created and entered when it is
    /// removed, so it does not occur here.
    func next(on event: NeighborEvent, adjacencyIsWanted: Bool, nothingToRequest: Bool) -> NeighborState {
        switch event {
        case .twoWayReceived:
            self == .initial ? (adjacencyIsWanted ? .exStart : .twoWay) : self
        case .oneWayReceived:
            .initial
        case .negotiationDone:
            self == .exStart ? .exchange : self
        case .exchangeDone:
            self == .exchange ? (nothingToRequest ? .full : .loading) : self
        case .loadingDone:
            self == .loading ? .full : self
        case .adjacencyReconsidered:
            switch self {
            case .twoWay: adjacencyIsWanted ? .exStart : .twoWay
            // Only ``adjacencyUnwanted`` ends it, see ``Adjacency/Stage/full(unwanted:)``.
            case .full: .full
            default: self > .twoWay && !adjacencyIsWanted ? .twoWay : self
            }
        case .adjacencyUnwanted:
            self > .twoWay && !adjacencyIsWanted ? .twoWay : self
        case .sequenceNumberMismatch, .badLinkStateRequest, .stalled:
            if self >= .exchange || (self == .exStart && event.restartsNegotiation) {
                // A full adjacency may be unwanted for a short time.
                adjacencyIsWanted ? .exStart : .twoWay
            } else {
                self
            }
        }
    }
}

extension NeighborEvent {
    /// Whether ExStart restarts too.
    var restartsNegotiation: Bool {
        if case .stalled = self { true } else { false }
    }
}
