/// An IPv6 address, kept as two host-order words so that comparing and masking take only a few instructions.
public struct IPv6Address: Hashable, Sendable {
    /// The first eight octets, most significant first.
    public var high: UInt64
    /// The last eight octets, most significant first.
    public var low: UInt64

    /// Makes an address from its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// `::`, the unspecified address (RFC 4291 §2.5.2).
    public static let unspecified = IPv6Address(high: 0, low: 0)
    /// `::1`, the loopback address (RFC 4291 §2.5.3).
    public static let loopback = IPv6Address(high: 0, low: 1)

    /// An IPv4 address in its IPv4-mapped form, `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
    public init(_ address: IPv4Address) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(address.rawValue))
    }

    /// The IPv4 address of which this is the mapped form; `nil` for all others.
    public var ipv4: IPv4Address? {
        high == 0 && low >> 32 == 0xffff ? IPv4Address(UInt32(truncatingIfNeeded: low)) : nil
    }

    /// `fe80::/10` (RFC 4291 §2.5.6).
    public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }
    /// `ff00::/8` (RFC 4291 §2.7).
    public var isMulticast: Bool { high >> 56 == 0xff }
    /// `::`.
    public var isUnspecified: Bool { high | low == 0 }
    /// Whether it can be routed: it is not unspecified, loopback, link-local, multicast, or a reserved IPv4 address.
    public var isRoutable: Bool {
        if let ipv4 { return !IPv4Prefix(ipv4, length: 32).isReserved }
        return !isUnspecified && self != .loopback && !isLinkLocal && !isMulticast
    }

    /// Makes an address from eight 16-bit groups.
    public init(_ a: UInt16, _ b: UInt16, _ c: UInt16, _ d: UInt16, _ e: UInt16, _ f: UInt16, _ g: UInt16, _ h: UInt16)
    {
        high = UInt64(a) << 48 | UInt64(b) << 32 | UInt64(c) << 16 | UInt64(d)
        low = UInt64(e) << 48 | UInt64(f) << 32 | UInt64(g) << 16 | UInt64(h)
    }

    /// Makes an address from exactly 16 octets in network order; `nil` for any other count.
    public init?(octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, octet) in octets.enumerated() {
            if index < 8 { high = high << 8 | UInt64(octet) } else { low = low << 8 | UInt64(octet) }
        }
        self.init(high: high, low: low)
    }

    /// The 16 octets in network order.
    public var octets: [UInt8] {
        (0..<16).map { self[octet: $0] }
    }

    /// The octet at `index`, 0 being the first on the wire.
    public subscript(octet index: Int) -> UInt8 {
        precondition((0..<16).contains(index))
        return index < 8
            ? UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            : UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * (index - 8)))
    }

    /// This address with all but its first `length` bits (0–128) cleared.
    public func masked(to length: Int) -> IPv6Address {
        precondition((0...128).contains(length))
        return IPv6Address(
            high: length >= 64 ? high : (length == 0 ? 0 : high & (UInt64.max << UInt64(64 - length))),
            low: length <= 64 ? 0 : (length == 128 ? low : low & (UInt64.max << UInt64(128 - length))))
    }
}

extension IPv6Address: Comparable {
    /// Compares the addresses as unsigned numbers of 128 bits.
    public static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }
}
