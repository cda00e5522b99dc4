public import Addressing

/// A default route through an interface that the kernel or another program added.
public struct DefaultRoute: Hashable, Sendable {
    /// The interface's index.
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
