public import Addressing

/// Router-LSA (RFC 5340 §A.4.3). A router may originate several; they count as one.
public struct RouterLSA: Hashable, Sendable {
    /// The bits for the roles of the router.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The octet before the options. Its other bits are reserved.
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Area border router.
        public static let border = Flags(rawValue: 1 << 0)
        /// AS boundary router.
        public static let external = Flags(rawValue: 1 << 1)
        /// Endpoint of a virtual link.
        public static let virtualLink = Flags(rawValue: 1 << 2)
        /// NSSA translator.
        public static let translator = Flags(rawValue: 1 << 4)
    }

    /// What the interface attaches to. 3, the stub network of OSPFv2, is reserved in OSPFv3.
    public enum LinkType: UInt8, Hashable, Sendable {
        /// Another router, point to point.
        case pointToPoint = 1
        /// A transit network with a designated router.
        case transit = 2
        /// A virtual link.
        case virtual = 4
    }

    /// One link of the router: the originator's interface, and what it attaches to.
    public struct Link: Hashable, Sendable {
        /// The type of the link.
        public var type: LinkType
        /// The cost of sending on the interface.
        public var metric: UInt16
        /// The originator's interface ID.
        public var interfaceID: UInt32
        /// The interface ID of the neighbor, or of the designated router on a transit network.
        public var neighborInterfaceID: UInt32
        /// The neighbor's router ID, or the designated router's.
        public var neighborRouterID: RouterID

        public init(
            type: LinkType, metric: UInt16, interfaceID: UInt32, neighborInterfaceID: UInt32, neighborRouterID: RouterID
        ) {
            self.type = type
            self.metric = metric
            self.interfaceID = interfaceID
            self.neighborInterfaceID = neighborInterfaceID
            self.neighborRouterID = neighborRouterID
        }
    }

    /// The roles of the router.
    public var flags: Flags
    /// The router's options.
    public var options: OSPFOptions
    /// Links for full point-to-point and virtual adjacencies, and for transit networks on which the router is fully adjacent to
    /// the designated router or, as designated router, to another router. Ours also have held links.
    public var links: [Link]

    public init(flags: Flags = [], options: OSPFOptions, links: [Link]) {
        self.flags = flags
        self.options = options
        self.links = links
    }
}

extension RouterLSA {
    /// The size of the body before the links, in octets.
    public static let fixedSize = 4

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        guard (octets.byteCount - Self.fixedSize) % Link.size == 0 else { throw .length }
        flags = Flags(rawValue: octets.uint8(at: 0))
        options = octets.options(at: 0)
        links = []
        links.reserveCapacity((octets.byteCount - Self.fixedSize) / Link.size)
        for offset in stride(from: Self.fixedSize, to: octets.byteCount, by: Link.size) {
            links.append(try Link(decoding: octets, at: offset))
        }
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(flags.rawValue, low24: options.rawValue)
        for link in links { link.encode(into: &octets) }
    }
}

extension RouterLSA.Link {
    /// The size of one link, in octets.
    public static let size = 16

    init(decoding octets: RawSpan, at offset: Int) throws(DecodingError) {
        guard let type = RouterLSA.LinkType(rawValue: octets.uint8(at: offset)) else { throw .value }
        self.type = type
        metric = octets.uint16(at: offset + 2)
        interfaceID = octets.uint32(at: offset + 4)
        neighborInterfaceID = octets.uint32(at: offset + 8)
        neighborRouterID = octets.routerID(at: offset + 12)
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(UInt16(type.rawValue) << 8)
        octets.append(metric)
        octets.append(interfaceID)
        octets.append(neighborInterfaceID)
        octets.append(neighborRouterID.rawValue)
    }
}
