public import Addressing

extension Packet {
    /// Decodes a packet. `octets` is the whole IPv6 payload, from the OSPF header on.
    ///
    /// The checksum is compared unless `verifyChecksum` is false, which only fuzzers and tests use. Damaged LSAs in an update
    /// are left out and counted; any other error rejects the packet. Octets past the packet's own length are ignored if the
    /// options of a hello or database description announce them (RFC 5613 §2, RFC 7166 §2.1); otherwise the packet is rejected.
    public static func decode(
        _ octets: [UInt8], source: IPv6Address, destination: IPv6Address, verifyChecksum: Bool = true
    ) throws(DecodingError) -> Packet {
        try decode(octets.span.bytes, source: source, destination: destination, verifyChecksum: verifyChecksum)
    }

    /// Decodes a packet from a span; see ``decode(_:source:destination:verifyChecksum:)-([UInt8],_,_,_)``.
    public static func decode(
        _ octets: RawSpan, source: IPv6Address, destination: IPv6Address, verifyChecksum: Bool = true
    ) throws(DecodingError) -> Packet {
        guard octets.byteCount >= PacketHeader.size else { throw .truncated }
        guard octets.uint8(at: 0) == PacketHeader.version else { throw .version }
        guard let type = PacketType(rawValue: octets.uint8(at: 1)) else { throw .type }
        let length = Int(octets.uint16(at: 2))
        guard length >= PacketHeader.size else { throw .length }
        guard length <= octets.byteCount else { throw .truncated }
        let whole = octets.extracting(0..<length)
        if verifyChecksum, !InternetChecksum.isValid(whole, source: source, destination: destination) {
            throw .checksum
        }

        let body = try Body(decoding: octets.extracting(PacketHeader.size..<length), type: type)
        guard length == octets.byteCount || body.announcesTrailer else { throw .length }
        return Packet(header: PacketHeader(decoding: whole), body: body)
    }
}

extension Packet.Body {
    /// Decodes the octets after the packet header.
    init(decoding octets: RawSpan, type: PacketType) throws(DecodingError) {
        self =
            switch type {
            case .hello: .hello(try Hello(decoding: octets))
            case .databaseDescription: .databaseDescription(try DatabaseDescription(decoding: octets))
            case .linkStateRequest: .linkStateRequest(try LinkStateRequest(decoding: octets))
            case .linkStateUpdate: .linkStateUpdate(try LinkStateUpdate(decoding: octets))
            case .linkStateAcknowledgment: .linkStateAcknowledgment(try LinkStateAcknowledgment(decoding: octets))
            }
    }

    /// Whether the options announce octets after the packet: link-local signaling or an authentication trailer.
    fileprivate var announcesTrailer: Bool {
        switch self {
        case .hello(let hello): !hello.options.isDisjoint(with: [.l, .at])
        case .databaseDescription(let description): !description.options.isDisjoint(with: [.l, .at])
        default: false
        }
    }
}
