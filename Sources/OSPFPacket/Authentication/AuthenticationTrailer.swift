/// The authentication trailer behind a packet (RFC 7166 §4.1), without the authentication data: a header of 16 octets. It is not part
/// of the packet's length.
public struct AuthenticationTrailer: Hashable, Sendable {
    /// The size of the header in octets.
    public static let headerSize = 16
    /// The size of the largest trailer in octets, that of HMAC-SHA-512. Every packet leaves room for it.
    public static let maximumSize = headerSize + 64
    /// Authentication type 1: an HMAC. No other is defined.
    static let hmac: UInt16 = 1

    /// Authentication type.
    public var type: UInt16
    /// The length of the whole trailer in octets (Auth Data Len).
    public var length: UInt16
    /// The identifier of the key (SA ID).
    public var keyID: UInt16
    /// The cryptographic sequence number. It increases from each packet of a sender to the next, also over restarts.
    public var sequence: UInt64

    /// A trailer with `dataSize` octets of authentication data.
    public init(keyID: UInt16, sequence: UInt64, dataSize: Int) {
        type = Self.hmac
        length = UInt16(Self.headerSize + dataSize)
        self.keyID = keyID
        self.sequence = sequence
    }
}

extension AuthenticationTrailer {
    /// Whether it is an HMAC, the only type there is.
    public var isHMAC: Bool { type == Self.hmac }

    /// Decodes the header at `offset`; `nil` if there is none, because fewer octets follow. The reserved field is ignored.
    public init?(in octets: [UInt8], at offset: Int) {
        guard offset >= 0, octets.count - offset >= Self.headerSize else { return nil }
        let bytes = octets.span.bytes
        type = bytes.uint16(at: offset)
        length = bytes.uint16(at: offset + 2)
        keyID = bytes.uint16(at: offset + 6)
        sequence = bytes.uint64(at: offset + 8)
    }

    /// Appends the header.
    public func encode(into octets: inout [UInt8]) {
        octets.append(type)
        octets.append(length)
        octets.append(0 as UInt16)
        octets.append(keyID)
        octets.append(UInt32(truncatingIfNeeded: sequence >> 32))
        octets.append(UInt32(truncatingIfNeeded: sequence))
    }
}
