public import Addressing

/// The objects and routes in the kernel that carry our protocol number, and the IDs that are taken by others.
public struct KernelRoutes: Hashable, Sendable {
    /// The single next-hop objects.
    public var nextHops: [NextHopID: NextHop]
    /// The groups, each with its members in the kernel's order; without members if another program set different
    /// weights.
    public var groups: [NextHopID: [NextHopID]]
    /// All other next-hop IDs in use, including objects of ours in a form that we do not make. They are not changed.
    public var foreignIDs: Set<NextHopID>
    /// The routes; `nil` if only next hops were read. A route without a target has a source, group or next hop that
    /// ours would not have, and must be replaced.
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
