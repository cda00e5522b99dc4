import Addressing
import OSPFPacket
internal import Timing

/// Acknowledgments, sent and received (RFC 2328 §13.5, §13.7).
extension Router {
    /// How long acknowledgments are collected; far below any retransmission interval.
    static let acknowledgmentDelay = Duration.milliseconds(20)

    mutating func acknowledge(_ headers: [LSAHeader], on position: Int, to destination: IPv6Address) {
        let capacity = LinkStateAcknowledgment.capacity(mtu: interfaces[position].configuration.mtu)
        var rest = headers[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(capacity))
            rest = rest.dropFirst(capacity)
            send(.linkStateAcknowledgment(LinkStateAcknowledgment(headers: part)), on: position, to: destination)
        }
    }

    mutating func acknowledgeLater(_ header: LSAHeader, on position: Int, at now: Instant) {
        interfaces[position].delayedAcknowledgments.append(header)
        let capacity = LinkStateAcknowledgment.capacity(mtu: interfaces[position].configuration.mtu)
        if interfaces[position].delayedAcknowledgments.count >= capacity {
            sendDelayedAcknowledgments(position)
        } else if interfaces[position].acknowledgmentDeadline == nil {
            interfaces[position].acknowledgmentDeadline = now + Self.acknowledgmentDelay
        }
    }

    mutating func sendDelayedAcknowledgments(_ position: Int) {
        let headers = interfaces[position].delayedAcknowledgments
        interfaces[position].delayedAcknowledgments.removeAll(keepingCapacity: true)
        interfaces[position].acknowledgmentDeadline = nil
        acknowledge(headers, on: position, to: floodDestination(position))
    }

    mutating func receive(
        _ acknowledgment: LinkStateAcknowledgment, position: Int, _ index: Int, at now: Instant
    ) {
        guard interfaces[position].neighbors[index].state >= .exchange else { return reject(.neighborState) }
        for header in acknowledgment.headers {
            let key = databaseKey(header.key, on: position)
            guard let entry = database[key], header.recency(comparedTo: entry.header(at: now)) == .same else {
                continue
            }
            if takeOffRetransmissions(key, position, index) { removeFlushed(key, at: now) }
        }
    }
}
