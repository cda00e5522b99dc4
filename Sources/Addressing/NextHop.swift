/// Where a packet goes next: a link of this node, and there a router or the destination itself.
public struct NextHop: Hashable, Sendable, Comparable {
    /// The kernel's index of the outgoing interface.
    public var interface: UInt32
    /// The link-local address of the next router, or the address that external routes are forwarded to; `::` where the
    /// destination itself is on the link.
    public var gateway: IPv6Address

    /// Makes a next hop.
    public init(interface: UInt32, gateway: IPv6Address) {
        self.interface = interface
        self.gateway = gateway
    }

    /// Makes a next hop for what is on the link of an interface itself.
    public init(onLink interface: UInt32) { self.init(interface: interface, gateway: .unspecified) }

    /// Whether the destination itself is on the link.
    public var isOnLink: Bool { gateway.isUnspecified }

    /// By interface, then gateway, so that sets have one canonical order.
    public static func < (left: NextHop, right: NextHop) -> Bool {
        left.interface != right.interface ? left.interface < right.interface : left.gateway < right.gateway
    }
}
