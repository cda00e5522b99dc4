internal import Addressing
internal import Authentication
internal import Node
internal import OSPF
internal import OSPFPacket

/// LSAs of earlier runs.
extension Network {
    mutating func replay(_ node: Int, sequenceNumber: Int32, isStray: Bool) {
        guard let (receiver, sender) = randomNeighbors(),
            let lsa = isStray
                ? strayLSA(of: node, sequenceNumber: sequenceNumber) : ownLSA(of: node, sequenceNumber: sequenceNumber)
        else { return }
        // Each receives it as if from the other: a router stores only what its neighbors sent.
        deliver(lsa, from: sender, to: receiver)
        deliver(lsa, from: receiver, to: sender)
    }

    private mutating func deliver(_ lsa: LSA, from sender: Int, to receiver: Int) {
        let source = ports[sender].configuration.linkLocalAddress
        let destination = ports[receiver].configuration.linkLocalAddress
        let header = PacketHeader(routerID: nodes[ports[sender].node].routerID, areaID: .backbone, instanceID: 0)
        let packet = Packet(header: header, body: .linkStateUpdate(LinkStateUpdate(lsas: [lsa])))
        let octets = packet.encode(source: source, destination: destination)
        enqueue(.delivery(port: receiver, source: source, destination: destination, octets: octets), after: .zero)
    }

    /// Two ports on one link, chosen at random, whose routers are Full with each other and accept packets without a key, so that both accept
    /// the LSA; `nil` if there are none.
    private mutating func randomNeighbors() -> (Int, Int)? {
        var candidates: [(Int, Int)] = []
        for link in links {
            for one in link.ports {
                for other in link.ports
                where other != one && isFull(from: one, to: other) && isFull(from: other, to: one)
                    && !requiresKey(one) && !requiresKey(other)
                {
                    candidates.append((one, other))
                }
            }
        }
        return random.pick(candidates)
    }

    private func requiresKey(_ port: Int) -> Bool {
        let interface = ports[port].configuration.index
        return nodes[ports[port].node].process?.authenticationPolicy(on: interface) == .required
    }

    private func isFull(from near: Int, to far: Int) -> Bool {
        let neighbors = nodes[ports[near].node].isRunning ? nodes[ports[near].node].router?.neighborSnapshots : nil
        return neighbors?.contains {
            $0.interface == ports[near].configuration.index && $0.state == .full
                && $0.address == ports[far].configuration.linkLocalAddress
        } == true
    }

    /// One of the LSAs that the node originates, chosen at random, with this sequence number; `nil` if it has none. Link-local
    /// ones are left out: they never leave their link, and the two neighbors may be elsewhere.
    private mutating func ownLSA(of node: Int, sequenceNumber: Int32) -> LSA? {
        let database = nodes[node].router?.databaseSnapshot(at: localTime(of: node)) ?? []
        let own = database.map(\.lsa).filter {
            $0.key.advertisingRouter == nodes[node].routerID && $0.key.type.scope != .linkLocal
        }
        guard let lsa = random.pick(own), let body = try? lsa.body() else { return nil }
        return LSA(key: lsa.key, sequenceNumber: sequenceNumber, body: body)
    }

    /// An LSA that the node does not originate: no node uses its link state ID or its prefix.
    private func strayLSA(of node: Int, sequenceNumber: Int32) -> LSA? {
        let routerID = nodes[node].routerID
        let prefix = IPv6Prefix(IPv6Address(high: 0x2001_0db8_dead_0000, low: 0), length: 64)
        let body = IntraAreaPrefixLSA(
            referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: routerID,
            prefixes: [LSAPrefix(prefix: prefix)])
        return LSA(
            key: LSAKey(type: .intraAreaPrefix, linkStateID: 0xdead, advertisingRouter: routerID),
            sequenceNumber: sequenceNumber, body: .intraAreaPrefix(body))
    }
}
