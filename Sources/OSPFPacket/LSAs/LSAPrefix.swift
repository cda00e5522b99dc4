public import Addressing

/// A prefix with its options and the 16 bits whose meaning depends on the LSA (RFC 5340 §A.4.1).
public struct LSAPrefix: Hashable, Sendable {
    /// The prefix.
    public var prefix: IPv6Prefix
    /// Its options.
    public var options: PrefixOptions
    /// In intra-area-prefix-LSAs the prefix's metric; elsewhere 0.
    public var metric: UInt16

    /// Makes an entry.
    public init(prefix: IPv6Prefix, options: PrefixOptions = [], metric: UInt16 = 0) {
        self.prefix = prefix
        self.options = options
        self.metric = metric
    }
}

extension LSAPrefix {
    /// The octets before the prefix's bits.
    static let fixedSize = 4
    /// The octets the entry takes in an LSA: 4 to 20, as the bits come in whole words.
    public var size: Int { Self.fixedSize + Self.bitsSize(length: prefix.length) }

    /// The octets of a prefix's bits.
    private static func bitsSize(length: Int) -> Int { (length + 31) / 32 * 4 }

    /// Reads the entry at `offset`, whose 16 bits of changing meaning go to `metric`, and moves `offset` behind it.
    /// Bits past the prefix's length do not count, whatever they are.
    init(decoding octets: RawSpan, at offset: inout Int) throws(DecodingError) {
        guard octets.byteCount - offset >= Self.fixedSize else { throw .truncated }
        let length = Int(octets.uint8(at: offset))
        guard length <= 128 else { throw .prefix }
        let size = Self.bitsSize(length: length)
        options = PrefixOptions(rawValue: octets.uint8(at: offset + 1))
        metric = octets.uint16(at: offset + 2)
        offset += Self.fixedSize
        guard octets.byteCount - offset >= size else { throw .prefix }
        var address = IPv6Address.unspecified
        if size > 0 { address.high = UInt64(octets.uint32(at: offset)) << 32 }
        if size > 4 { address.high |= UInt64(octets.uint32(at: offset + 4)) }
        if size > 8 { address.low = UInt64(octets.uint32(at: offset + 8)) << 32 }
        if size > 12 { address.low |= UInt64(octets.uint32(at: offset + 12)) }
        prefix = IPv6Prefix(address, length: length)
        offset += size
    }

    /// Reads `count` entries, which must take all octets from `offset` to the end.
    static func list(decoding octets: RawSpan, from offset: Int, count: UInt32) throws(DecodingError) -> [LSAPrefix] {
        guard count <= (octets.byteCount - offset) / fixedSize else { throw .length }
        var prefixes: [LSAPrefix] = []
        prefixes.reserveCapacity(Int(count))
        var offset = offset
        for _ in 0..<count { prefixes.append(try LSAPrefix(decoding: octets, at: &offset)) }
        guard offset == octets.byteCount else { throw .length }
        return prefixes
    }

    /// Writes the entry. `field` is what stands where some LSAs have a metric, others something else or nothing.
    func encode(into octets: inout [UInt8], field: UInt16 = 0) {
        octets.append(UInt8(prefix.length))
        octets.append(options.rawValue)
        octets.append(field)
        let address = prefix.address
        let size = Self.bitsSize(length: prefix.length)
        if size > 0 { octets.append(UInt32(address.high >> 32)) }
        if size > 4 { octets.append(UInt32(truncatingIfNeeded: address.high)) }
        if size > 8 { octets.append(UInt32(address.low >> 32)) }
        if size > 12 { octets.append(UInt32(truncatingIfNeeded: address.low)) }
    }
}
