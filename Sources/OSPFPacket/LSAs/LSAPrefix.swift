public import Addressing

/// A prefix with its options and the 16 bits whose meaning depends on the LSA (RFC 5340 §A.4.1).
public struct LSAPrefix: Hashable, Sendable {
    /// The prefix.
    public var prefix: IPv6Prefix
    /// Its options.
    public var options: PrefixOptions
    /// The metric of the prefix in LSAs that list the prefixes of a router or network. The decoders of other LSAs, where the
    /// 16 bits mean nothing or something else, set it to 0.
    public var metric: UInt16

    public init(prefix: IPv6Prefix, options: PrefixOptions = [], metric: UInt16 = 0) {
        self.prefix = prefix
        self.options = options
        self.metric = metric
    }
}

extension LSAPrefix {
    /// The address family of the prefixes in an LSA, which its LS type determines. The raw value is the maximum prefix length.
    public enum Family: Int, Sendable {
        /// IPv6, as in all LSAs of RFC 5340.
        case ipv6 = 128
        /// IPv4, as in ``IPv4PrefixLSA``: 32 bits in the LSA, the IPv4-mapped form in ``LSAPrefix/prefix``.
        case ipv4 = 32

        /// The maximum prefix length.
        var bits: Int { rawValue }
        /// By how many bits a prefix is longer in its IPv4-mapped form.
        var extraBitsWhenMapped: Int { 128 - bits }
    }

    /// The size of an entry before the bits of the prefix, in octets: length, options, and the 16 bits.
    static let fixedSize = 4

    /// The size of the entry in an LSA of IPv6 prefixes, in octets: 4 to 20. The bits are padded to whole 32-bit words.
    public var size: Int { size(in: .ipv6) }
    /// The size of the entry in an LSA of IPv4 prefixes, in octets: 4 or 8. The prefix must be an IPv4 prefix.
    public var sizeInIPv4: Int { size(in: .ipv4) }

    private func size(in family: Family) -> Int {
        Self.fixedSize + 4 * Self.words(length: prefix.length - family.extraBitsWhenMapped)
    }

    /// The number of 32-bit words for the bits of a prefix.
    private static func words(length: Int) -> Int { (length + 31) / 32 }

    /// Decodes the entry at `offset` and moves `offset` past it. The 16 bits whose meaning depends on the LSA are stored in
    /// `metric`, whatever they mean: the caller moves or clears them. Bits beyond the prefix length are ignored.
    init(decoding octets: RawSpan, at offset: inout Int, family: Family = .ipv6) throws(DecodingError) {
        guard octets.byteCount - offset >= Self.fixedSize else { throw .truncated }
        let length = Int(octets.uint8(at: offset))
        guard length <= family.bits else { throw .prefix }
        let words = Self.words(length: length)
        options = PrefixOptions(rawValue: octets.uint8(at: offset + 1))
        metric = octets.uint16(at: offset + 2)
        offset += Self.fixedSize
        guard octets.byteCount - offset >= 4 * words else { throw .prefix }
        func word(_ index: Int) -> UInt32 { index < words ? octets.uint32(at: offset + 4 * index) : 0 }
        switch family {
        case .ipv6:
            let address = IPv6Address(
                high: UInt64(word(0)) << 32 | UInt64(word(1)), low: UInt64(word(2)) << 32 | UInt64(word(3)))
            prefix = IPv6Prefix(address, length: length)
        case .ipv4: prefix = IPv6Prefix(IPv4Prefix(IPv4Address(word(0)), length: length))
        }
        offset += 4 * words
    }

    /// Decodes `count` entries, which must use all octets from `offset` to the end.
    static func list(
        decoding octets: RawSpan, from offset: Int, count: UInt32, family: Family = .ipv6
    ) throws(DecodingError) -> [LSAPrefix] {
        guard count <= (octets.byteCount - offset) / fixedSize else { throw .length }
        var prefixes: [LSAPrefix] = []
        prefixes.reserveCapacity(Int(count))
        var offset = offset
        for _ in 0..<count { prefixes.append(try LSAPrefix(decoding: octets, at: &offset, family: family)) }
        guard offset == octets.byteCount else { throw .length }
        return prefixes
    }

    /// Encodes the entry. `field` is the 16 bits whose meaning depends on the LSA: the metric, the referenced LS type
    /// (``ASExternalLSA``), or 0. In an LSA of IPv4 prefixes, `prefix` must be an IPv4 prefix.
    func encode(into octets: inout [UInt8], field: UInt16 = 0, family: Family = .ipv6) {
        let length = prefix.length - family.extraBitsWhenMapped
        precondition(length >= 0, "an IPv6 prefix has no place among IPv4's")
        octets.append(UInt8(length))
        octets.append(options.rawValue)
        octets.append(field)
        // The 32-bit words of the address, numbered 0–3: those of an IPv4 prefix begin at the last one.
        let first = family.extraBitsWhenMapped / 32
        for index in first..<first + Self.words(length: length) {
            let half = index < 2 ? prefix.address.high : prefix.address.low
            octets.append(UInt32(truncatingIfNeeded: index & 1 == 0 ? half >> 32 : half))
        }
    }
}
