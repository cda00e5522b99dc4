public import Addressing

/// Link-LSA (RFC 5340 §A.4.9): from a router to the others on one link. Its link state ID is the originator's interface ID.
public struct LinkLSA: Hashable, Sendable {
    /// The originator's priority in the election of the designated router; 0 excludes it.
    public var priority: UInt8
    /// The originator's options, which the designated router includes in the network-LSA.
    public var options: OSPFOptions
    /// The originator's link-local address, the gateway for its neighbors on the link.
    public var linkLocalAddress: IPv6Address
    /// The prefixes that the designated router is to announce for the link. They have no metric.
    public var prefixes: [LSAPrefix]

    public init(priority: UInt8, options: OSPFOptions, linkLocalAddress: IPv6Address, prefixes: [LSAPrefix]) {
        self.priority = priority
        self.options = options
        self.linkLocalAddress = linkLocalAddress
        self.prefixes = prefixes
    }
}

extension LinkLSA {
    /// The size of the body before the prefixes, in octets.
    public static let fixedSize = 24

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        priority = octets.uint8(at: 0)
        options = octets.options(at: 0)
        linkLocalAddress = octets.address(at: 4)
        prefixes = try LSAPrefix.list(decoding: octets, from: Self.fixedSize, count: octets.uint32(at: 20))
        for index in prefixes.indices { prefixes[index].metric = 0 }
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(priority, low24: options.rawValue)
        octets.append(linkLocalAddress)
        octets.append(UInt32(prefixes.count))
        for prefix in prefixes { prefix.encode(into: &octets) }
    }
}
