import Addressing
import OSPFPacket

/// What a step of an adjacency leads to, in order. ``Router/carryOut(_:with:usedBefore:at:)`` does it.
struct AdjacencyOutbox {
    enum Item {
        /// A packet for the neighbor.
        case send(PacketType, [UInt8])
        case stateChanged(from: NeighborState, to: NeighborState, NeighborChangeReason)
        case fellBack(NeighborFallback)
        /// LSAs that the neighbor owes an acknowledgment of, or does not owe it any more.
        case unacknowledged([DatabaseKey], by: Int)
        /// So many LSAs are sent again.
        case retransmitted(Int)
        case rejected(RejectionReason)
        /// The neighbor describes more than the bounds allow to ask for.
        case databaseIsFull
        case notice(NeighborNotice)
    }

    /// A notice about the neighbor.
    enum NeighborNotice {
        case mtuMismatch(theirs: Int, ours: Int)
        case exchangeStalled(NeighborState)
    }

    private(set) var items: [Item] = []

    mutating func append(_ item: Item) { items.append(item) }
}

extension AdjacencyOutbox {
    mutating func append(packet body: Packet.Body, to destination: IPv6Address, in context: AdjacencyContext) {
        let octets = Packet(header: context.header, body: body).encode(
            source: context.interface.linkLocalAddress, destination: destination)
        append(.send(body.type, octets))
    }
}
