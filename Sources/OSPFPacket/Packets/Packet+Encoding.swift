public import Addressing

extension Packet {
    /// The packet's octets, with its length, and with its checksum, which includes the addresses. The packet must not be
    /// larger than 65,535 octets: the functions `capacity(mtu:)` of descriptions, requests and acknowledgments tell callers how
    /// much fits.
    public func encode(source: IPv6Address, destination: IPv6Address) -> [UInt8] {
        var octets = header.begin(body.type, reserving: PacketHeader.size + body.size)
        switch body {
        case .hello(let hello): hello.encode(into: &octets)
        case .databaseDescription(let description): description.encode(into: &octets)
        case .linkStateRequest(let request): request.encode(into: &octets)
        case .linkStateUpdate(let update): update.encode(into: &octets)
        case .linkStateAcknowledgment(let acknowledgment): acknowledgment.encode(into: &octets)
        }
        PacketHeader.seal(&octets, source: source, destination: destination)
        return octets
    }
}

extension Packet.Body {
    public var type: PacketType {
        switch self {
        case .hello: .hello
        case .databaseDescription: .databaseDescription
        case .linkStateRequest: .linkStateRequest
        case .linkStateUpdate: .linkStateUpdate
        case .linkStateAcknowledgment: .linkStateAcknowledgment
        }
    }

    /// The size of the body in octets, without the packet header.
    var size: Int {
        switch self {
        case .hello(let hello): hello.size
        case .databaseDescription(let description): description.size
        case .linkStateRequest(let request): request.size
        case .linkStateUpdate(let update): update.size
        case .linkStateAcknowledgment(let acknowledgment): acknowledgment.size
        }
    }
}
