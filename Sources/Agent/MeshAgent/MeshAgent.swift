internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Glibc
internal import HealthChecks
internal import Links
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import Netlink
internal import OSPF
internal import Routing
internal import Services
internal import Timing

/// The agent: the router between the cables and the kernel. Everything happens on one event loop, whose thread never
/// waits for anything but events, so what a lost carrier leads to is in the kernel before the turn is over.
///
/// Others see it through immutable snapshots and a few commands.
public actor MeshAgent {
    nonisolated let loop: EventLoop
    /// The event loop is the actor's executor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    let log: Logger
    let checker: any ServiceChecker
    /// What is remembered until the machine starts again, and beyond.
    let passing: StateDirectory
    let state: StateDirectory
    let started = EventLoop.now
    var phase = Status.Phase.waiting
    var events = EventHistory()
    var limiter = NoticeLimiter()
    var counters = AgentCounters()

    // Configuration.
    var file: ConfigurationFile
    var configuration: Configuration
    var configurationStatus: Status.ConfigurationStatus

    // The kernel.
    var monitor: KernelMonitor
    let addresses: KernelAddresses
    var interfaces = InterfaceTable()
    var kernelProblems: [String] = []

    // Routing; there once the node knows who it is.
    var routing: RoutingCore?
    var ages = RouteAges()
    var vips = VIPTable()
    /// What is known of the cluster; `nil` while nothing is.
    var cluster: ClusterView?
    /// What services want of this node, and what of that they cannot have, in words.
    var serviceClaims = ServiceClaims()
    var serviceProblems: [String] = []
    /// The addresses of the cluster's services that are announced.
    var serviceVIPs = ServiceVIPs()
    /// Those that are to be announced, and have not been put on this node yet.
    var holding: Set<IPv6Address> = []
    /// Those that are announced no more, and not taken from this node yet.
    var releasing: [IPv6Address] = []
    /// What the router was last told of them.
    var announcedServices: [AdvertisedPrefix] = []
    var gate: ServiceGate
    let connection: ClusterConnection?
    /// What ``reviewMesh()`` last looked at, and when.
    var reviewed: (seen: MeshReview, moment: Instant)?
    /// What container runtimes were last told.
    var writtenNetwork: NetworkConfiguration?
    /// Whether it was said that there is no port to take an identity from.
    var isWaitingTold = false
    /// Whether the node was made a stub router, and why it is drained, which includes that.
    var isStubRouter = false
    var drainReasons: DrainReasons = []
    /// Whether the router has been told of the ports.
    var portsAreOpen = false

    /// Groups that could not be joined, and why.
    var missingGroups: [Membership: String] = [:]
    /// When they are tried again.
    var membershipDeadline: Instant?
    /// When the router first changed a route that the kernel has not been told of.
    var routesChangedAt: Instant?
    /// Whether the kernel could not be talked to lately, and that was said.
    var kernelIsTroubled = false

    // Moments to come.
    var timers: Timers?
    /// Until when ports wait for the first word of the health checks.
    var portDeadline: Instant?
    /// When what an earlier run left is swept at the latest.
    var sweepDeadline: Instant?
    /// Until when the routes of an earlier run stay as they are unless the mesh has been heard out before: what is half
    /// known must not take away what was whole.
    var holdDeadline: Instant?
    /// When ``reviewMesh()`` is to look again.
    var reviewDeadline: Instant?
    /// When the configuration file is looked at next.
    var fileDeadline: Instant?

    /// What there is once the node knows who it is. An object, touched by the agent only, so that the router in it is
    /// changed where it stands.
    final class RoutingCore {
        let identity: NodeIdentity
        var ipv4: IPv4Ranges
        /// Who else has the node's own addresses, in words.
        var claims: [String] = []
        var router: Router
        let installer: RouteInstaller
        let sockets: OSPFSockets
        /// What the node has to announce, and the same with each prefix once, as the router was told.
        var offered: [AdvertisedPrefix] = []
        /// Routes of an earlier run that were found in the kernel at the start.
        let adoptedRoutes: Int
        var announced: [AdvertisedPrefix] = []
        /// Kept to spare the allocation.
        var effects: [RouterEffect] = []

        init(
            identity: NodeIdentity, ipv4: IPv4Ranges, router: Router, installer: RouteInstaller, sockets: OSPFSockets
        ) {
            self.identity = identity
            self.ipv4 = ipv4
            self.router = router
            self.installer = installer
            self.sockets = sockets
            adoptedRoutes = installer.fib.counts.routes
        }
    }

    /// The timers of the loop.
    struct Timers {
        let router: EventLoop.Timer
        let kernel: EventLoop.Timer
        let house: EventLoop.Timer
    }

    /// Opens what the agent needs of the kernel. Nothing runs before ``start()``.
    init(
        loop: EventLoop, configuration: Configuration, file: ConfigurationFile, checker: any ServiceChecker,
        connection: ClusterConnection? = nil, log: Logger
    ) throws {
        self.loop = loop
        self.configuration = configuration
        self.file = file
        self.checker = checker
        self.connection = connection
        gate = ServiceGate(check: configuration.kubernetes.proxyCheck)
        self.log = log
        passing = StateDirectory(besideSocket: configuration.control.socket)
        state = StateDirectory(configuration)
        if passing.isDrained { drainReasons = .operator }
        configurationStatus = Status.ConfigurationStatus(
            file: file.path, loaded: Timestamp.now, ok: true, problems: [], needsRestart: [])
        monitor = try KernelMonitor()
        addresses = try KernelAddresses(origin: configuration.kernel.routeProtocol)
    }
}

/// Who tries services. ``HealthChecker``, or a test.
protocol ServiceChecker: Sendable {
    func start(_ id: VIPTable.CheckID, _ check: HealthCheck)
    func stop(_ id: VIPTable.CheckID)
}

extension HealthChecker: ServiceChecker {}

/// The latest things worth reading, a bounded number of them.
struct EventHistory: Sendable {
    private(set) var events: [Status.Event] = []
    private static let limit = 50

    mutating func append(level: Logger.Level, _ message: String) {
        if events.count == Self.limit { events.removeFirst() }
        events.append(Status.Event(time: Timestamp.now, level: level.rawValue, message: message))
    }
}

extension MeshAgent {
    /// Logs something, and keeps it for `meshctl status` if it is a notice or more. What others said is in it as they said it,
    /// so it may hold anything; but for a terminal it is one line of text.
    func tell(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:]) {
        let message = message.asOneLine
        log.log(level: level, "\(message)", metadata: metadata)
        if level >= .notice { events.append(level: level, message) }
    }

    /// An immutable copy of everything.
    func snapshot() -> AgentSnapshot {
        counters.linkOverflows = monitor.overflows
        counters.noticesPassedOver = limiter.passedOver
        counters.installer = routing?.installer.counters
        counters.kernel = routing?.installer.kernelCounters
        counters.socket = routing?.sockets.counters
        return AgentSnapshot(
            now: EventLoop.now, started: started, node: routing?.identity.name ?? configuration.node.name ?? Host.name,
            phase: phase, adoptedRoutes: routing?.adoptedRoutes ?? 0, router: routing?.router,
            addresses: ownAddresses,
            announced: routing?.announced ?? [], drainReasons: drainReasons, fib: routing?.installer.fib,
            interfaces: interfaces, vips: vips, cluster: cluster,
            serviceVIPs: serviceVIPs, serviceProblems: serviceProblems, gate: gate,
            configuration: configuration, configurationStatus: configurationStatus,
            kernelProblems: currentKernelProblems,
            ages: ages, events: events.events, counters: counters)
    }

    private var currentKernelProblems: [String] {
        var problems = kernelProblems
        problems += routing?.ipv4.problems ?? []
        problems += routing?.claims ?? []
        problems += Set(missingGroups.values).sorted()
        if let error = routing?.installer.lastError { problems.append("\(error)") }
        if let loopback = monitor.links[KernelAddresses.loopback], !loopback.isUp {
            problems.append("lo is down, so that this node's own addresses do not answer; ip link set lo up")
        }
        return problems
    }
}

/// This machine.
enum Host {
    /// `$NODE_NAME`, or the host's name.
    static var name: String {
        if let name = getenv("NODE_NAME"), name.pointee != 0 { return String(cString: name) }
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
