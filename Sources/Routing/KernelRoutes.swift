public import Addressing

/// What was read from the kernel: the next-hop objects with our protocol number; the routes with our protocol number, in our
/// table and with our metric; and the next-hop IDs that we must not use.
public struct KernelRoutes: Hashable, Sendable {
    /// The single next-hop objects.
    public var nextHops: [NextHopID: NextHop]
    /// The groups; without members if these have other weights than those of a backup, which another program must have set.
    public var groups: [NextHopID: NextHopGroup]
    /// All other next-hop IDs in use: of objects of other programs, and of objects with our protocol number in a form that we
    /// never make. These objects stay as they are, except for single next hops that were ours until another program changed
    /// them.
    public var foreignIDs: Set<NextHopID>
    /// The routes, with IPv4 prefixes in their IPv4-mapped form; `nil` if only next hops were read. A route without a target
    /// (`nil`) is not as we make routes, for example has another source or a weight, and must be replaced.
    public var routes: [IPv6Prefix: RouteTarget?]?
    /// The service routes (``FIB/setServiceRoutes(_:)``), read with the other routes: `true` for one that is as we make it,
    /// `false` for one that must be replaced.
    public var serviceRoutes: [IPv6Prefix: Bool] = [:]

    public init(
        nextHops: [NextHopID: NextHop] = [:], groups: [NextHopID: NextHopGroup] = [:],
        foreignIDs: Set<NextHopID> = [], routes: [IPv6Prefix: RouteTarget?]? = [:]
    ) {
        self.nextHops = nextHops
        self.groups = groups
        self.foreignIDs = foreignIDs
        self.routes = routes
    }
}
