internal import Addressing
internal import Authentication
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import OSPFPacket
internal import Timing

/// What somebody without a key sends to a port.
public enum Forgery: String, Hashable, Sendable, CaseIterable {
    /// A hello of a router that nobody knows, without a trailer.
    case stranger
    /// A hello in the name of a neighbor, without a trailer.
    case impostor
    /// A hello of a router that nobody knows, with a key that has the right identifier and another secret.
    case wrongKey
    /// A packet that the port has received, with one bit changed.
    case changed
    /// A packet that the port has received, once more.
    case replayed
}

/// A packet that a process has received and accepted on a port; somebody on the link may have recorded it.
struct RecordedPacket: Sendable {
    var source: IPv6Address
    var destination: IPv6Address
    var octets: [UInt8]
    /// The process that received it, as ``Machine/processNumber``: its successor knows nothing of it.
    var process: Int
    var time: Instant

    /// Address and router ID of the sender.
    var sender: [UInt8] { withUnsafeBytes(of: source) { Array($0) } + octets[4..<8] }

    /// How many packets are recorded on a port.
    static let limit = 32
}

extension Network {
    /// Sends a forged packet to a port. Promise: if packets must be authentic there, it is counted and changes nothing else.
    mutating func forge(_ forgery: Forgery, to port: Int) {
        let receiver = ports[port]
        guard nodes[receiver.node].isRunning, receiver.reported != nil, receiver.hasCarrier,
            let packet = packet(of: forgery, to: port)
        else { return }
        let interface = receiver.configuration.index
        guard let before = nodes[receiver.node].process, let router = before.router,
            before.authenticationPolicy(on: interface) == .required
        else { return }
        observer?(now, .delivery(node: receiver.node, interface: interface, octets: packet.octets))
        handle(
            .packet(
                interface: interface, source: packet.source, destination: packet.destination, octets: packet.octets),
            on: receiver.node)
        guard let after = nodes[receiver.node].process else { return }
        if after.authentication.refusalCount != before.authentication.refusalCount + 1 {
            report(.authentication, "\(name(receiver.node)) does not refuse a packet (\(forgery)) on \(interface)")
        }
        if after.router?.statistics != router.statistics || after.router?.neighborSnapshots != router.neighborSnapshots
        {
            report(.authentication, "a packet (\(forgery)) on \(interface) changes \(name(receiver.node))'s router")
        }
    }

    private mutating func packet(of forgery: Forgery, to port: Int) -> Machine.Packet? {
        let receiver = ports[port]
        let interface = receiver.configuration.index
        func packet(_ source: IPv6Address, _ destination: IPv6Address, _ octets: [UInt8]) -> Machine.Packet {
            Machine.Packet(interface: interface, source: source, destination: destination, octets: octets)
        }
        switch forgery {
        case .stranger, .wrongKey:
            let source = IPv6Address(high: 0xfe80 << 48, low: 0xbad0_0000_0000 | UInt64(random.below(8)))
            let hello = hello(to: port, from: source, routerID: RouterID(0xbad0_0000 | UInt32(random.below(8))))
            guard forgery == .wrongKey else { return packet(source, .allSPFRouters, hello) }
            return sealed(hello, from: source, for: receiver.node).map { packet(source, .allSPFRouters, $0) }
        case .impostor:
            let router = nodes[receiver.node].router
            guard let neighbor = router?.neighborSnapshots.first(where: { $0.interface == interface }) else {
                return nil
            }
            let hello = hello(to: port, from: neighbor.address, routerID: neighbor.routerID)
            return packet(neighbor.address, .allSPFRouters, hello)
        case .changed:
            guard let recorded = recordedPacket(to: port) else { return nil }
            var octets = recorded.octets
            octets[random.below(octets.count)] ^= 1 << UInt8(random.below(8))
            return packet(recorded.source, recorded.destination, octets)
        case .replayed:
            guard let recorded = recordedPacket(to: port) else { return nil }
            return packet(recorded.source, recorded.destination, recorded.octets)
        }
    }

    /// A hello that lists the receiver, so that a router that believes it has a neighbor in 2-Way.
    private func hello(to port: Int, from source: IPv6Address, routerID: RouterID) -> [UInt8] {
        let configuration = ports[port].configuration
        let hello = Hello(
            interfaceID: 7, priority: 255, options: [.v6, .e, .r],
            helloInterval: UInt16(configuration.helloInterval.components.seconds),
            deadInterval: UInt16(configuration.deadInterval.components.seconds), designatedRouter: routerID,
            backupDesignatedRouter: .none, neighbors: [nodes[ports[port].node].routerID])
        let header = PacketHeader(routerID: routerID, areaID: .backbone, instanceID: 0)
        return Packet(header: header, body: .hello(hello)).encode(source: source, destination: .allSPFRouters)
    }

    /// The packet with a trailer by a key that is like the node's, but for the secret.
    private func sealed(_ octets: [UInt8], from source: IPv6Address, for node: Int) -> [UInt8]? {
        guard var key = nodes[node].configuration.authentication.keys.keys.first else { return nil }
        key.secret = Array("a guess".utf8)
        var forger = PacketAuthentication(functions: .model, savedSequence: 0)
        forger.configure(KeyChain([key]), at: now)
        if let end = forger.takeReservation() { forger.reserve(end) }
        return forger.seal(octets, policy: .required, on: 0, from: source, to: .allSPFRouters, at: now)
    }

    /// A packet that the running process has accepted, and whose sender it still knows: what an earlier process heard, or a neighbor
    /// sent that was silent for the dead interval since, is not known any more (RFC 7166 §4.1).
    private mutating func recordedPacket(to port: Int) -> RecordedPacket? {
        let receiver = ports[port]
        let dead = receiver.configuration.deadInterval
        let known = receiver.recorded.filter { packet in
            packet.process == nodes[receiver.node].processNumber
                && receiver.recorded.contains { $0.sender == packet.sender && now - $0.time < dead }
        }
        return random.pick(known)
    }

    /// Records a packet that a process has accepted.
    mutating func record(_ packet: Machine.Packet, on node: Int) {
        guard let port = port(of: node, interface: packet.interface) else { return }
        if ports[port].recorded.count == RecordedPacket.limit { ports[port].recorded.removeFirst() }
        ports[port].recorded.append(
            RecordedPacket(
                source: packet.source, destination: packet.destination, octets: packet.octets,
                process: nodes[node].processNumber, time: now))
    }
}

extension PacketAuthentication {
    /// The number of packets refused, for any reason.
    var refusalCount: UInt64 { refusals.values.reduce(0, +) }
}
