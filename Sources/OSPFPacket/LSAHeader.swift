public import Addressing

/// How far an LSA is flooded: the two S bits of its type (RFC 5340 §A.4.2.1).
public enum FloodingScope: UInt8, Hashable, Sendable {
    /// Only on the link it was received on.
    case linkLocal = 0
    /// Throughout one area.
    case area = 1
    /// Throughout the autonomous system.
    case autonomousSystem = 2
    /// Not assigned; such LSAs are thrown away.
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
    /// Intra-area-prefix-LSA (§A.4.10).
    public static let intraAreaPrefix = LSAType(rawValue: 0x2009)
    /// Router Information LSA of area scope with the U-bit set (RFC 7770 §2.2).
    public static let routerInformation = LSAType(rawValue: 0xa00c)

    /// Whether a router that does not know the function code keeps and floods the LSA by its scope; otherwise such an
    /// LSA stays on its link.
    public var isFloodedWhenUnknown: Bool { rawValue & 0x8000 != 0 }
    /// The scope its bits ask for.
    public var scope: FloodingScope { FloodingScope(rawValue: UInt8(rawValue >> 13 & 3))! }
    /// The function code, 0–8191.
    public var functionCode: UInt16 { rawValue & 0x1fff }

    /// Numeric order.
    public static func < (left: LSAType, right: LSAType) -> Bool { left.rawValue < right.rawValue }
}

/// What tells one LSA from another (RFC 5340 §4.4.1): type, link state ID, advertising router.
public struct LSAKey: Hashable, Sendable, Comparable {
    /// Type and scope.
    public var type: LSAType
    /// Tells apart the LSAs of one type and router; it carries no address in OSPFv3.
    public var linkStateID: UInt32
    /// Who originated it.
    public var advertisingRouter: RouterID

    /// Makes a key.
    public init(type: LSAType, linkStateID: UInt32, advertisingRouter: RouterID) {
        self.type = type
        self.linkStateID = linkStateID
        self.advertisingRouter = advertisingRouter
    }

    /// By type, then advertising router, then link state ID: the order in which databases are listed.
    public static func < (left: LSAKey, right: LSAKey) -> Bool {
        if left.type != right.type { return left.type < right.type }
        if left.advertisingRouter != right.advertisingRouter { return left.advertisingRouter < right.advertisingRouter }
        return left.linkStateID < right.linkStateID
    }
}

/// The 20 octets that begin every LSA (RFC 5340 §A.4.2).
public struct LSAHeader: Hashable, Sendable {
    /// The header's size in octets.
    public static let size = 20
    /// Seconds since origination at which an LSA is no longer used and leaves the domain (RFC 2328 §B).
    public static let maxAge: UInt16 = 3600
    /// Two instances whose ages differ by more are told apart by age (RFC 2328 §B).
    public static let maxAgeDiff: UInt16 = 900
    /// Seconds after which the originator sends a new instance (RFC 2328 §B).
    public static let refreshTime: UInt16 = 1800
    /// The first sequence number of an LSA (RFC 2328 §12.1.6).
    public static let initialSequenceNumber: Int32 = -0x7fff_ffff
    /// The last sequence number, after which an LSA must be flushed before it starts again.
    public static let maxSequenceNumber: Int32 = 0x7fff_ffff

    /// Seconds since origination, 0–3600. The DoNotAge bit of RFC 1793 is not used.
    public var age: UInt16
    /// Type, link state ID and advertising router.
    public var key: LSAKey
    /// Signed; the higher is the newer.
    public var sequenceNumber: Int32
    /// Fletcher checksum over the whole LSA but its age (RFC 2328 §12.1.7).
    public var checksum: UInt16
    /// Octets of the LSA with this header, at least 20.
    public var length: UInt16

    /// Makes a header.
    public init(age: UInt16, key: LSAKey, sequenceNumber: Int32, checksum: UInt16, length: UInt16) {
        self.age = age
        self.key = key
        self.sequenceNumber = sequenceNumber
        self.checksum = checksum
        self.length = length
    }
}

extension LSAHeader {
    /// Which of two instances of one LSA is the newer.
    public enum Recency: Hashable, Sendable {
        /// The left is newer.
        case newer
        /// They count as the same instance.
        case same
        /// The left is older.
        case older
    }

    /// Compares this instance with another of the same LSA (RFC 2328 §13.1).
    public func recency(comparedTo other: LSAHeader) -> Recency {
        if sequenceNumber != other.sequenceNumber { return sequenceNumber > other.sequenceNumber ? .newer : .older }
        if checksum != other.checksum { return checksum > other.checksum ? .newer : .older }
        let isMaxAge = age >= Self.maxAge
        if isMaxAge != (other.age >= Self.maxAge) { return isMaxAge ? .newer : .older }
        if age > other.age { return age - other.age > Self.maxAgeDiff ? .older : .same }
        return other.age - age > Self.maxAgeDiff ? .newer : .same
    }
}
