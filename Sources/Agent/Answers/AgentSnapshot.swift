internal import Addressing
internal import ControlAPI
internal import Linux
internal import Liveness
internal import MeshConfiguration
internal import Netlink
internal import Node
internal import OSPF
internal import Routing
internal import Services
internal import Timing

/// All values of the agent at one moment. Taking a snapshot on the event loop takes almost no time, because values share
/// storage until one of them changes. Answers are made from it on another thread, so that no request delays a hello.
struct AgentSnapshot: Sendable {
    /// The time of the snapshot, on the clock of ``EventLoop/now``.
    var now: Instant
    /// When the agent started.
    var started: Instant
    /// The node at that moment.
    var node: MeshNode
    /// The configuration file and its problems.
    var configurationStatus: Status.ConfigurationStatus
    var ages: RouteAges
    /// What has happened lately.
    var events: EventHistory
    var counters: AgentCounters
    /// What is known of the neighbors that are asked by echo requests.
    var echoes: [EchoTarget.Key: NeighborProber.Knowledge]
    /// Echo replies that were not ours, or not acceptable.
    var echoRefusals: UInt64
    /// What is known of the sessions of BFD.
    var sessions: BFDSpeaker.Knowledge
    /// The reports of each thread that did not arrive by themselves.
    var skippedReports: [(source: String, count: UInt64)]

    /// The router; `nil` before the stage `starting`.
    var router: Router? { node.router }
    /// The configuration in use.
    var configuration: Configuration { node.configuration }
    /// The ports.
    var interfaces: InterfaceTable { node.interfaces }
    var vips: VIPTable { node.vips }
    var serviceAddresses: ServiceAddresses { node.serviceAddresses }
    /// The known state of the cluster; `nil` before the first report, and without a cluster.
    var cluster: ClusterView? { node.cluster }
    /// Whether the service proxy works.
    var gate: ServiceGate { node.gate }
    var isDrained: Bool { node.isDrained }
    /// The FIB; `nil` before there is a router.
    var fib: FIB? { node.router == nil ? nil : node.installer.fib }
    /// The announced prefixes.
    var announced: [AdvertisedPrefix] { node.announced }
    var problems: [Problem] { node.currentProblems(at: now) }
    /// Why the node's routes cannot be relied on; empty when they can.
    var notReady: [String] { node.notReady(at: now) }

    /// The life cycle stage, as far as the API distinguishes stages.
    var phase: Status.Phase {
        switch node.life {
        case .new, .waiting: .waiting
        case .adopting, .starting, .synchronizing: .converging
        case .running, .draining: .running
        case .announcingRestart, .stopping: .stopping
        }
    }

    /// Gives this snapshot storage of its own, so that the routing thread copies nothing at its next change
    /// (``MeshNode/detach()``).
    mutating func detach() {
        node.detach()
        ages.detach()
    }

    /// The host name of a router, if known.
    func name(of router: RouterID) -> String? { self.router?.hostname(of: router) }

    /// The host name of a router, or its ID.
    func label(of router: RouterID) -> String { name(of: router) ?? router.description }

    func name(ofInterface index: UInt32) -> String { node.name(ofInterface: index) }

    /// Seconds since `moment`; 0 if it is in the future.
    func age(since moment: Instant) -> Double { Self.seconds(now - moment) }

    /// A duration in seconds, rounded down to milliseconds; 0 if it is negative.
    static func seconds(_ duration: Duration) -> Double { Double(max(0, duration.nanoseconds) / 1_000_000) / 1000 }
}

/// When routes last changed, by destination and by prefix.
struct RouteAges: Sendable {
    private var destinations: [DestinationID: Instant] = [:]
    private var prefixes = PrefixMap<Instant>()

    /// Records an update.
    mutating func note(_ update: RouteTableUpdate, at now: Instant) {
        for (id, _) in update.destinations { destinations[id] = now }
        for (prefix, destination) in update.routes { prefixes[prefix] = destination == nil ? nil : now }
        for id in update.released { destinations[id] = nil }
    }

    /// Gives this copy storage of its own.
    mutating func detach() {
        destinations.detach()
        prefixes.detach()
    }

    /// When the route to `prefix` last changed: the prefix moved to another destination, or its destination changed. `nil` if
    /// no change is recorded.
    func changed(_ prefix: IPv6Prefix, _ destination: DestinationID) -> Instant? {
        [prefixes[prefix], destinations[destination]].compactMap(\.self).max()
    }
}

extension MeshAgent {
    func snapshot() -> AgentSnapshot {
        counters.linkOverflows = monitor.overflows
        counters.kernel = kernel.counters
        counters.socket = sockets.counters
        return AgentSnapshot(
            now: EventLoop.now, started: started, node: node, configurationStatus: configurationStatus, ages: ages,
            events: events, counters: counters, echoes: prober?.knowledge ?? [:],
            echoRefusals: prober?.refusals ?? 0, sessions: bfd.knowledge,
            skippedReports: [
                ("bfd", bfd.reports.skipped), ("echo", prober?.reports.skipped ?? 0),
                ("ports", portReader?.readings.skipped ?? 0),
            ])
    }
}
