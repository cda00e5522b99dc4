import Addressing
import OSPFPacket
internal import Timing

/// Acknowledgments, sent and received (RFC 2328 §13.5, §13.7).
extension Router {
    /// How long acknowledgments are collected; far below any retransmission interval.
    static let acknowledgmentDelay = Duration.milliseconds(20)
    /// The maximum number of LSA headers in a packet, which fits every link: a lost acknowledgment is not repeated by itself.
    static let acknowledgmentCapacity = LinkStateAcknowledgment.capacity(mtu: AdjacencyContext.smallestMTU)

    mutating func acknowledge(_ headers: [LSAHeader], on index: UInt32, to destination: IPv6Address) {
        var rest = headers[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.acknowledgmentCapacity))
            rest = rest.dropFirst(Self.acknowledgmentCapacity)
            send(.linkStateAcknowledgment(LinkStateAcknowledgment(headers: part)), on: index, to: destination)
        }
    }

    mutating func acknowledgeLater(_ header: LSAHeader, on index: UInt32, at now: Instant) {
        interfaces[index].delayedAcknowledgments.append(header)
        if interfaces[index].delayedAcknowledgments.count >= Self.acknowledgmentCapacity {
            sendDelayedAcknowledgments(index)
        } else if interfaces[index].acknowledgmentDeadline == nil {
            interfaces[index].acknowledgmentDeadline = now + Self.acknowledgmentDelay
        }
    }

    mutating func sendDelayedAcknowledgments(_ index: UInt32) {
        let headers = interfaces[index].delayedAcknowledgments
        interfaces[index].delayedAcknowledgments.removeAll(keepingCapacity: true)
        interfaces[index].acknowledgmentDeadline = nil
        acknowledge(headers, on: index, to: floodDestination(index))
    }

    mutating func receive(
        _ acknowledgment: LinkStateAcknowledgment, from neighbor: NeighborKey, at now: Instant
    ) {
        guard interfaces[neighbor].state >= .exchange else { return reject(.neighborState) }
        for header in acknowledgment.headers {
            let key = DatabaseKey(header.key, on: neighbor.interface)
            guard let entry = database[key], header.recency(comparedTo: entry.header(at: now)) == .same else {
                continue
            }
            if removeFromRetransmissionList(key, of: neighbor) { removeFlushed(key, at: now) }
        }
    }
}
