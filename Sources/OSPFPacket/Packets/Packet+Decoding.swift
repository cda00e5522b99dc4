public import Addressing

extension Packet {
    /// Reads a packet. `octets` begins at the OSPF header and ends where the IPv6 payload ends.
    ///
    /// The checksum is compared unless `verifyChecksum` is false, for when somebody else has done so. LSAs in an
    /// update that are damaged are left out and counted; everything else that is wrong refuses the packet. Octets
    /// past the packet's own length are refused too, unless its options announce them (RFC 5613 §2, RFC 7166 §2.1):
    /// whoever checks an authentication trailer takes it off before.
    public static func decode(
        _ octets: [UInt8], source: IPv6Address, destination: IPv6Address, verifyChecksum: Bool = true
    ) throws(DecodingError) -> Packet {
        try decode(octets.span.bytes, source: source, destination: destination, verifyChecksum: verifyChecksum)
    }

    /// Reads a packet from a span; see ``decode(_:source:destination:verifyChecksum:)-([UInt8],_,_,_)``.
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
    /// Reads what stands after the packet header.
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

    /// Whether the options say that something follows the packet.
    fileprivate var announcesTrailer: Bool {
        switch self {
        case .hello(let hello): !hello.options.isDisjoint(with: [.l, .at])
        case .databaseDescription(let description): !description.options.isDisjoint(with: [.l, .at])
        default: false
        }
    }
}
