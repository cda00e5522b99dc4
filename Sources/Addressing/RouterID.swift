/// The 32-bit number that identifies a router in its routing domain (RFC 5340 §2.11). 0 identifies no router.
public struct RouterID: Hashable, Sendable, RawRepresentable, Comparable {
    /// The number: 10.0.0.1 is `0x0a00_0001`.
    public var rawValue: UInt32

    /// Makes a router ID from its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Makes a router ID from its number.
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// 0.0.0.0, which no router may have (RFC 5340 §2.11).
    public static let none = RouterID(0)

    public static func < (left: RouterID, right: RouterID) -> Bool { left.rawValue < right.rawValue }
}

extension RouterID: CustomStringConvertible, LosslessStringConvertible {
    /// Dotted decimal.
    public var description: String { IPv4Address(rawValue).description }

    /// Reads dotted decimal.
    public init?(_ text: String) {
        guard let address = IPv4Address(text) else { return nil }
        self.init(address.rawValue)
    }
}

/// The 32-bit number of an OSPF area; 0.0.0.0 is the backbone.
public struct AreaID: Hashable, Sendable, RawRepresentable, Comparable {
    /// The number: 0.0.0.1 is 1.
    public var rawValue: UInt32

    /// Makes an area ID from its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Area 0.0.0.0.
    public static let backbone = AreaID(rawValue: 0)

    public static func < (left: AreaID, right: AreaID) -> Bool { left.rawValue < right.rawValue }
}

extension AreaID: CustomStringConvertible, LosslessStringConvertible {
    /// Dotted decimal.
    public var description: String { IPv4Address(rawValue).description }

    /// Reads dotted decimal, or a plain decimal number.
    public init?(_ text: String) {
        if let address = IPv4Address(text) {
            self.init(rawValue: address.rawValue)
        } else if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(text) {
            self.init(rawValue: number)
        } else {
            return nil
        }
    }
}
