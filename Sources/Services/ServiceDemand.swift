/// The demand of services for an address on this node.
public struct ServiceDemand: Hashable, Sendable {
    /// How it should be announced.
    public var level: AnnouncementLevel
    /// The services that want it, as `namespace/name`, in order.
    public var services: [String]

    public init(level: AnnouncementLevel, services: [String]) {
        self.level = level
        self.services = services
    }
}
