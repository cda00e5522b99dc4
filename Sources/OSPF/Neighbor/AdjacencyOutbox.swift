import Addressing
import OSPFPacket

/// The effects of a step of an adjacency, in order. ``Router/carryOut(_:with:usedBefore:at:)`` carries them out.
struct AdjacencyOutbox {
    enum Item {
        /// A packet for the neighbor: its type and its octets.
        case send(PacketType, [UInt8])
        case stateChanged(from: NeighborState, to: NeighborState, NeighborChangeReason)
        /// Why the neighbor fell back to an earlier state; follows the `stateChanged` of the same change.
        case fellBack(NeighborFallback)
        /// LSAs for which the neighbor owes an acknowledgment from now on (`by` is 1) or no longer (−1).
        case unacknowledged([DatabaseKey], by: Int)
        /// The number of LSAs that were retransmitted.
        case retransmitted(Int)
        case rejected(RejectionReason)
        /// The neighbor describes more LSAs than the limits allow to request.
        case databaseIsFull
        case notice(NeighborNotice)
    }

    /// A ``Notice`` about the neighbor, to which the router adds interface and router ID.
    enum NeighborNotice {
        case mtuMismatch(theirs: Int, ours: Int)
        /// The exchange made no progress in this state.
        case exchangeStalled(NeighborState)
    }

    private(set) var items: [Item] = []

    mutating func append(_ item: Item) { items.append(item) }
}

extension AdjacencyOutbox {
    /// Encodes a packet and appends it.
    mutating func append(packet body: Packet.Body, to destination: IPv6Address, in context: AdjacencyContext) {
        let octets = Packet(header: context.header, body: body).encode(
            source: context.interface.linkLocalAddress, destination: destination)
        append(.send(body.type, octets))
    }
}
