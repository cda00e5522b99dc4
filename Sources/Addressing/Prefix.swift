/// An IPv6 prefix, or an IPv4 prefix in its IPv4-mapped form.
public struct IPv6Prefix: Hashable, Sendable {
    /// The prefix's bits; those past `length` are zero.
    public let address: IPv6Address
    /// ``length`` in one octet, because tables of prefixes are large.
    private let storedLength: UInt8

    /// The number of leading bits that count, 0–128.
    public var length: Int { Int(storedLength) }

    /// Makes a prefix of `address`, clearing the bits past `length` (0–128).
    public init(_ address: IPv6Address, length: Int) {
        self.address = address.masked(to: length)
        storedLength = UInt8(length)
    }

    /// `::/0`.
    public static let `default` = IPv6Prefix(.unspecified, length: 0)

    /// The /128 of an address, which for an IPv4 address is its /32.
    public init(host address: IPv6Address) { self.init(address, length: 128) }

    /// Makes the IPv4-mapped form of an IPv4 prefix (RFC 4291 §2.5.5.2), so that code for IPv6 prefixes handles it too:
    /// `10.0.0.0/8` is `::ffff:10.0.0.0/104`.
    public init(_ prefix: IPv4Prefix) {
        self.init(IPv6Address(prefix.address), length: 96 + prefix.length)
    }

    /// The IPv4 prefix of which this is the mapped form; `nil` for all others.
    public var ipv4: IPv4Prefix? {
        guard length >= 96, let address = address.ipv4 else { return nil }
        return IPv4Prefix(address, length: length - 96)
    }

    /// Whether it is a single address.
    public var isHost: Bool { length == 128 }
    /// Whether it is a default route: `::/0` or `0.0.0.0/0`.
    public var isDefault: Bool { length == 0 || length == 96 && address.ipv4 != nil }

    /// Whether `address` lies in this prefix.
    public func contains(_ address: IPv6Address) -> Bool { address.masked(to: length) == self.address }

    /// Whether all of `other` lies in this prefix.
    public func contains(_ other: IPv6Prefix) -> Bool { other.length >= length && contains(other.address) }
}

extension IPv6Prefix: Comparable {
    /// By address, then by length, the shorter prefix first.
    public static func < (left: IPv6Prefix, right: IPv6Prefix) -> Bool {
        left.address != right.address ? left.address < right.address : left.storedLength < right.storedLength
    }
}

extension IPv6Prefix: CustomStringConvertible, LosslessStringConvertible {
    /// `address/length`; the mapped form of an IPv4 prefix is written as the IPv4 prefix.
    public var description: String { ipv4?.description ?? "\(address)/\(length)" }

    /// Parses `address/length`, of IPv6 or IPv4. Bits set past the length are rejected, because they are usually a mistake.
    public init?(_ text: String) {
        if let prefix = IPv4Prefix(text) {
            self.init(prefix)
            return
        }
        let text = text.utf8.span
        guard let (address, length) = text.split(at: UInt8(ascii: "/"), IPv6Address.init(text:)), length <= 128,
            address.masked(to: length) == address
        else { return nil }
        self.init(address, length: length)
    }
}

/// An IPv4 prefix.
public struct IPv4Prefix: Hashable, Sendable {
    /// The prefix's bits; those past `length` are zero.
    public let address: IPv4Address
    /// ``length`` in one octet.
    private let storedLength: UInt8

    /// The number of leading bits that count, 0–32.
    public var length: Int { Int(storedLength) }

    /// Makes a prefix of `address`, clearing the bits past `length` (0–32).
    public init(_ address: IPv4Address, length: Int) {
        self.address = address.masked(to: length)
        storedLength = UInt8(length)
    }

    /// Whether `address` lies in this prefix.
    public func contains(_ address: IPv4Address) -> Bool { address.masked(to: length) == self.address }

    /// Whether the two have an address in common: one contains the other.
    public func overlaps(_ other: IPv4Prefix) -> Bool {
        length <= other.length ? contains(other.address) : other.contains(address)
    }

    /// Whether all its addresses are in a range that is never routed: 0.0.0.0/8, loopback (127/8), link-local (169.254/16),
    /// multicast and reserved addresses (224.0.0.0 and above; RFC 6890). A default route is not reserved.
    public var isReserved: Bool {
        let first = address.rawValue >> 24
        let isLinkLocal = length >= 16 && address.rawValue >> 16 == 0xa9fe
        return length >= 8 && (first == 0 || first == 127) || isLinkLocal || length >= 3 && first >= 224
    }
}

extension IPv4Prefix: CustomStringConvertible, LosslessStringConvertible {
    /// `address/length`.
    public var description: String { "\(address)/\(length)" }

    /// Parses `address/length`. Bits set past the length are rejected, because they are usually a mistake.
    public init?(_ text: String) {
        let text = text.utf8.span
        guard let (address, length) = text.split(at: UInt8(ascii: "/"), IPv4Address.init(text:)), length <= 32,
            address.masked(to: length) == address
        else { return nil }
        self.init(address, length: length)
    }
}
