public import Addressing
public import OSPFPacket

/// How many runs of a ``RouteCalculation`` did how much.
public struct RouteCalculationStatistics: Hashable, Sendable {
    /// Runs that computed all shortest paths.
    public var fullRuns = 0
    /// Runs that computed only the shortest paths a change could touch.
    public var incrementalRuns = 0
    /// Runs that computed no shortest paths, because nothing but prefixes had changed.
    public var prefixRuns = 0
    /// Runs that found nothing to do.
    public var idleRuns = 0
}

/// A router of the area and how far it is, as of the last run.
public struct RouterReachability: Hashable, Sendable {
    /// The router.
    public var routerID: RouterID
    /// The name it tells (RFC 5642).
    public var hostname: String?
    /// The distance to it; `nil` if there is no way.
    public var distance: UInt32?
    /// The first hops of all shortest paths to it, in order.
    public var nextHops: [NextHop]
    /// The bits of its router-LSA.
    public var flags: RouterLSA.Flags
    /// Whether it wants no transit traffic: its R-bit is clear.
    public var isStub: Bool
    /// The intra-area prefixes it announces for itself, with their metrics, in order.
    public var prefixes: [LSAPrefix]
}

/// Somebody who announces a prefix, chosen or not, as of the last run.
public struct PrefixCandidate: Hashable, Sendable {
    /// Which kind of path it would be.
    public var kind: PathKind
    /// Who announces it: a router, the designated router of a network, an area border or AS boundary router.
    public var announcer: RouterID
    /// The announced metric.
    public var metric: UInt32
    /// The distance to the announcer or the forwarding address; `nil` if there is no way.
    public var distance: UInt32?
    /// Where to send instead of to the announcer.
    public var forwardingAddress: IPv6Address?
    /// Whether it is one of those that the route leads to.
    public var isBest: Bool
}

/// A prefix that should belong to one node and is claimed by several.
public struct DuplicatePrefix: Hashable, Sendable {
    /// The prefix, of length 1–127.
    public var prefix: IPv6Prefix
    /// The reachable routers that claim it, two or more, in order.
    public var routers: [RouterID]
}

extension RouteCalculation {
    /// All routers that have a router-LSA, in order.
    public func nodes() -> [RouterReachability] { [] }

    /// Everybody who announces `prefix`, the best first.
    public func candidates(for prefix: IPv6Prefix) -> [PrefixCandidate] { [] }

    /// The prefixes between /1 and /127 that several reachable routers announce as their own, in order. A /128 of
    /// several routers is anycast, and fine.
    public func duplicatePrefixes() -> [DuplicatePrefix] { [] }

    /// The name a router tells (RFC 5642); `nil` if it tells none.
    public func hostname(of router: RouterID) -> String? { nil }
}
