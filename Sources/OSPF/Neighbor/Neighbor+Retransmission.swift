import OSPFPacket
internal import Timing

/// LSAs that were flooded to a neighbor and are not acknowledged (RFC 2328 §13.6).
extension Neighbor {
    /// The maximum number of LSAs retransmitted to one neighbor per event, so that a neighbor that was not reachable for a
    /// while does not get all at once.
    static let retransmissionBatch = 256

    /// Adds an LSA to the retransmission list, to be retransmitted after `delay`. Returns whether it is new in the list.
    mutating func awaitAcknowledgment(
        of key: DatabaseKey, after delay: Duration, at now: Instant
    ) -> Bool {
        adjacency?.retransmissions.insert(key, deadline: now + delay) ?? false
    }

    /// Removes an LSA from the retransmission list. Returns whether it was there.
    mutating func removeFromRetransmissionList(_ key: DatabaseKey) -> Bool {
        adjacency?.retransmissions.remove(key) ?? false
    }

    /// Retransmits LSAs whose deadline has passed.
    mutating func retransmit(
        in context: AdjacencyContext, _ database: LinkStateDatabase, into outbox: inout AdjacencyOutbox
    ) {
        let interval = context.interface.retransmitInterval
        let due =
            adjacency?.retransmissions.popDue(at: context.now, limit: Self.retransmissionBatch, interval: interval)
            ?? []
        // The deadline may be that of an LSA that was acknowledged meanwhile.
        guard !due.isEmpty else { return }
        var context = context
        useSmallPackets(in: &context)
        // This includes LSAs that still wait in the flood queue and have not been sent for the first time.
        outbox.append(.retransmitted(due.count))
        for octets in context.updates(due, of: database, to: address) {
            outbox.append(.send(.linkStateUpdate, octets))
        }
    }

    /// From now on, this neighbor gets packets that fit every link: something was lost, perhaps because a switch between the
    /// two ends has a smaller MTU. The MTU in descriptions does not show that (RFC 2328 §10.6).
    mutating func useSmallPackets(in context: inout AdjacencyContext) {
        usesSmallPackets = true
        context.mtu = min(context.mtu, AdjacencyContext.smallestMTU)
    }

    /// Whether the neighbor must be sent an instance that was just installed (RFC 2328 §13.3 (1)): not before Exchange, and not
    /// if it has described this or a later instance, or sent us this one. Also ends our request for the LSA, unless the
    /// neighbor has described a later instance.
    mutating func needs(_ header: LSAHeader, isSender: Bool, patience: Duration, at now: Instant) -> Bool {
        guard state >= .exchange else { return false }
        if state < .full, let described = adjacency?.requests[header.key] {
            satisfyRequest(with: header, patience: patience, at: now)
            guard header.recency(comparedTo: described) == .newer else { return false }
        }
        return !isSender
    }
}
