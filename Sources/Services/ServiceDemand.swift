/// The demand for one service address on this node, of all services that have the address.
public struct ServiceDemand: Hashable, Sendable {
    /// How the address should be announced: the highest level that one of ``services`` demands.
    public var level: AnnouncementLevel
    /// The services that want the address on this node, as `namespace/name`, sorted by namespace, then name.
    public var services: [String]

    public init(level: AnnouncementLevel, services: [String]) {
        self.level = level
        self.services = services
    }
}
