/// A route to a prefix that other nodes announce, or a service route.
public struct Route: ListItem, Hashable {
    /// `RouteList`.
    public static let listKind = "RouteList"
    /// `service`: the kind of a service route, which lets processes on the node reach cluster IPs.
    public static let serviceKind = "service"

    public var prefix: String
    /// `ipv6` or `ipv4`.
    public var family: String
    /// `intra-area`, `inter-area`, `external-1` or `external-2`; ``serviceKind`` for a service route, through `lo`, which has no
    /// announcer and the metric 0.
    public var kind: String
    /// The announcers to which the route leads, by name or else router ID, in order of the router ID.
    public var nodes: [String]
    /// The distance to a chosen announcer, or to its forwarding address, plus the announced metric; for `external-2`, the
    /// announced metric alone.
    public var metric: Int
    /// For `external-2`, the distance to the announcer or its forwarding address; otherwise `nil`.
    public var internalMetric: Int?
    /// The next hops, in order of interface index and address.
    public var nextHops: [NextHop]
    /// Seconds since the route last changed, or the prefix got other announcers or metrics, also of those not chosen.
    public var age: Double
    /// Its state in the kernel.
    public var fib: FIB
    /// All announcers, the chosen ones first; `nil` unless one route was requested.
    public var announcers: [Announcer]?
    /// The next hop that the kernel uses by itself when the only one is lost (a loop-free alternate); `nil` if there is none.
    public var backup: NextHop?

    public init(
        prefix: String, family: String, kind: String, nodes: [String], metric: Int, internalMetric: Int?,
        nextHops: [NextHop], age: Double, fib: FIB, announcers: [Announcer]? = nil, backup: NextHop? = nil
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
        self.backup = backup
    }

    /// A next hop of a route.
    public struct NextHop: Codable, Hashable, Sendable {
        /// The address of the next router, or the forwarding address of an external route that is on the link; `::` if the
        /// destination itself is on the link.
        public var address: String
        public var interface: String
        /// Its share of the traffic, relative to the weights of the other next hops: always 1, because paths have equal cost.
        public var weight: Int
        /// The next router's ID, if it is a known neighbor.
        public var routerID: String?
        /// The next router's host name, if known.
        public var node: String?

        public init(address: String, interface: String, weight: Int = 1, routerID: String? = nil, node: String? = nil) {
            self.address = address
            self.interface = interface
            self.weight = weight
            self.routerID = routerID
            self.node = node
        }
    }

    /// The state of a route in the kernel.
    public struct FIB: Codable, Hashable, Sendable {
        public var state: State
        /// The kernel's error message; `nil` unless the state is `failed`.
        public var detail: String?

        public init(state: State, detail: String? = nil) {
            self.state = state
            self.detail = detail
        }

        /// Whether the kernel has the route.
        public enum State: String, Codable, Sendable {
            /// The kernel has the route as it should be.
            case installed
            /// The kernel does not have the route as it should be yet.
            case pending
            /// The router has calculated the route, but the agent's model of the kernel's routes does not have it yet.
            case missing
            /// The kernel refused the route, a next hop of it or its group.
            case failed
        }
    }

    /// A router that announces the prefix.
    public struct Announcer: Codable, Hashable, Sendable {
        public var routerID: String
        /// Its host name, if known.
        public var node: String?
        /// The metric it announces.
        public var metric: Int
        /// The distance to it or its forwarding address; `nil` if that is unreachable.
        public var distance: Int?
        /// The kind of the path, as in ``Route/kind``.
        public var kind: String
        /// Whether the route leads to it.
        public var selected: Bool
        /// Why it is not selected; `nil` if it is.
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
