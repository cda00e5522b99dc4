internal import Addressing
internal import Authentication
internal import Node
internal import OSPF
internal import Timing

/// Packets on their way.
extension Network {
    mutating func send(
        from node: Int, interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8]
    ) {
        guard let sender = port(of: node, interface: interface) else {
            return report(.badSend, "\(name(node)) sends out of interface \(interface), which it does not have")
        }
        let port = ports[sender]
        guard let reported = port.reported else {
            return report(.badSend, "\(name(node)) sends out of interface \(interface), which it was reported is down")
        }
        if source != reported.linkLocalAddress {
            report(.badSend, "\(name(node)) sends from \(source), having \(reported.linkLocalAddress)")
        }
        // The IPv6 header has 40 octets.
        if octets.count > reported.mtu - 40 {
            report(.badSend, "\(name(node)) sends \(octets.count) octets on a link of MTU \(reported.mtu)")
        }
        // The OSPF header has 16 octets, of which the second is the packet type; 1 is a hello.
        guard octets.count >= 16, (1...5).contains(octets[1]) else {
            return report(.badSend, "\(name(node)) sends what is no OSPF packet: \(octets.prefix(16))")
        }
        statistics.sent[Int(octets[1])] += 1
        statistics.octetsSent += octets.count
        if octets[1] != 1 {
            statistics.lastExchange = now
            countExchange()
        }
        // The process may not know yet that the carrier is gone or that the address has changed; the kernel sends nothing
        // then.
        guard port.hasCarrier, source == port.configuration.linkLocalAddress else { return statistics.lost += 1 }
        for end in links[port.link].ports.indices where end != port.end {
            carry(octets, over: port.link, from: port.end, to: end, source: source, destination: destination)
        }
    }

    /// Carries a packet from one end of a link to another, unless the link is cut there or the packet is lost. The packet may
    /// be damaged, duplicated and delayed (``LinkQuality``).
    private mutating func carry(
        _ octets: [UInt8], over link: Int, from sender: Int, to receiver: Int, source: IPv6Address,
        destination: IPv6Address
    ) {
        let quality = links[link].quality
        // The IPv6 header has 40 octets.
        guard !links[link][cutFrom: sender, to: receiver], octets.count + 40 <= quality.largestPacket,
            !random.chance(quality.loss)
        else {
            statistics.lost += 1
            return
        }
        var octets = octets
        if random.chance(quality.corruption) {
            octets[random.below(octets.count)] ^= 1 << UInt8(random.below(8))
        }
        let copies = random.chance(quality.duplication) ? 2 : 1
        for _ in 0..<copies {
            let delay = quality.delay + random.duration(upTo: quality.jitter)
            enqueue(
                .delivery(
                    port: links[link].ports[receiver], source: source, destination: destination, octets: octets),
                after: delay)
        }
    }

    /// A packet arrives at a port.
    mutating func deliver(to port: Int, source: IPv6Address, destination: IPv6Address, octets: [UInt8]) {
        let receiver = ports[port]
        let node = receiver.node
        // Packets in flight are lost with the carrier, and if no process uses the port.
        guard receiver.hasCarrier, receiver.reported != nil, nodes[node].state != .stopped, nodes[node].state != .off
        else {
            statistics.lost += 1
            return
        }
        guard receiver.listens(to: destination) else { return }
        let packet = Machine.Packet(
            interface: receiver.configuration.index, source: source, destination: destination, octets: octets)
        if nodes[node].state == .asleep {
            if nodes[node].unreadPackets.count < machine.socketBacklog {
                nodes[node].unreadPackets.append(packet)
            } else {
                statistics.lost += 1
            }
            return
        }
        deliver(packet, on: node)
    }

    /// The process reads a packet.
    mutating func deliver(_ packet: Machine.Packet, on node: Int) {
        statistics.delivered += 1
        statistics.mix(UInt64(bitPattern: now.nanoseconds) ^ UInt64(node) << 48)
        statistics.mix(fingerprint(packet.octets))
        observer?(now, .delivery(node: node, interface: packet.interface, octets: packet.octets))
        let isRequired = nodes[node].process?.authenticationPolicy(on: packet.interface) == .required
        let refused = isRequired ? nodes[node].process?.authentication.refusalCount : nil
        handle(
            .packet(
                interface: packet.interface, source: packet.source, destination: packet.destination,
                octets: packet.octets), on: node)
        if let refused, nodes[node].process?.authentication.refusalCount == refused { record(packet, on: node) }
    }

    /// A hash of a packet: its length, type and checksum.
    private func fingerprint(_ octets: [UInt8]) -> UInt64 {
        UInt64(octets.count) << 32 | UInt64(octets[1]) << 16 | UInt64(octets[12]) << 8 | UInt64(octets[13])
    }
}
