/// A prefix of others, and the way there.
public struct Route: ListItem, Hashable {
    /// `RouteList`.
    public static let listKind = "RouteList"

    public var prefix: String
    /// `ipv6` or `ipv4`.
    public var family: String
    /// `intra-area`, `inter-area`, `external-1` or `external-2`.
    public var kind: String
    /// The names (or router IDs) of those who announce it at the best distance, in order.
    public var nodes: [String]
    /// The distance, announced metric included; for `external-2` the external metric.
    public var metric: Int
    /// For `external-2` the distance to the announcer.
    public var internalMetric: Int?
    /// Where packets go, in order.
    public var nextHops: [NextHop]
    /// Seconds since the way there last changed.
    public var age: Double
    /// Whether the kernel agrees.
    public var fib: FIB
    /// Everybody who announces it, the chosen first. Only where one route was asked for.
    public var announcers: [Announcer]?

    public init(
        prefix: String, family: String, kind: String, nodes: [String], metric: Int, internalMetric: Int?,
        nextHops: [NextHop], age: Double, fib: FIB, announcers: [Announcer]? = nil
    ) {
        self.prefix = prefix
        self.family = family
        self.kind = kind
        self.nodes = nodes
        self.metric = metric
        self.internalMetric = internalMetric
        self.nextHops = nextHops
        self.age = age
        self.fib = fib
        self.announcers = announcers
    }

    /// Where packets go.
    public struct NextHop: Codable, Hashable, Sendable {
        /// The address of the next router; `::` where the destination itself is on the link.
        public var address: String
        public var interface: String
        /// Its share among the next hops.
        public var weight: Int
        /// The next router's ID, if it is a neighbour known.
        public var routerID: String?
        /// The next router's name.
        public var node: String?

        public init(address: String, interface: String, weight: Int = 1, routerID: String? = nil, node: String? = nil) {
            self.address = address
            self.interface = interface
            self.weight = weight
            self.routerID = routerID
            self.node = node
        }
    }

    /// Whether the kernel agrees.
    public struct FIB: Codable, Hashable, Sendable {
        /// The answer.
        public var state: State
        /// What stands there instead, or the kernel's error.
        public var detail: String?

        public init(state: State, detail: String? = nil) {
            self.state = state
            self.detail = detail
        }

        /// The answer in a word.
        public enum State: String, Codable, Sendable {
            /// The kernel has the route as it should be.
            case installed
            /// On its way.
            case pending
            /// The kernel has another route, or none.
            case missing
            /// The kernel refused it.
            case failed
            /// Kept out of the kernel on purpose.
            case suppressed
        }
    }

    /// Somebody who announces the prefix.
    public struct Announcer: Codable, Hashable, Sendable {
        public var routerID: String
        /// The name if it says one.
        public var node: String?
        /// The metric it announces.
        public var metric: Int
        /// The distance to it; `nil` when it cannot be reached.
        public var distance: Int?
        /// The kind of path through it.
        public var kind: String
        /// Whether it is one of the best.
        public var selected: Bool
        /// Why it is not, if it is not.
        public var reason: String?

        public init(
            routerID: String, node: String?, metric: Int, distance: Int?, kind: String, selected: Bool,
            reason: String? = nil
        ) {
            self.routerID = routerID
            self.node = node
            self.metric = metric
            self.distance = distance
            self.kind = kind
            self.selected = selected
            self.reason = reason
        }
    }
}
