public import Addressing

/// A kind of default route that an interface has, added by the kernel or by programs other than the agent. However many routes
/// of one kind there are, they are one value.
public struct DefaultRoute: Hashable, Sendable {
    /// The index of the outgoing interface. A route over several interfaces counts for each.
    public var interface: UInt32
    /// The address family of the route.
    public var family: IPFamily
    /// Whether the kernel learned it from a router advertisement.
    public var isAdvertised: Bool

    public init(interface: UInt32, family: IPFamily, isAdvertised: Bool = false) {
        self.interface = interface
        self.family = family
        self.isAdvertised = isAdvertised
    }
}
