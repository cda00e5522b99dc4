import OSPFPacket
internal import Timing

/// LSAs that were flooded to a neighbor and are not acknowledged (RFC 2328 §13.6).
extension Neighbor {
    /// LSAs sent again to one neighbor in one go.
    static let retransmissionBatch = 256

    /// Adds an LSA that the neighbor is to acknowledge. Returns whether it was not there yet.
    mutating func awaitAcknowledgment(
        of key: DatabaseKey, after delay: Duration, at now: Instant
    ) -> Bool {
        adjacency?.retransmissions.insert(key, deadline: now + delay) ?? false
    }

    /// Takes an LSA off the list; whether it was there.
    mutating func removeFromRetransmissionList(_ key: DatabaseKey) -> Bool {
        adjacency?.retransmissions.remove(key) ?? false
    }

    /// Sends again what has not been acknowledged.
    mutating func retransmit(
        in context: AdjacencyContext, _ database: LinkStateDatabase, into outbox: inout AdjacencyOutbox
    ) {
        let interval = context.interface.retransmitInterval
        let due =
            adjacency?.retransmissions.popDue(at: context.now, limit: Self.retransmissionBatch, interval: interval)
            ?? []
        // What still waits in the flood queue has not been sent for the first time.
        outbox.append(.retransmitted(due.count))
        for octets in context.updates(due, of: database, to: address) {
            outbox.append(.send(.linkStateUpdate, octets))
        }
    }

    /// Whether the neighbor lacks an instance that was just installed (RFC 2328 §13.3 (1)). If the neighbor has it, a
    /// request for it is removed.
    mutating func needs(_ header: LSAHeader, isSender: Bool, patience: Duration, at now: Instant) -> Bool {
        guard state >= .exchange else { return false }
        if state < .full, let described = adjacency?.requests[header.key] {
            satisfyRequest(with: header, patience: patience, at: now)
            guard header.recency(comparedTo: described) == .newer else { return false }
        }
        return !isSender
    }
}
