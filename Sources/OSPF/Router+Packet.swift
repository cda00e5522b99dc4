import Addressing
import OSPFPacket
internal import Timing

/// The door for packets (RFC 5340 §4.2.2): what does not belong here goes no further.
extension Router {
    mutating func receive(
        _ octets: [UInt8], on interface: UInt32, from source: IPv6Address, to destination: IPv6Address,
        at now: Instant
    ) {
        guard let position = interfacePosition(interface), !interfaces[position].isPassive else {
            return reject(.interface)
        }
        guard source.isLinkLocal, isListening(to: destination, on: position) else { return reject(.address) }
        let packet: Packet
        do {
            packet = try Packet.decode(octets, source: source, destination: destination)
        } catch {
            statistics.decodingErrors[error, default: 0] += 1
            return
        }
        guard packet.header.areaID == configuration.areaID else {
            noteForeignArea(packet, on: position, at: now)
            return reject(.area)
        }
        guard packet.header.instanceID == configuration.instanceID else { return reject(.instance) }
        let router = packet.header.routerID
        guard router != .none else { return reject(.routerID) }
        guard router != routerID else {
            if case .hello(let hello) = packet.body, let sender = senderPosition(of: hello, from: source) {
                return heardOwnInterface(sender, on: position, at: now)
            }
            reject(.routerID)
            return noteOwnIDHeard(from: source, on: position, at: now)
        }
        // The active interface hears them too.
        guard !interfaces[position].isSilent else { return }
        statistics.packetsReceived[Int(packet.body.type.rawValue)] += 1
        if case .hello(let hello) = packet.body {
            return receive(hello, from: router, at: source, on: position, now: now)
        }
        guard let index = interfaces[position].neighborIndex(of: router),
            interfaces[position].neighbors[index].address == source
        else { return reject(.unknownNeighbor) }
        switch packet.body {
        case .hello: break
        case .databaseDescription(let description): receive(description, position: position, index, at: now)
        case .linkStateRequest(let request): receive(request, position: position, index, at: now)
        case .linkStateUpdate(let update): receive(update, position: position, index, at: now)
        case .linkStateAcknowledgment(let acknowledgment): receive(acknowledgment, position: position, index, at: now)
        }
    }

    private func isListening(to destination: IPv6Address, on position: Int) -> Bool {
        if destination == .allSPFRouters { return true }
        if destination == interfaces[position].configuration.linkLocalAddress { return true }
        guard destination == .allDRouters else { return false }
        let state = interfaces[position].state(of: routerID)
        return state == .designated || state == .backup
    }
}
