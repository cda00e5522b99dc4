/// An IPv4 address in host order.
public struct IPv4Address: Hashable, Sendable, RawRepresentable {
    /// The address as a number; `10.0.0.1` is `0x0a00_0001`.
    public var rawValue: UInt32

    /// Makes an address from its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Makes an address from its number.
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// This address with all but its first `length` bits (0–32) cleared.
    public func masked(to length: Int) -> IPv4Address {
        precondition((0...32).contains(length))
        return IPv4Address(length == 0 ? 0 : rawValue & (UInt32.max << UInt32(32 - length)))
    }
}

extension IPv4Address: Comparable {
    /// Numeric order.
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.rawValue < right.rawValue }
}

extension IPv4Address: CustomStringConvertible, LosslessStringConvertible {
    /// Dotted decimal.
    public var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 255).\(rawValue >> 8 & 255).\(rawValue & 255)"
    }

    /// Reads dotted decimal: four decimal numbers of 0–255 without leading zeros.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let octet = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(octet)
        }
        self.init(value)
    }
}
