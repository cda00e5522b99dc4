public import Addressing

/// Inter-area-router-LSA (RFC 5340 §A.4.6): an AS boundary router in another area, with the metric of the path from an area
/// border router.
public struct InterAreaRouterLSA: Hashable, Sendable {
    /// The options of the AS boundary router.
    public var options: OSPFOptions
    /// The metric, 24 bits; 0xffffff is unreachable.
    public var metric: UInt32
    /// The AS boundary router.
    public var destination: RouterID

    public init(options: OSPFOptions, metric: UInt32, destination: RouterID) {
        self.options = options
        self.metric = metric
        self.destination = destination
    }
}

extension InterAreaRouterLSA {
    /// The metric of unreachable destinations (LSInfinity, RFC 2328 §B). Larger metrics are encoded as this.
    public static let unreachable: UInt32 = 0xff_ffff

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= 12 else { throw .truncated }
        guard octets.byteCount == 12 else { throw .length }
        options = octets.options(at: 0)
        metric = octets.uint24(at: 4)
        destination = octets.routerID(at: 8)
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(low24: options.rawValue)
        octets.append(low24: min(metric, Self.unreachable))
        octets.append(destination.rawValue)
    }
}
