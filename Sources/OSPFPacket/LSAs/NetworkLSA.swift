public import Addressing

/// Network-LSA (RFC 5340 §A.4.4), originated by a designated router; its link state ID is that router's interface ID.
public struct NetworkLSA: Hashable, Sendable {
    /// The union of the options of the attached routers.
    public var options: OSPFOptions
    /// The designated router and the routers fully adjacent to it.
    public var attachedRouters: [RouterID]

    public init(options: OSPFOptions, attachedRouters: [RouterID]) {
        self.options = options
        self.attachedRouters = attachedRouters
    }
}

extension NetworkLSA {
    /// The size of the body before the attached routers, in octets. Each router takes four more.
    public static let fixedSize = 4

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        guard octets.byteCount % 4 == 0 else { throw .length }
        options = octets.options(at: 0)
        attachedRouters = octets.routerIDs(from: Self.fixedSize)
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(low24: options.rawValue)
        for router in attachedRouters { octets.append(router.rawValue) }
    }
}
