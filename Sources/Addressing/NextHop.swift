/// Where a packet goes next: out of an interface of this node, to a router there or to the destination itself.
public struct NextHop: Hashable, Sendable, Comparable {
    /// The kernel's index of the outgoing interface.
    public var interface: UInt32
    /// The link-local address of the next router, or the forwarding address of an external route (RFC 2328 §16.4); `::`
    /// where the destination itself is on the link.
    public var gateway: IPv6Address

    /// Makes a next hop.
    public init(interface: UInt32, gateway: IPv6Address) {
        self.interface = interface
        self.gateway = gateway
    }

    /// Makes a next hop for destinations that are on the link of an interface.
    public init(onLink interface: UInt32) { self.init(interface: interface, gateway: .unspecified) }

    /// Whether the destination itself is on the link.
    public var isOnLink: Bool { gateway.isUnspecified }

    /// By interface, then gateway. Equal sets of next hops, sorted, are equal lists.
    public static func < (left: NextHop, right: NextHop) -> Bool {
        left.interface != right.interface ? left.interface < right.interface : left.gateway < right.gateway
    }
}
