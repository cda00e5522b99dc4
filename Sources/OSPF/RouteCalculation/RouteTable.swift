public import Addressing

/// The kinds of paths to a prefix, the preferred first (RFC 2328 §11, §16.4).
public enum PathKind: UInt8, Hashable, Sendable, Comparable {
    /// Within the area.
    case intraArea
    /// Through an area border router.
    case interArea
    /// External type 1: the metric is comparable to distances inside the routing domain.
    case externalType1
    /// External type 2: the metric counts as larger than that of any path inside the routing domain.
    case externalType2

    /// The preferred first.
    public static func < (left: PathKind, right: PathKind) -> Bool { left.rawValue < right.rawValue }
}

/// The dense number of a ``Destination``, reused after release.
public struct DestinationID: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number.
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (left: DestinationID, right: DestinationID) -> Bool { left.rawValue < right.rawValue }
}

/// A set of announcers, each with its announced metric, and the best path to it. All prefixes announced by the same
/// routers at the same metrics share one destination: when the topology changes, destinations change, prefixes do not.
public struct Destination: Hashable, Sendable {
    public var kind: PathKind
    /// The lowest sum of the distance to an announcer or its forwarding address, and its announced metric; for external paths
    /// of type 2, the announced metric alone.
    public var metric: UInt32
    /// For external paths of type 2, the distance to the announcer or its forwarding address; else 0.
    public var internalMetric: UInt32
    /// The routers whose announcements are the best, in order.
    public var announcers: [RouterID]
    /// The union of the first hops on all shortest paths to the announcers or their forwarding addresses, in order: the first
    /// ``RouterConfiguration/maximumPaths``; never empty.
    public var nextHops: [NextHop]
    /// The next hop of a loop-free alternate, if there is a single next hop and a safe alternate to it.
    public var backup: NextHop?
    /// Whether several routers announce the prefixes in this way, be they the best or reachable or not: a packet of a flow
    /// that takes another path may come to another machine.
    public var isAnycast: Bool

    public init(
        kind: PathKind, metric: UInt32, internalMetric: UInt32 = 0, announcers: [RouterID], nextHops: [NextHop],
        backup: NextHop? = nil, isAnycast: Bool = false
    ) {
        self.kind = kind
        self.metric = metric
        self.internalMetric = internalMetric
        self.announcers = announcers
        self.nextHops = nextHops
        self.backup = backup
        self.isAnycast = isAnycast
    }
}

/// What changed in a route table. It must be applied in this order: destinations set, routes set or removed, destinations
/// released. Every route refers to a destination that is set, and every destination has a next hop.
public struct RouteTableUpdate: Equatable, Sendable {
    /// New or changed destinations.
    public var destinations: [(id: DestinationID, destination: Destination)]
    /// Prefixes that are new or have moved to another destination (an ID), or that are no longer reachable (`nil`).
    public var routes: [(prefix: IPv6Prefix, destination: DestinationID?)]
    /// Destinations that no route refers to any more.
    public var released: [DestinationID]

    public init(
        destinations: [(id: DestinationID, destination: Destination)] = [],
        routes: [(prefix: IPv6Prefix, destination: DestinationID?)] = [], released: [DestinationID] = []
    ) {
        self.destinations = destinations
        self.routes = routes
        self.released = released
    }

    /// Whether nothing changed.
    public var isEmpty: Bool { destinations.isEmpty && routes.isEmpty && released.isEmpty }

    /// Compares member by member.
    public static func == (left: RouteTableUpdate, right: RouteTableUpdate) -> Bool {
        left.released == right.released
            && left.destinations.elementsEqual(right.destinations) {
                $0.id == $1.id && $0.destination == $1.destination
            }
            && left.routes.elementsEqual(right.routes) { $0.prefix == $1.prefix && $0.destination == $1.destination }
    }

}

/// The router's current table: the sum of all updates.
public struct RouteTable: Sendable {
    /// The destinations in use.
    public private(set) var destinations: [DestinationID: Destination] = [:]
    /// The destination of each prefix.
    public private(set) var routes = PrefixMap<DestinationID>()

    public init() {}

    /// Copies the storage if another table shares it; see `Detach.swift` in `Addressing`.
    mutating func detach() {
        destinations.detach()
        routes.detach()
    }

    /// Applies an update. Traps on an update that violates its guarantees, which is a bug in this module.
    public mutating func apply(_ update: RouteTableUpdate) {
        for (id, destination) in update.destinations {
            precondition(!destination.nextHops.isEmpty)
            destinations[id] = destination
        }
        for (prefix, id) in update.routes {
            precondition(id == nil || destinations[id!] != nil)
            routes[prefix] = id
        }
        for id in update.released { destinations[id] = nil }
    }
}
