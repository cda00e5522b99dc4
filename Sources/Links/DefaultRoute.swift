public import Addressing

/// That an interface leads to everywhere: a default route on it which is not ours.
public struct DefaultRoute: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The family of the addresses it is about.
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
