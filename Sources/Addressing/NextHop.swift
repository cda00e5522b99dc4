/// Where a packet goes next: a link of this node and the link-local address of the router at its other end.
public struct NextHop: Hashable, Sendable, Comparable {
    /// The kernel's index of the outgoing interface.
    public var interface: UInt32
    /// The link-local address of the next router.
    public var gateway: IPv6Address

    /// Makes a next hop.
    public init(interface: UInt32, gateway: IPv6Address) {
        self.interface = interface
        self.gateway = gateway
    }

    /// By interface, then gateway, so that sets have one canonical order.
    public static func < (left: NextHop, right: NextHop) -> Bool {
        left.interface != right.interface ? left.interface < right.interface : left.gateway < right.gateway
    }
}
