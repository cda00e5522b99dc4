import Addressing

/// Reads the fields of RFC 5340's diagrams, in network byte order. Callers have checked the sizes before. The bounds are
/// checked again, so that a bug stops the program instead of reading past the end.
extension RawSpan {
    /// The octet at `offset`.
    @inline(__always)
    func uint8(at offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// The two octets at `offset`.
    @inline(__always)
    func uint16(at offset: Int) -> UInt16 {
        UInt16(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The four octets at `offset`.
    @inline(__always)
    func uint32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The eight octets at `offset`.
    @inline(__always)
    func uint64(at offset: Int) -> UInt64 {
        UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The last three of the four octets at `offset`: options and metrics share their 32-bit word with an octet before them.
    @inline(__always)
    func uint24(at offset: Int) -> UInt32 { uint32(at: offset) & 0xff_ffff }

    /// The options in the last three of the four octets at `offset`.
    func options(at offset: Int) -> OSPFOptions { OSPFOptions(rawValue: uint24(at: offset)) }

    /// The router ID at `offset`.
    func routerID(at offset: Int) -> RouterID { RouterID(uint32(at: offset)) }

    /// The address in the 16 octets at `offset`.
    func address(at offset: Int) -> IPv6Address {
        IPv6Address(high: uint64(at: offset), low: uint64(at: offset + 8))
    }

    /// A copy of the octets in `range`.
    func octets(in range: Range<Int>) -> [UInt8] { extracting(range).withUnsafeBytes { [UInt8]($0) } }

    /// All router IDs from `offset` to the end. Callers have checked that the length is a multiple of 4.
    func routerIDs(from offset: Int) -> [RouterID] {
        var identifiers: [RouterID] = []
        identifiers.reserveCapacity((byteCount - offset) / 4)
        for offset in stride(from: offset, to: byteCount, by: 4) { identifiers.append(routerID(at: offset)) }
        return identifiers
    }
}
