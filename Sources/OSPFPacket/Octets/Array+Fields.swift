import Addressing

/// Writes the fields of RFC 5340's diagrams, in network byte order.
extension [UInt8] {
    /// Appends two octets.
    mutating func append(_ value: UInt16) {
        append(UInt8(value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    /// Appends four octets.
    mutating func append(_ value: UInt32) {
        append(UInt16(value >> 16))
        append(UInt16(truncatingIfNeeded: value))
    }

    /// Appends a 32-bit word: an octet and the low 24 bits of `value`.
    mutating func append(_ octet: UInt8 = 0, low24 value: UInt32) {
        append(UInt32(octet) << 24 | value & 0xff_ffff)
    }

    /// Appends the 16 octets of an address.
    mutating func append(_ address: IPv6Address) {
        for half in [address.high, address.low] {
            append(UInt32(half >> 32))
            append(UInt32(truncatingIfNeeded: half))
        }
    }

    /// Replaces the two octets at `offset`.
    mutating func replace(at offset: Int, with value: UInt16) {
        self[offset] = UInt8(value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    /// Replaces the four octets at `offset`.
    mutating func replace(at offset: Int, with value: UInt32) {
        replace(at: offset, with: UInt16(value >> 16))
        replace(at: offset + 2, with: UInt16(truncatingIfNeeded: value))
    }
}
