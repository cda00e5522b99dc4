/// Inter-area-prefix-LSA (RFC 5340 §A.4.5): a prefix in another area, with the metric of the path from an area border router.
public struct InterAreaPrefixLSA: Hashable, Sendable {
    /// The metric, 24 bits; 0xffffff is unreachable.
    public var metric: UInt32
    /// The prefix; its own metric is 0.
    public var prefix: LSAPrefix

    public init(metric: UInt32, prefix: LSAPrefix) {
        self.metric = metric
        self.prefix = prefix
    }
}

extension InterAreaPrefixLSA {
    /// The metric of unreachable destinations (LSInfinity, RFC 2328 §B). Larger metrics are encoded as this.
    public static let unreachable: UInt32 = 0xff_ffff

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= 4 else { throw .truncated }
        metric = octets.uint24(at: 0)
        var offset = 4
        prefix = try LSAPrefix(decoding: octets, at: &offset)
        prefix.metric = 0
        guard offset == octets.byteCount else { throw .length }
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(low24: min(metric, Self.unreachable))
        prefix.encode(into: &octets)
    }
}
