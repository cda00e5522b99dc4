internal import Addressing
internal import ControlAPI
internal import Linux
internal import MeshConfiguration
internal import Netlink
internal import Node
internal import OSPF
internal import Routing
internal import Services
internal import Timing

/// Everything the agent knows at one moment, as values: taken on the event loop in no time, because values are shared until
/// somebody changes them, and turned into answers elsewhere, so that no question delays a hello.
struct AgentSnapshot: Sendable {
    /// The present moment on the clock of the router.
    var now: Instant
    /// When the agent started.
    var started: Instant
    /// The node as it was at that moment.
    var node: MeshNode
    /// Where the configuration came from, and what is wrong with the file.
    var configurationStatus: Status.ConfigurationStatus
    /// When routes last changed.
    var ages: RouteAges
    /// Latest events.
    var events: [Status.Event]
    /// Counters of the agent's own.
    var counters: AgentCounters

    /// The router; `nil` while there is no identity.
    var router: Router? { node.router }
    /// The configuration in use.
    var configuration: Configuration { node.configuration }
    /// The ports.
    var interfaces: InterfaceTable { node.interfaces }
    var vips: VIPTable { node.vips }
    /// The addresses of the cluster's services that are announced.
    var serviceVIPs: ServiceVIPs { node.serviceVIPs }
    /// What is known of the cluster, if there is one.
    var cluster: ClusterView? { node.cluster }
    /// Whether connections to services are delivered.
    var gate: ServiceGate { node.gate }
    /// Whether the node is drained.
    var isDrained: Bool { node.isDrained }
    /// What should be in the kernel, and what is; `nil` while there is no router.
    var fib: FIB? { node.router == nil ? nil : node.installer.fib }
    /// The prefixes announced.
    var announced: [AdvertisedPrefix] { node.announced }
    /// The problems there are.
    var problems: [Problem] { node.currentProblems(at: now) }
    /// Why the node's routes cannot be relied on; empty when they can.
    var notReady: [String] { node.notReady(at: now) }

    /// Where the agent stands between start and stop.
    var phase: Status.Phase {
        switch node.life {
        case .new, .waiting: .waiting
        case .adopting, .starting, .synchronizing: .converging
        case .running, .draining: .running
        case .stopping: .stopping
        }
    }

    /// Gives this snapshot storage of its own (``MeshNode/detach()``).
    mutating func detach() {
        node.detach()
        ages.detach()
    }

    /// The name of a router, if it tells one.
    func name(of router: RouterID) -> String? { self.router?.hostname(of: router) }

    /// The name of a router, or its ID.
    func label(of router: RouterID) -> String { name(of: router) ?? router.description }

    /// The name of an interface.
    func name(ofInterface index: UInt32) -> String { node.name(ofInterface: index) }

    /// Seconds from `moment` until now.
    func age(since moment: Instant) -> Double { Self.seconds(now - moment) }

    /// A duration in seconds, in whole milliseconds.
    static func seconds(_ duration: Duration) -> Double { Double(max(0, duration.nanoseconds) / 1_000_000) / 1000 }
}

/// When routes last changed, kept by destination and by prefix as they change.
struct RouteAges: Sendable {
    private var destinations: [DestinationID: Instant] = [:]
    private var prefixes = PrefixMap<Instant>()

    /// Takes an update in.
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

    /// When the way to `prefix` last changed.
    func changed(_ prefix: IPv6Prefix, _ destination: DestinationID) -> Instant? {
        [prefixes[prefix], destinations[destination]].compactMap(\.self).max()
    }
}

extension MeshAgent {
    /// An immutable copy of everything.
    func snapshot() -> AgentSnapshot {
        counters.linkOverflows = monitor.overflows
        counters.kernel = kernel.counters
        counters.socket = sockets.counters
        return AgentSnapshot(
            now: EventLoop.now, started: started, node: node, configurationStatus: configurationStatus, ages: ages,
            events: events.events, counters: counters)
    }
}
