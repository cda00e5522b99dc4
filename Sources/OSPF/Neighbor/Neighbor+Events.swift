import OSPFPacket
internal import Timing

/// Event handling of the neighbor state machine (RFC 2328 §10.3).
extension Neighbor {
    /// Handles an event. With an event that can move the neighbor to an earlier state, `fault` says what caused it.
    mutating func handle(
        _ event: NeighborEvent, because fault: NeighborFault? = nil, in context: AdjacencyContext,
        _ database: LinkStateDatabase, into outbox: inout AdjacencyOutbox
    ) {
        if case .adjacencyReconsidered = event { noteUnwanted(because: fault, in: context) }
        let old = state
        let new = old.next(
            on: event, adjacencyIsWanted: context.adjacencyIsWanted,
            nothingToRequest: adjacency?.requests.isEmpty ?? true)
        guard old != new || event.restartsNegotiation else { return }
        if new <= .exStart { endAdjacency(into: &outbox) }
        if old != new {
            since = context.now
            stateChanges += 1
            outbox.append(.stateChanged(from: old, to: new, event.reason))
        }
        if let fault, new < old {
            let fallback = NeighborFallback(moment: context.now, from: old, to: new, fault: fault)
            lastFallback = fallback
            outbox.append(.fellBack(fallback))
        }
        enter(new, in: context, database, into: &outbox)
    }

    /// Does what belongs to the change to a state (RFC 2328 §10.3).
    private mutating func enter(
        _ state: NeighborState, in context: AdjacencyContext, _ database: LinkStateDatabase,
        into outbox: inout AdjacencyOutbox
    ) {
        // From ExStart to Loading, the exchange keeps its deadline, which was set at its start or at the last progress.
        let until = adjacency?.deadline ?? context.now
        switch state {
        case .down: break
        case .initial: isTwoWay = false
        case .twoWay: isTwoWay = true
        case .exStart:
            isTwoWay = true
            startNegotiation(in: context, into: &outbox)
        case .exchange:
            let summary = summarize(database, in: context, into: &outbox)
            adjacency?.stage = .exchange(summary, until: until)
        case .loading:
            adjacency?.stage = .loading(until: until)
            requestMore(in: context, database, into: &outbox)
        case .full:
            adjacency?.stage = .full()
            mismatchedMTU = nil
            held = nil
        }
    }

    /// Notes whether a full adjacency is wanted. One that is not ends after a hello interval: by then all routers on the link
    /// have sent hellos with the outcomes of their elections, so the outcome here is final.
    private mutating func noteUnwanted(because fault: NeighborFault?, in context: AdjacencyContext) {
        if context.adjacencyIsWanted {
            adjacency?.unwanted = nil
        } else if adjacency?.unwanted == nil {
            adjacency?.unwanted = Adjacency.Unwanted(
                until: context.now + context.interface.helloInterval, fault: fault)
        }
    }

    /// Ends the adjacency. What was still to be requested or acknowledged is discarded.
    mutating func endAdjacency(into outbox: inout AdjacencyOutbox) {
        guard let adjacency else { return }
        outbox.append(.unacknowledged(Array(adjacency.retransmissions.keys), by: -1))
        self.adjacency = nil
    }

    /// Handles timers of the adjacency that are due. The inactivity timer and ``held`` are the router's.
    mutating func runTimers(
        in context: AdjacencyContext, _ database: LinkStateDatabase, into outbox: inout AdjacencyOutbox
    ) {
        func isDue(_ deadline: Instant?) -> Bool { deadline.map { $0 <= context.now } ?? false }
        if isDue(adjacency?.deadline) {
            outbox.append(.notice(.exchangeStalled(state)))
            usesSmallPackets = true
            let fault = NeighborFault.noProgress(
                for: context.exchangePatience, requests: adjacency?.requests.count ?? 0)
            return handle(.stalled, because: fault, in: context, database, into: &outbox)
        }
        if let unwanted = adjacency?.unwanted, unwanted.until <= context.now {
            return handle(.adjacencyUnwanted, because: unwanted.fault, in: context, database, into: &outbox)
        }
        if isDue(adjacency?.sent?.deadline) { repeatDescription(in: context, into: &outbox) }
        if isDue(adjacency?.requests.deadline) { repeatRequests(in: context, into: &outbox) }
        if isDue(adjacency?.retransmissions.nextDeadline) { retransmit(in: context, database, into: &outbox) }
    }
}
