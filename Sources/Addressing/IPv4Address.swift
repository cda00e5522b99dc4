/// An IPv4 address as a number.
public struct IPv4Address: Hashable, Sendable, RawRepresentable {
    /// The number: `10.0.0.1` is `0x0a00_0001`.
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// This address with all but its first `length` bits (0–32) cleared.
    public func masked(to length: Int) -> IPv4Address {
        precondition((0...32).contains(length))
        return IPv4Address(length == 0 ? 0 : rawValue & (UInt32.max << UInt32(32 - length)))
    }
}

extension IPv4Address: Comparable {
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.rawValue < right.rawValue }
}

extension IPv4Address: CustomStringConvertible, LosslessStringConvertible {
    /// Dotted decimal.
    public var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 255).\(rawValue >> 8 & 255).\(rawValue & 255)"
    }

    /// Reads dotted decimal: four decimal numbers of 0–255 without leading zeros.
    public init?(_ text: String) { self.init(text: text.utf8.span) }

    /// Reads dotted decimal from ASCII characters, without making a string of them.
    init?(text: Span<UInt8>) {
        var value: UInt32 = 0
        var place = 0
        for part in 0..<4 {
            if part > 0 {
                guard place < text.count, text[place] == UInt8(ascii: ".") else { return nil }
                place += 1
            }
            guard let octet = text.decimal(at: &place), octet <= 255 else { return nil }
            value = value << 8 | UInt32(octet)
        }
        guard place == text.count else { return nil }
        self.init(value)
    }
}
