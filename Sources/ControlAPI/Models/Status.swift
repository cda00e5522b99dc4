/// How a node is, at a glance.
public struct Status: Codable, Sendable {
    /// The version of `meshd`.
    public var version: String
    /// Its process ID.
    public var pid: Int
    /// Seconds since it started.
    public var uptime: Double
    /// Where it stands between start and stop.
    public var phase: Phase
    /// Whether its routes can be relied on.
    public var ready: Bool
    /// Why not, if not.
    public var notReady: [String]
    public var routerID: String
    /// Whether the router ID was derived from the hardware address.
    public var routerIDIsDerived: Bool
    /// The OSPF area.
    public var area: String
    /// The OSPF instance ID.
    public var instance: Int
    /// Its own address.
    public var address: String?
    /// Its own IPv4 address, if it has one.
    public var ipv4Address: String?
    /// The prefixes it announces.
    public var announces: [String]
    /// Whether others are asked to route around it.
    public var stubRouter: Bool
    /// Whether it is drained: a stub router, and the last to be taken of the addresses it shares.
    public var drained: Bool
    /// The configuration in use.
    public var configuration: ConfigurationStatus
    /// How it stands with the Kubernetes API; `nil` where the agent knows of none.
    public var cluster: ClusterStatus?
    /// The kernel's side.
    public var kernel: KernelStatus
    /// How many there are of what.
    public var counts: Counts
    /// What somebody should look at; `nil` of agents that knew of no such list.
    public var problems: [Problem]?
    /// Whether no neighbour is Full; `nil` of agents that did not say.
    public var isolated: Bool?
    /// The latest things worth reading, oldest first.
    public var events: [Event]

    public init(
        version: String, pid: Int, uptime: Double, phase: Phase, ready: Bool, notReady: [String], routerID: String,
        routerIDIsDerived: Bool, area: String, instance: Int, address: String?, ipv4Address: String?,
        announces: [String], stubRouter: Bool, drained: Bool,
        configuration: ConfigurationStatus, cluster: ClusterStatus?, kernel: KernelStatus, counts: Counts,
        problems: [Problem], isolated: Bool, events: [Event]
    ) {
        self.version = version
        self.pid = pid
        self.uptime = uptime
        self.phase = phase
        self.ready = ready
        self.notReady = notReady
        self.routerID = routerID
        self.routerIDIsDerived = routerIDIsDerived
        self.area = area
        self.instance = instance
        self.address = address
        self.ipv4Address = ipv4Address
        self.announces = announces
        self.stubRouter = stubRouter
        self.drained = drained
        self.configuration = configuration
        self.cluster = cluster
        self.kernel = kernel
        self.counts = counts
        self.problems = problems
        self.isolated = isolated
        self.events = events
    }

    /// Where a node stands between start and stop.
    public enum Phase: String, Codable, Sendable {
        /// Waiting for a port to take an identity from.
        case waiting
        /// Routes of an earlier run are kept until the mesh has been heard.
        case converging
        /// As it should be.
        case running
        /// On its way out.
        case stopping
    }

    /// The configuration in use.
    public struct ConfigurationStatus: Codable, Sendable {
        /// The file; `nil` when there is none.
        public var file: String?
        /// When it was taken, RFC 3339 in UTC.
        public var loaded: String
        /// Whether the file as it was last seen is the one in use.
        public var ok: Bool
        /// What is wrong with it otherwise, a line each.
        public var problems: [String]
        /// The keys whose change takes effect at the next start.
        public var needsRestart: [String]

        public init(file: String?, loaded: String, ok: Bool, problems: [String], needsRestart: [String]) {
            self.file = file
            self.loaded = loaded
            self.ok = ok
            self.problems = problems
            self.needsRestart = needsRestart
        }
    }

    /// How it stands with the Kubernetes API.
    public struct ClusterStatus: Codable, Sendable {
        /// Where the connection is described.
        public var source: String
        /// Whether all that is watched is heard.
        public var connected: Bool
        /// What is not heard and why, a line each.
        public var problems: [String]
        /// How many objects are known, by kind.
        public var objects: [String: Int]
        /// The ranges the cluster gives the node's pods.
        public var podCIDRs: [String]
        /// Why the node is drained, as far as the cluster wants that.
        public var drainReason: String?
        /// How much of the address pools is in use, a family at a time; `nil` of agents that knew of none.
        public var pools: [PoolStatus]?
        /// Whether this agent gives addresses of pools to services.
        public var assignsAddresses: Bool?

        public init(
            source: String, connected: Bool, problems: [String], objects: [String: Int], podCIDRs: [String],
            drainReason: String?, pools: [PoolStatus], assignsAddresses: Bool
        ) {
            self.source = source
            self.connected = connected
            self.problems = problems
            self.objects = objects
            self.podCIDRs = podCIDRs
            self.drainReason = drainReason
            self.pools = pools
            self.assignsAddresses = assignsAddresses
        }
    }

    /// How much of a pool is in use.
    public struct PoolStatus: Codable, Sendable {
        /// The pool's name.
        public var name: String
        /// `IPv4` or `IPv6`.
        public var family: String
        /// How many of its addresses services have.
        public var used: Int
        /// How many it has; `nil` where that is no number to count with.
        public var addresses: Int?

        public init(name: String, family: String, used: Int, addresses: Int?) {
            self.name = name
            self.family = family
            self.used = used
            self.addresses = addresses
        }
    }

    /// The kernel's side.
    public struct KernelStatus: Codable, Sendable {
        /// The routing table.
        public var table: Int
        /// The route protocol number.
        public var routeProtocol: Int
        /// Whether routes point at next-hop objects.
        public var nextHopObjects: Bool
        /// What stands in the way of forwarding, a line each.
        public var problems: [String]

        enum CodingKeys: String, CodingKey {
            case table
            case routeProtocol = "protocol"
            case nextHopObjects, problems
        }

        public init(table: Int, routeProtocol: Int, nextHopObjects: Bool, problems: [String]) {
            self.table = table
            self.routeProtocol = routeProtocol
            self.nextHopObjects = nextHopObjects
            self.problems = problems
        }
    }

    /// How many there are of what.
    public struct Counts: Codable, Hashable, Sendable {
        /// Ports in use, up.
        public var interfacesUp = 0
        /// Ports in use.
        public var interfaces = 0
        /// Neighbours with which the database agrees.
        public var neighborsFull = 0
        /// Neighbours heard of.
        public var neighbors = 0
        /// Nodes that can be reached, this one too.
        public var nodesReachable = 0
        /// Nodes in the database.
        public var nodes = 0
        /// Routes to prefixes of others.
        public var routes = 0
        /// Of those, in the kernel as they should be.
        public var routesInstalled = 0
        /// LSAs in the database.
        public var lsas = 0
        /// VIPs this node announces now.
        public var vipsAnnounced = 0
        /// VIPs this node is configured for.
        public var vips = 0
        /// Shortest-path runs.
        public var spfRuns = 0

        public init() {}
    }

    /// Something worth reading.
    public struct Event: Codable, Hashable, Sendable {
        /// When, RFC 3339 in UTC.
        public var time: String
        /// `info`, `notice`, `warning` or `error`.
        public var level: String
        /// What.
        public var message: String

        public init(time: String, level: String, message: String) {
            self.time = time
            self.level = level
            self.message = message
        }
    }
}
