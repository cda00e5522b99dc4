public import Addressing

/// A neighbor through which packets can be sent. On a point-to-point link it is in state Full, or its link is held
/// (``Router/linkHold``). On a broadcast link it is in state 2-Way or higher, because the routers on a transit network forward
/// to each other directly, adjacent or not.
public struct UsableNeighbor: Hashable, Sendable {
    /// Our interface toward it: the kernel's index, which is also our OSPF interface ID.
    public var interface: UInt32
    /// Its router ID.
    public var routerID: RouterID
    /// The interface ID in its hellos.
    public var interfaceID: UInt32
    /// Its link-local address on that link.
    public var address: IPv6Address

    public init(interface: UInt32, routerID: RouterID, interfaceID: UInt32, address: IPv6Address) {
        self.interface = interface
        self.routerID = routerID
        self.interfaceID = interfaceID
        self.address = address
    }

    /// The neighbor as a next hop.
    var nextHop: NextHop { NextHop(interface: interface, gateway: address) }
}
