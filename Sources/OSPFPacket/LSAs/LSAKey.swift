public import Addressing

/// Identifies an LSA (RFC 5340 §4.4.1): type, link state ID, advertising router.
public struct LSAKey: Hashable, Sendable, Comparable {
    /// The LS type: U-bit, flooding scope and function code.
    public var type: LSAType
    /// Distinguishes the LSAs of one type and router; in OSPFv3 it is not an address.
    public var linkStateID: UInt32
    /// The router that originated the LSA.
    public var advertisingRouter: RouterID

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

extension LSAKey {
    /// Decodes the ten octets that LSA headers and requests have in common.
    init(decoding octets: RawSpan, at offset: Int) {
        type = LSAType(rawValue: octets.uint16(at: offset))
        linkStateID = octets.uint32(at: offset + 2)
        advertisingRouter = octets.routerID(at: offset + 6)
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(type.rawValue)
        octets.append(linkStateID)
        octets.append(advertisingRouter.rawValue)
    }
}
