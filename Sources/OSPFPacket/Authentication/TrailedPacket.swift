public import Addressing

/// The octets of a packet as they are on the wire, with what may follow the packet itself: a block of link-local signaling
/// (RFC 5613) and an authentication trailer (RFC 7166). Only so much is decoded as is needed to find the parts.
public struct TrailedPacket: Sendable {
    /// All octets, from the OSPF header on.
    public private(set) var octets: [UInt8]
    public let type: PacketType
    /// The sender, as it says.
    public let routerID: RouterID
    /// The end of the packet itself: its length field.
    public let packetEnd: Int
    /// Where a trailer begins: after the packet and the block of link-local signaling.
    public let trailerOffset: Int
    /// Whether the AT-bit says that a trailer follows; `nil` for types without options.
    public let announcesTrailer: Bool?

    /// The offset of the options in hellos and database descriptions, if the packet has any.
    private let optionsOffset: Int?

    /// Finds the parts. `nil` if the header, the options or the block of link-local signaling are not complete.
    public init?(_ octets: [UInt8]) {
        let bytes = octets.span.bytes
        guard bytes.byteCount >= PacketHeader.size, bytes.uint8(at: 0) == PacketHeader.version,
            let type = PacketType(rawValue: bytes.uint8(at: 1))
        else { return nil }
        let length = Int(bytes.uint16(at: 2))
        guard length >= PacketHeader.size, length <= bytes.byteCount else { return nil }
        let word: Int?
        switch type {
        case .hello: word = PacketHeader.size + Hello.optionsWord
        case .databaseDescription: word = PacketHeader.size + DatabaseDescription.optionsWord
        case .linkStateRequest, .linkStateUpdate, .linkStateAcknowledgment: word = nil
        }
        var end = length
        if let word {
            guard length >= word + 4 else { return nil }
            let options = bytes.options(at: word)
            if options.contains(.l) {
                // The length of the block is in words, and includes its header of four octets (RFC 5613 §2.2).
                guard bytes.byteCount - length >= 4 else { return nil }
                let size = Int(bytes.uint16(at: length + 2)) * 4
                guard size >= 4, size <= bytes.byteCount - length else { return nil }
                end += size
            }
            announcesTrailer = options.contains(.at)
        } else {
            announcesTrailer = nil
        }
        self.octets = octets
        self.type = type
        routerID = bytes.routerID(at: 4)
        packetEnd = length
        trailerOffset = end
        optionsOffset = word
    }

    /// Whether anything follows the packet and the block of link-local signaling.
    public var hasTrailer: Bool { octets.count > trailerOffset }

    /// Whether the checksum is left out (RFC 7166 §4.2).
    public var lacksChecksum: Bool { octets.span.bytes.uint16(at: 12) == 0 }

    /// Whether the packet's checksum is correct.
    public func isChecksumValid(source: IPv6Address, destination: IPv6Address) -> Bool {
        InternetChecksum.isValid(octets.span.bytes.extracting(0..<packetEnd), source: source, destination: destination)
    }

    /// The packet as its sender would send it without authentication: without trailer and AT-bit, and with a checksum, which packets
    /// with a trailer need not have (RFC 7166 §4.2).
    public func withoutTrailer(source: IPv6Address, destination: IPv6Address) -> [UInt8] {
        var plain = octets
        plain.removeSubrange(trailerOffset...)
        if let optionsOffset { plain.changeOptions(at: optionsOffset) { $0.subtracting(.at) } }
        plain.replaceChecksum(of: packetEnd, source: source, destination: destination)
        return plain
    }

    /// Begins a packet with a trailer, from one without: sets the AT-bit, and the checksum to that of the packet, or to 0.
    public func announcingTrailer(
        withChecksum hasChecksum: Bool, source: IPv6Address, destination: IPv6Address
    ) -> [UInt8] {
        var announcing = octets
        announcing.reserveCapacity(octets.count + AuthenticationTrailer.maximumSize)
        if let optionsOffset { announcing.changeOptions(at: optionsOffset) { $0.union(.at) } }
        if hasChecksum {
            announcing.replaceChecksum(of: packetEnd, source: source, destination: destination)
        } else {
            announcing.replace(at: InternetChecksum.offset, with: 0 as UInt16)
        }
        return announcing
    }
}

extension [UInt8] {
    /// Changes the options in the last three of the four octets at `offset`.
    fileprivate mutating func changeOptions(at offset: Int, _ change: (OSPFOptions) -> OSPFOptions) {
        let options = change(span.bytes.options(at: offset))
        replace(at: offset, with: UInt32(self[offset]) << 24 | options.rawValue)
    }

    /// Calculates the checksum of the first `length` octets.
    fileprivate mutating func replaceChecksum(of length: Int, source: IPv6Address, destination: IPv6Address) {
        replace(at: InternetChecksum.offset, with: 0 as UInt16)
        let checksum = InternetChecksum.compute(
            span.bytes.extracting(0..<length), source: source, destination: destination)
        replace(at: InternetChecksum.offset, with: checksum)
    }
}
