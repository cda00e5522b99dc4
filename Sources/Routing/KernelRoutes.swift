public import Addressing

/// What the kernel holds of ours: the objects and routes that carry our protocol number.
public struct KernelRoutes: Hashable, Sendable {
    /// The single next-hop objects.
    public var nextHops: [NextHopID: NextHop]
    /// The groups, each with its members in the kernel's order; without members if another program set different
    /// weights.
    public var groups: [NextHopID: [NextHopID]]
    /// All other next-hop IDs in use, ours of a shape we do not make among them; they are left alone.
    public var foreignIDs: Set<NextHopID>
    /// The routes; `nil` if only next hops were read. A route without a target has a source, group or next hop that ours
    /// would not have, and wants to be replaced.
    public var routes: [IPv6Prefix: RouteTarget?]?

    public init(
        nextHops: [NextHopID: NextHop] = [:], groups: [NextHopID: [NextHopID]] = [:],
        foreignIDs: Set<NextHopID> = [], routes: [IPv6Prefix: RouteTarget?]? = [:]
    ) {
        self.nextHops = nextHops
        self.groups = groups
        self.foreignIDs = foreignIDs
        self.routes = routes
    }
}
