public import Addressing

/// A default route, added by the kernel or a program other than the agent.
public struct DefaultRoute: Hashable, Sendable {
    /// The index of the outgoing interface.
    public var interface: UInt32
    /// The address family of the route.
    public var family: IPFamily
    /// Whether the kernel learned it from a router advertisement.
    public var isAdvertised: Bool

    /// Describes a default route.
    public init(interface: UInt32, family: IPFamily, isAdvertised: Bool = false) {
        self.interface = interface
        self.family = family
        self.isAdvertised = isAdvertised
    }
}
