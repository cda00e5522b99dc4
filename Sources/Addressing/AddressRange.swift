/// The addresses from a first to a last, both of one family.
public struct AddressRange: Hashable, Sendable {
    /// The lowest address.
    public let first: IPv6Address
    /// The highest address.
    public let last: IPv6Address

    /// Makes the range from the first to the last address, both included. `nil` if they are of different families, or the last
    /// is below the first.
    public init?(_ first: IPv6Address, _ last: IPv6Address) {
        guard first <= last, first.family == last.family else { return nil }
        self.first = first
        self.last = last
    }

    /// Makes the range of all addresses of a prefix.
    public init(_ prefix: IPv6Prefix) {
        first = prefix.address
        let rest = prefix.length == 0 ? UInt128.max : (1 << (128 - UInt128(prefix.length))) - 1
        last = IPv6Address(number: prefix.address.number | rest)
    }

    /// The family of the first and the last address.
    public var family: IPFamily { first.family }

    /// The number of addresses; `UInt64.max` if there are more, as in a /64 or shorter IPv6 prefix.
    public var count: UInt64 {
        let above = last.number - first.number
        return above >= UInt128(UInt64.max) ? .max : UInt64(above) + 1
    }

    /// Whether it contains an address.
    public func contains(_ address: IPv6Address) -> Bool { first <= address && address <= last }

    /// Whether the two ranges have an address in common.
    public func overlaps(_ other: AddressRange) -> Bool { first <= other.last && other.first <= last }
}

extension AddressRange: CustomStringConvertible, LosslessStringConvertible {
    /// The first and the last address, as in `2001:db8::1-2001:db8::9`.
    public var description: String { "\(first)-\(last)" }

    /// Parses a prefix, such as `192.0.2.0/28`, or two addresses, such as `192.0.2.10-192.0.2.20`. A single address must be
    /// written as one of these.
    public init?(_ text: String) {
        if let prefix = IPv6Prefix(text) {
            self.init(prefix)
            return
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { IPv6Address(String($0)) }
        guard ends.count == 2, let first = ends[0], let last = ends[1] else { return nil }
        self.init(first, last)
    }
}

extension IPv6Address {
    /// The family. The mapped form of an IPv4 address is of the family IPv4.
    public var family: IPFamily { ipv4 == nil ? .ipv6 : .ipv4 }

    /// The address as one number.
    public var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// Makes the address with this number.
    public init(number: UInt128) {
        self.init(high: UInt64(truncatingIfNeeded: number >> 64), low: UInt64(truncatingIfNeeded: number))
    }
}
