/// The demand of services for an address on this node.
public struct ServiceDemand: Hashable, Sendable {
    /// How it should be announced.
    public var wish: Wish
    /// The services that want it, as `namespace/name`, in order.
    public var services: [String]

    public init(wish: Wish, services: [String]) {
        self.wish = wish
        self.services = services
    }
}
