import Addressing
import OSPFPacket
internal import Timing

/// Acknowledgments, sent and received (RFC 2328 §13.5, §13.7).
extension Router {
    /// How long delayed acknowledgments are collected. RFC 2328 §13.5 requires less than RxmtInterval, which can be as
    /// short as 50 ms.
    static let acknowledgmentDelay = Duration.milliseconds(20)
    /// The maximum number of LSA headers in a packet: as many as fit the smallest MTU. A larger packet, lost where the MTU
    /// between the ends is smaller than theirs, would be lost each time.
    static let acknowledgmentCapacity = LinkStateAcknowledgment.capacity(mtu: AdjacencyContext.smallestMTU)

    /// Sends acknowledgments now.
    mutating func acknowledge(_ headers: [LSAHeader], on index: UInt32, to destination: IPv6Address) {
        var rest = headers[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.acknowledgmentCapacity))
            rest = rest.dropFirst(Self.acknowledgmentCapacity)
            send(.linkStateAcknowledgment(LinkStateAcknowledgment(headers: part)), on: index, to: destination)
        }
    }

    /// Adds a delayed acknowledgment, to be sent with others to ``floodDestination(_:)``.
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
