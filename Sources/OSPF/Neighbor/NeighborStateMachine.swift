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
    /// All requested LSAs have arrived.
    case loadingDone
    /// Whether an adjacency is wanted may have changed.
    case adjacencyReconsidered
    /// A full adjacency has not been wanted for a hello interval (``Adjacency/Stage/full(unwanted:)``).
    case adjacencyUnwanted
    /// A description was out of sequence or came after the end of the exchange, had changed options, an unexpected I-bit or
    /// MS-bit, or an LSA of reserved scope.
    case sequenceNumberMismatch
    /// It requested an LSA that we do not have, or sent an older instance than it had described.
    case badLinkStateRequest
    /// The exchange made no progress for ``AdjacencyContext/exchangePatience``.
    case stalled
    /// It is silent because it restarts, as it has announced.
    case restarts
    /// It does not answer (``RouterEvent/neighborLiveness(interface:address:isAlive:isListed:)``).
    case unresponsive

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
        case .restarts: .restarts
        case .unresponsive: .unresponsive
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
        case .oneWayReceived, .restarts, .unresponsive:
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
            // An unwanted one stays until `adjacencyUnwanted`, see ``Adjacency/Stage/full(unwanted:)``.
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
    /// Whether the event restarts the negotiation even in ExStart, where it does not change the state.
    var restartsNegotiation: Bool {
        if case .stalled = self { true } else { false }
    }
}
