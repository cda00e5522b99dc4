public import Addressing

/// AS-external-LSA (RFC 5340 §A.4.7), and NSSA-LSA (§A.4.8), which has the same form.
public struct ASExternalLSA: Hashable, Sendable {
    /// Whether the metric is of type 2 (the E-bit), which counts as larger than any distance inside the routing domain. A
    /// metric of type 1 is added to the distance to the originator or the forwarding address.
    public var isType2: Bool
    /// The metric, 24 bits; 0xffffff is unreachable.
    public var metric: UInt32
    /// The prefix; its own metric is 0.
    public var prefix: LSAPrefix
    /// The address to which packets are sent; `nil` to send them to the originator.
    public var forwardingAddress: IPv6Address?
    /// A tag for the administrators' use; `nil` for none.
    public var routeTag: UInt32?
    /// The type of an LSA with more about the prefix; `nil` for none (0 in the LSA). This router does not look for that LSA.
    public var referencedType: LSAType?
    /// The link state ID of the referenced LSA; `nil` for none.
    public var referencedLinkStateID: UInt32?

    public init(
        isType2: Bool, metric: UInt32, prefix: LSAPrefix, forwardingAddress: IPv6Address? = nil,
        routeTag: UInt32? = nil, referencedType: LSAType? = nil, referencedLinkStateID: UInt32? = nil
    ) {
        self.isType2 = isType2
        self.metric = metric
        self.prefix = prefix
        self.forwardingAddress = forwardingAddress
        self.routeTag = routeTag
        self.referencedType = referencedType
        self.referencedLinkStateID = referencedLinkStateID
    }
}

extension ASExternalLSA {
    /// The metric of unreachable destinations (LSInfinity, RFC 2328 §B). Larger metrics are encoded as this.
    public static let unreachable: UInt32 = 0xff_ffff

    /// The bits T, F and E before the metric.
    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let routeTag = Flags(rawValue: 1 << 0)
        static let forwardingAddress = Flags(rawValue: 1 << 1)
        static let type2 = Flags(rawValue: 1 << 2)
    }

    /// The 16-bit field of the prefix, which ``LSAPrefix`` decodes as a metric, is the referenced LS type here.
    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= 4 else { throw .truncated }
        let flags = Flags(rawValue: octets.uint8(at: 0))
        isType2 = flags.contains(.type2)
        metric = octets.uint24(at: 0)
        var offset = 4
        prefix = try LSAPrefix(decoding: octets, at: &offset)
        if prefix.metric != 0 { referencedType = LSAType(rawValue: prefix.metric) }
        prefix.metric = 0

        var expected = offset
        if flags.contains(.forwardingAddress) { expected += 16 }
        if flags.contains(.routeTag) { expected += 4 }
        if referencedType != nil { expected += 4 }
        guard octets.byteCount >= expected else { throw .truncated }
        guard octets.byteCount == expected else { throw .length }

        if flags.contains(.forwardingAddress) {
            forwardingAddress = octets.address(at: offset)
            offset += 16
        }
        if flags.contains(.routeTag) {
            routeTag = octets.uint32(at: offset)
            offset += 4
        }
        if referencedType != nil { referencedLinkStateID = octets.uint32(at: offset) }
    }

    func encode(into octets: inout [UInt8]) {
        var flags: Flags = []
        if isType2 { flags.insert(.type2) }
        if forwardingAddress != nil { flags.insert(.forwardingAddress) }
        if routeTag != nil { flags.insert(.routeTag) }
        octets.append(flags.rawValue, low24: min(metric, Self.unreachable))
        let referencedType = self.referencedType?.rawValue ?? 0
        prefix.encode(into: &octets, field: referencedType)
        if let forwardingAddress { octets.append(forwardingAddress) }
        if let routeTag { octets.append(routeTag) }
        if referencedType != 0 { octets.append(referencedLinkStateID ?? 0) }
    }
}
