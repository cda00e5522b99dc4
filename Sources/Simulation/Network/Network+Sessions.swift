internal import Addressing
internal import BFD
internal import Node
internal import OSPF
internal import Timing

/// Sessions of BFD. Unlike echo requests, their packets are answered by the process, and by nobody while it does not run.
extension Network {
    /// A BFD packet on its way to a port.
    struct SessionPacket: Sendable {
        var source: IPv6Address
        var destination: IPv6Address
        var octets: [UInt8]
    }

    /// The table of a new process.
    static func sessionTable(seed: UInt64) -> SessionTable {
        // Without keys there are no digests.
        SessionTable(seed: seed, shortestInterval: .milliseconds(10)) { function, _ in
            [UInt8](repeating: 0, count: function.size)
        }
    }

    mutating func watchSessions(_ targets: [SessionTarget], on node: Int) {
        var output = SessionTable.Output()
        nodes[node].sessions.watch(targets, at: localTime(of: node), output: &output)
        carryOut(output, on: node)
    }

    /// Reads waiting packets and does what is due, as the agent's thread for BFD does when it wakes up.
    mutating func runSessions(of node: Int) {
        guard nodes[node].state == .running else { return }
        let local = localTime(of: node)
        var output = SessionTable.Output()
        for datagram in nodes[node].unreadSessionPackets {
            nodes[node].sessions.receive(datagram, at: local, output: &output)
        }
        nodes[node].unreadSessionPackets = []
        nodes[node].sessions.advance(to: local, output: &output)
        carryOut(output, on: node)
    }

    /// The process ends as planned, and tells its neighbors.
    mutating func endSessions(of node: Int) {
        var output = SessionTable.Output()
        nodes[node].sessions.endAll(at: localTime(of: node), output: &output)
        carryOut(output, on: node)
    }

    private mutating func carryOut(_ output: SessionTable.Output, on node: Int) {
        for packet in output.packets { send(packet.octets, to: packet.target, from: node) }
        setSessionTimer(node)
        if !output.reports.isEmpty { handle(.bfd(output.reports.map { .session($0) }), on: node) }
    }

    private mutating func setSessionTimer(_ node: Int) {
        guard let deadline = nodes[node].sessions.nextDeadline else { return nodes[node].sessionTimer = nil }
        let wanted = max(deadline.nanoseconds - nodes[node].clockOffset.nanoseconds, now.nanoseconds)
        if let timer = nodes[node].sessionTimer, timer.nanoseconds <= wanted { return }
        let time = Instant(nanoseconds: wanted) + random.duration(upTo: machine.timerSlack)
        nodes[node].sessionTimer = time
        enqueue(.sessionTimer(node: node), after: time - now)
    }

    mutating func fireSessionTimer(_ node: Int) {
        guard nodes[node].sessionTimer == now else { return }
        nodes[node].sessionTimer = nil
        runSessions(of: node)
    }

    private mutating func send(_ octets: [UInt8], to target: SessionTarget, from node: Int) {
        guard let sender = port(of: node, interface: target.key.interface), ports[sender].hasCarrier,
            target.source == ports[sender].configuration.linkLocalAddress
        else { return }
        let (link, end) = (ports[sender].link, ports[sender].end)
        let quality = links[link].quality
        for other in links[link].ports.indices where other != end {
            // A damaged packet has a wrong checksum.
            guard !links[link][cutFrom: end, to: other], !random.chance(quality.loss),
                !random.chance(quality.corruption)
            else { continue }
            let packet = SessionPacket(source: target.source, destination: target.key.address, octets: octets)
            for _ in 0..<(random.chance(quality.duplication) ? 2 : 1) {
                enqueue(
                    .session(port: links[link].ports[other], packet),
                    after: quality.delay + random.duration(upTo: quality.jitter))
            }
        }
    }

    /// A packet arrives at a port. The process reads it at once if it runs.
    mutating func receive(_ packet: SessionPacket, at index: Int) {
        let node = ports[index].node
        guard ports[index].hasCarrier, packet.destination == ports[index].configuration.linkLocalAddress,
            nodes[node].process != nil, nodes[node].unreadSessionPackets.count < machine.socketBacklog
        else { return }
        nodes[node].unreadSessionPackets.append(
            SessionTable.Datagram(
                interface: ports[index].configuration.index, source: packet.source, hopLimit: 255,
                arrival: localTime(of: node), octets: packet.octets))
        runSessions(of: node)
    }

    /// Whether a neighbor has failed for BFD over a link that carries packets both ways, so that it will be alive soon.
    var isAnySessionRecovering: Bool {
        links.contains { link in
            link.mutualReach?.count == 1
                && link.ports.contains { port in
                    nodes[ports[port].node].process?.hasFailedSession(on: ports[port].configuration.index) == true
                }
        }
    }
}
