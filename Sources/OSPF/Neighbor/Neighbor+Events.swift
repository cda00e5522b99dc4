import OSPFPacket
internal import Timing

/// The neighbor state machine at work (RFC 2328 §10.3).
extension Neighbor {
    /// Handles an event. Events that can move the neighbor back have a fault that says why.
    mutating func handle(
        _ event: NeighborEvent, because fault: NeighborFault? = nil, in context: ConversationContext,
        _ database: LinkStateDatabase, into outbox: inout ConversationOutbox
    ) {
        if case .adjacencyReconsidered = event { noteUnwanted(because: fault, in: context) }
        let old = state
        let new = old.next(
            on: event, adjacencyIsWanted: context.adjacencyIsWanted,
            nothingToRequest: conversation?.requests.isEmpty ?? true)
        guard old != new || event.restartsNegotiation else { return }
        if new <= .exStart { endConversation(into: &outbox) }
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

    private mutating func enter(
        _ state: NeighborState, in context: ConversationContext, _ database: LinkStateDatabase,
        into outbox: inout ConversationOutbox
    ) {
        // The exchange keeps its deadline, which was set at its start or at the last progress.
        let until = conversation?.deadline ?? context.now
        switch state {
        case .down: break
        case .initial: hearsUs = false
        case .twoWay: hearsUs = true
        case .exStart:
            hearsUs = true
            startNegotiation(in: context, into: &outbox)
        case .exchange:
            let summary = summarize(database, in: context, into: &outbox)
            conversation?.stage = .exchange(summary, until: until)
        case .loading:
            conversation?.stage = .loading(until: until)
            requestMore(in: context, database, into: &outbox)
        case .full:
            conversation?.stage = .full()
            mismatchedMTU = nil
            heldUntil = nil
        }
    }

    /// Has a full adjacency end after a hello interval if it is not wanted: until then all routers on the link have sent hellos
    /// with the outcomes of their elections.
    private mutating func noteUnwanted(because fault: NeighborFault?, in context: ConversationContext) {
        if context.adjacencyIsWanted {
            conversation?.unwanted = nil
        } else if conversation?.unwanted == nil {
            conversation?.unwanted = Conversation.Unwanted(
                until: context.now + context.interface.helloInterval, fault: fault)
        }
    }

    /// Drops everything that was still to be sent.
    mutating func endConversation(into outbox: inout ConversationOutbox) {
        guard let conversation else { return }
        outbox.append(.unacknowledged(Array(conversation.retransmissions.keys), by: -1))
        self.conversation = nil
    }

    /// Handles timers that are due, except the inactivity timer.
    mutating func runTimers(
        in context: ConversationContext, _ database: LinkStateDatabase, into outbox: inout ConversationOutbox
    ) {
        func isDue(_ deadline: Instant?) -> Bool { deadline.map { $0 <= context.now } ?? false }
        if isDue(conversation?.deadline) {
            outbox.append(.notice(.exchangeStalled(state)))
            let fault = NeighborFault.noProgress(
                for: context.exchangePatience, requests: conversation?.requests.count ?? 0)
            return handle(.stalled, because: fault, in: context, database, into: &outbox)
        }
        if let unwanted = conversation?.unwanted, unwanted.until <= context.now {
            return handle(.adjacencyUnwanted, because: unwanted.fault, in: context, database, into: &outbox)
        }
        if isDue(conversation?.sent?.deadline) { repeatDescription(in: context, into: &outbox) }
        if isDue(conversation?.requests.deadline) { repeatRequests(in: context, into: &outbox) }
        if isDue(conversation?.retransmissions.nextDeadline) { retransmit(in: context, database, into: &outbox) }
    }
}
