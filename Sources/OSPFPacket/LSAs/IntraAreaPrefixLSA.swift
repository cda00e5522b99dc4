public import Addressing

/// Intra-area-prefix-LSA (RFC 5340 §A.4.10): prefixes associated with a router or a transit network.
public struct IntraAreaPrefixLSA: Hashable, Sendable {
    /// What the prefixes are associated with: `.router` or `.network`. In a received LSA it may be any other type.
    public var referencedType: LSAType
    /// 0 for a router; the designated router's interface ID for a network.
    public var referencedLinkStateID: UInt32
    /// The router, or the network's designated router.
    public var referencedAdvertisingRouter: RouterID
    /// The prefixes with their metrics.
    public var prefixes: [LSAPrefix]

    public init(
        referencedType: LSAType, referencedLinkStateID: UInt32, referencedAdvertisingRouter: RouterID,
        prefixes: [LSAPrefix]
    ) {
        self.referencedType = referencedType
        self.referencedLinkStateID = referencedLinkStateID
        self.referencedAdvertisingRouter = referencedAdvertisingRouter
        self.prefixes = prefixes
    }
}

extension IntraAreaPrefixLSA {
    /// The size of the body before the prefixes, in octets.
    public static let fixedSize = 12

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        referencedType = LSAType(rawValue: octets.uint16(at: 2))
        referencedLinkStateID = octets.uint32(at: 4)
        referencedAdvertisingRouter = octets.routerID(at: 8)
        prefixes = try LSAPrefix.list(decoding: octets, from: Self.fixedSize, count: UInt32(octets.uint16(at: 0)))
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(UInt16(prefixes.count))
        octets.append(referencedType.rawValue)
        octets.append(referencedLinkStateID)
        octets.append(referencedAdvertisingRouter.rawValue)
        for prefix in prefixes { prefix.encode(into: &octets, field: prefix.metric) }
    }
}
