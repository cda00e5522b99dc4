/// The state of a node.
public struct Status: Codable, Sendable {
    /// The version of `meshd`.
    public var version: String
    /// The process ID of the agent.
    public var pid: Int
    /// Seconds since the agent started.
    public var uptime: Double
    /// The node's life cycle stage, coarsely.
    public var phase: Phase
    /// Whether the node's routes can be relied on.
    public var ready: Bool
    /// Why the node is not ready, one reason each; empty if it is.
    public var notReady: [String]
    /// `0.0.0.0` before there is a router.
    public var routerID: String
    /// Whether the router ID was not configured: it is derived from the hardware address or, if another router had the same,
    /// random. `true` before there is a router.
    public var routerIDIsDerived: Bool
    /// The OSPF area.
    public var area: String
    /// The OSPF instance ID.
    public var instance: Int
    /// The node's own IPv6 address or, while that is not on `lo`, its IPv4 address; `nil` while neither is.
    public var address: String?
    /// The node's own IPv4 address; `nil` while it is not on `lo`.
    public var ipv4Address: String?
    /// The prefixes it announces.
    public var announces: [String]
    /// Whether it is a stub router (RFC 6987), drained or not.
    public var stubRouter: Bool
    /// Whether it is drained: a stub router that announces its VIPs and service addresses as last resort.
    public var drained: Bool
    /// The configuration in use, and its file.
    public var configuration: ConfigurationStatus
    /// The connection to the Kubernetes API; `nil` if there is none.
    public var cluster: ClusterStatus?
    /// How routes are in the kernel, and some of the problems.
    public var kernel: KernelStatus
    /// Numbers of interfaces, neighbors, routes, and so on.
    public var counts: Counts
    /// Its problems; `nil` from older agents.
    public var problems: [Problem]?
    /// Whether no neighbor is Full although initial database synchronization is over; `nil` from older agents.
    public var isolated: Bool?
    /// Ports that are not used because they seem to lead to another network, as `NAME: REASON`; `nil` from older agents.
    public var otherNetworks: [String]?
    /// The latest log lines of level notice or higher, at most 50, oldest first.
    public var events: [Event]

    public init(
        version: String, pid: Int, uptime: Double, phase: Phase, ready: Bool, notReady: [String], routerID: String,
        routerIDIsDerived: Bool, area: String, instance: Int, address: String?, ipv4Address: String?,
        announces: [String], stubRouter: Bool, drained: Bool,
        configuration: ConfigurationStatus, cluster: ClusterStatus?, kernel: KernelStatus, counts: Counts,
        problems: [Problem], isolated: Bool, otherNetworks: [String], events: [Event]
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
        self.otherNetworks = otherNetworks
        self.events = events
    }

    /// A stage of the life cycle, or several that the API does not distinguish.
    public enum Phase: String, Codable, Sendable {
        /// The node is not started yet, or there is no port to derive an identity from.
        case waiting
        /// Starting: initial database synchronization is not complete.
        case converging
        /// Initial database synchronization is complete; the node may be draining.
        case running
        /// The agent is stopping.
        case stopping
    }

    /// The configuration and its file.
    public struct ConfigurationStatus: Codable, Sendable {
        /// The file that the configuration in use was read from, also if that is gone now; `nil` while the defaults are in use.
        public var file: String?
        /// When the configuration in use was read, RFC 3339 in UTC; for the defaults, when the agent started.
        public var loaded: String
        /// Whether the file, as last read, is in use, or there was none and the defaults are. If not, the earlier configuration
        /// stays in use.
        public var ok: Bool
        /// What is wrong with the file, one line each; empty if ``ok``.
        public var problems: [String]
        /// Sections of the file (top-level keys) with changes that take effect only at the next start.
        public var needsRestart: [String]

        public init(file: String?, loaded: String, ok: Bool, problems: [String], needsRestart: [String]) {
            self.file = file
            self.loaded = loaded
            self.ok = ok
            self.problems = problems
            self.needsRestart = needsRestart
        }
    }

    /// The connection to the Kubernetes API.
    public struct ClusterStatus: Codable, Sendable {
        /// The service account or file that describes the connection.
        public var source: String
        /// Whether all watches work.
        public var connected: Bool
        /// What does not work and why, one line each: the connection, service addresses, the service proxy.
        public var problems: [String]
        /// Numbers of cached objects, by what is watched: `services`, `endpointslices`, `nodes` (this node's Node only),
        /// `nodeaddresses` (all Nodes).
        public var objects: [String: Int]
        /// The pod ranges that the cluster assigned to the node.
        public var podCIDRs: [String]
        /// Why the cluster drains the node; `nil` if it does not.
        public var drainReason: String?
        /// The use of address pools, per family; `nil` from older agents.
        public var pools: [PoolStatus]?
        /// Whether this agent assigns pool addresses to services; `nil` from older agents.
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

    /// The use of an address pool.
    public struct PoolStatus: Codable, Sendable {
        /// The pool's name.
        public var name: String
        /// `IPv4` or `IPv6`.
        public var family: String
        /// Addresses of the pool that services have in their `status`.
        public var used: Int
        /// Addresses in the pool; `nil` if there are too many for an integer.
        public var addresses: Int?

        public init(name: String, family: String, used: Int, addresses: Int?) {
            self.name = name
            self.family = family
            self.used = used
            self.addresses = addresses
        }
    }

    /// How routes are in the kernel, and some of the problems.
    public struct KernelStatus: Codable, Sendable {
        /// The routing table.
        public var table: Int
        /// The route protocol number.
        public var routeProtocol: Int
        /// Whether routes point at next-hop objects. If not, they are multipath routes.
        public var nextHopObjects: Bool
        /// Those of ``Status/problems`` that concern the kernel, addresses or saved state, one line each, for older clients.
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

    /// Numbers of interfaces, neighbors, routes, and so on.
    public struct Counts: Codable, Hashable, Sendable {
        /// Ports in use that are up.
        public var interfacesUp = 0
        /// Ports in use.
        public var interfaces = 0
        /// Neighbors in state Full.
        public var neighborsFull = 0
        /// Neighbors in any state.
        public var neighbors = 0
        /// Reachable nodes, including this one.
        public var nodesReachable = 0
        /// Nodes in the database.
        public var nodes = 0
        /// Routes to prefixes of other nodes.
        public var routes = 0
        /// Routes that the kernel has as they should be.
        public var routesInstalled = 0
        /// LSAs in the database.
        public var lsas = 0
        /// VIPs and service addresses that this node announces.
        public var vipsAnnounced = 0
        /// VIPs of the configuration, and service addresses.
        public var vips = 0
        /// Calculations of shortest paths since the start, full and incremental.
        public var spfRuns = 0

        public init() {}
    }

    /// A log line.
    public struct Event: Codable, Hashable, Sendable {
        /// RFC 3339 in UTC.
        public var time: String
        /// `notice`, `warning`, `error` or `critical`.
        public var level: String
        public var message: String

        public init(time: String, level: String, message: String) {
            self.time = time
            self.level = level
            self.message = message
        }
    }
}
