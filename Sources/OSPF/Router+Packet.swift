import Addressing
import OSPFPacket
internal import Timing

/// Checks of received packets (RFC 5340 §4.2.2). Packets that fail a check are rejected, the others are dispatched by
/// type.
extension Router {
    mutating func receive(
        _ octets: [UInt8], on interface: UInt32, from source: IPv6Address, to destination: IPv6Address,
        at now: Instant
    ) {
        guard interfaces.contains(interface), !interfaces[interface].isPassive else {
            return reject(.interface)
        }
        guard source.isLinkLocal, isListening(to: destination, on: interface) else { return reject(.address) }
        let packet: Packet
        do {
            packet = try Packet.decode(octets, source: source, destination: destination)
        } catch {
            statistics.decodingErrors[error, default: 0] += 1
            return
        }
        guard packet.header.areaID == configuration.areaID else {
            recordAreaMismatch(packet, on: interface, at: now)
            return reject(.area)
        }
        guard packet.header.instanceID == configuration.instanceID else {
            recordInstanceMismatch(packet, on: interface, at: now)
            return reject(.instance)
        }
        let router = packet.header.routerID
        guard router != .none else { return reject(.routerID) }
        guard router != routerID else {
            if case .hello(let hello) = packet.body, let sender = ownSender(of: hello, from: source) {
                return receivedOwnHello(sender, on: interface, at: now)
            }
            reject(.routerID)
            return receivedOwnRouterID(from: source, on: interface, at: now)
        }
        // An interface on standby ignores packets, because the active interface receives them too.
        guard !interfaces[interface].isSilent else { return }
        statistics.packetsReceived[Int(packet.body.type.rawValue)] += 1
        if case .hello(let hello) = packet.body {
            return receive(hello, from: router, at: source, on: interface, now: now)
        }
        let neighbor = NeighborKey(interface: interface, router: router)
        guard interfaces.contains(neighbor), interfaces[neighbor].address == source else {
            return reject(.unknownNeighbor)
        }
        switch packet.body {
        case .hello: break
        case .databaseDescription(let description): receive(description, from: neighbor, at: now)
        case .linkStateRequest(let request): receive(request, from: neighbor, at: now)
        case .linkStateUpdate(let update): receive(update, from: neighbor, at: now)
        case .linkStateAcknowledgment(let acknowledgment): receive(acknowledgment, from: neighbor, at: now)
        }
    }

    /// Whether packets to an address are for this router. The kernel passes on packets to groups that any program has joined.
    private func isListening(to destination: IPv6Address, on interface: UInt32) -> Bool {
        if destination == .allSPFRouters { return true }
        if destination == interfaces[interface].configuration.linkLocalAddress { return true }
        guard destination == .allDRouters else { return false }
        let state = interfaces[interface].state(of: routerID)
        return state == .designated || state == .backup
    }
}
