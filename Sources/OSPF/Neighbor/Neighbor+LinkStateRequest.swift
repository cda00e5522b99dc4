import OSPFPacket
internal import Timing

/// Link state requests and the replies to them (RFC 2328 §10.7, §10.9).
extension Neighbor {
    /// The maximum number of LSAs sent in reply to one request packet, so that a small packet does not cause thousands. The
    /// neighbor requests the rest again.
    static let answersPerRequest = 1024

    /// Whether ``requestMore(in:_:into:)`` may have to request LSAs or to end Loading.
    var mayRequest: Bool {
        switch adjacency?.stage {
        case .exchange: adjacency?.requests.isEmpty == false
        case .loading: true
        case .exStart, .full, nil: false
        }
    }

    /// Requests LSAs that were described and are missing, one packet at a time. Ends Loading if none is missing.
    mutating func requestMore(
        in context: AdjacencyContext, _ database: LinkStateDatabase, into outbox: inout AdjacencyOutbox
    ) {
        guard adjacency?.requests.isEmpty == false else {
            return handle(.loadingDone, in: context, database, into: &outbox)
        }
        guard adjacency?.requests.isIdle == true else { return }
        let capacity = LinkStateRequest.capacity(mtu: context.mtu)
        sendRequest(for: adjacency?.requests.next(limit: capacity) ?? [], in: context, into: &outbox)
    }

    /// Requests again what has not arrived since the last request.
    mutating func repeatRequests(in context: AdjacencyContext, into outbox: inout AdjacencyOutbox) {
        sendRequest(for: adjacency?.requests.again() ?? [], in: context, into: &outbox)
    }

    private mutating func sendRequest(
        for keys: [LSAKey], in context: AdjacencyContext, into outbox: inout AdjacencyOutbox
    ) {
        let delay = context.repetitionDelay(attempts: adjacency?.requests.attempts ?? 0)
        adjacency?.requests.setDeadline(context.now + delay)
        outbox.append(packet: .linkStateRequest(LinkStateRequest(keys: keys)), to: address, in: context)
    }

    /// An instance was received from this neighbor or another, or originated or flushed by this router. It ends our request for
    /// the LSA, unless this neighbor has described a later instance. `patience` is ``AdjacencyContext/exchangePatience``.
    mutating func satisfyRequest(with header: LSAHeader, patience: Duration, at now: Instant) {
        guard adjacency?.requests.satisfy(with: header) == true else { return }
        // Progress: the exchange restarts later.
        adjacency?.deadline = now + patience
    }

    /// Answers a request. If all its LSAs were in the last request that we answered, that answer was lost.
    mutating func receive(
        _ request: LinkStateRequest, in context: AdjacencyContext, _ database: LinkStateDatabase,
        into outbox: inout AdjacencyOutbox
    ) {
        guard state >= .exchange else { return outbox.append(.rejected(.neighborState)) }
        var keys: [DatabaseKey] = []
        var seen: Set<LSAKey> = []
        for wanted in request.keys.prefix(Self.answersPerRequest) where seen.insert(wanted).inserted {
            let key = context.databaseKey(wanted)
            guard database[key] != nil else {
                return handle(.badLinkStateRequest, because: .unknownLSA(wanted), in: context, database, into: &outbox)
            }
            keys.append(key)
        }
        var context = context
        if adjacency?.answered.map(seen.isSubset) == true { useSmallPackets(in: &context) }
        adjacency?.answered = seen
        for octets in context.updates(keys, of: database, to: address) {
            outbox.append(.send(.linkStateUpdate, octets))
        }
    }
}
