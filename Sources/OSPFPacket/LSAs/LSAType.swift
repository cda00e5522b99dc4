/// How far an LSA is flooded: the two S bits of its type (RFC 5340 §A.4.2.1).
public enum FloodingScope: UInt8, Hashable, Sendable {
    /// Only on one link.
    case linkLocal = 0
    /// Throughout one area.
    case area = 1
    /// Throughout the autonomous system.
    case autonomousSystem = 2
    /// Not assigned; such LSAs are discarded.
    case reserved = 3
}

/// The LS type of an LSA: U-bit, scope and function code (RFC 5340 §A.4.2.1).
public struct LSAType: RawRepresentable, Hashable, Sendable, Comparable {
    /// The 16 bits on the wire.
    public let rawValue: UInt16

    /// Makes a type from its 16 bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Router-LSA (RFC 5340 §A.4.3).
    public static let router = LSAType(rawValue: 0x2001)
    /// Network-LSA (§A.4.4).
    public static let network = LSAType(rawValue: 0x2002)
    /// Inter-area-prefix-LSA (§A.4.5).
    public static let interAreaPrefix = LSAType(rawValue: 0x2003)
    /// Inter-area-router-LSA (§A.4.6).
    public static let interAreaRouter = LSAType(rawValue: 0x2004)
    /// AS-external-LSA (§A.4.7).
    public static let asExternal = LSAType(rawValue: 0x4005)
    /// NSSA-LSA (§A.4.8).
    public static let nssa = LSAType(rawValue: 0x2007)
    /// Link-LSA (§A.4.9).
    public static let link = LSAType(rawValue: 0x0008)
    /// Grace-LSA (RFC 5187 §2).
    public static let grace = LSAType(rawValue: 0x000b)
    /// Intra-area-prefix-LSA (§A.4.10).
    public static let intraAreaPrefix = LSAType(rawValue: 0x2009)
    /// Router Information LSA of area scope with the U-bit set (RFC 7770 §2.2).
    public static let routerInformation = LSAType(rawValue: 0xa00c)

    /// Auto-configuration-LSA of area scope with the U-bit set (RFC 7503 §7.2.1).
    public static let autoConfiguration = LSAType(rawValue: 0xa00f)

    /// The IPv4 prefixes of a node, of area scope with the U-bit set: our own type with an experimental function code
    /// (RFC 4940 §2.5), because there is no standard for IPv4 and IPv6 in one instance.
    public static let ipv4Prefix = LSAType(rawValue: 0xbff0)

    /// The U-bit: whether a router that does not know the function code floods the LSA by its scope. Otherwise that router
    /// treats the LSA as link-local.
    public var isFloodedWhenUnknown: Bool { rawValue & 0x8000 != 0 }
    /// The flooding scope in its S bits.
    public var scope: FloodingScope { FloodingScope(rawValue: UInt8(rawValue >> 13 & 3))! }
    /// The function code, 0–8191.
    public var functionCode: UInt16 { rawValue & 0x1fff }

    /// Whether it is a Router Information LSA (RFC 7770 §2.2): U-bit, function code 12, and any scope that is not reserved.
    public var isRouterInformation: Bool { rawValue & 0x9fff == 0x800c && scope != .reserved }
    /// Whether this router knows the type: ``LSABody`` has a case for it other than `unknown`.
    public var isKnown: Bool {
        switch self {
        case .router, .network, .interAreaPrefix, .interAreaRouter, .asExternal, .nssa, .link, .grace,
            .intraAreaPrefix, .autoConfiguration, .ipv4Prefix:
            true
        default: isRouterInformation
        }
    }

    public static func < (left: LSAType, right: LSAType) -> Bool { left.rawValue < right.rawValue }
}
