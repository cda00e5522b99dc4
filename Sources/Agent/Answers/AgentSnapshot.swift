internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Links
internal import MeshConfiguration
internal import Netlink
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
    /// The node's name.
    var node: String
    /// Where the agent stands between start and stop.
    var phase: Status.Phase
    /// Routes of an earlier run that were found in the kernel at the start.
    var adoptedRoutes: Int
    /// The router; `nil` while there is no identity.
    var router: Router?
    /// The node's own addresses, IPv6's first.
    var addresses: [IPv6Address]
    /// The prefixes announced.
    var announced: [AdvertisedPrefix]
    /// Why the node is drained, if it is.
    var drainReasons: DrainReasons
    var isDrained: Bool { !drainReasons.isEmpty }
    /// What should be in the kernel, and what is.
    var fib: FIB?
    /// The ports.
    var interfaces: InterfaceTable
    /// The VIPs.
    var vips: VIPTable
    /// What is known of the cluster, if there is one.
    var cluster: ClusterView?
    /// The addresses of the cluster's services that are announced.
    var serviceVIPs: ServiceVIPs
    /// Which addresses services cannot have, in words.
    var serviceProblems: [String]
    /// Whether connections to them are delivered.
    var gate: ServiceGate
    /// The configuration in use.
    var configuration: Configuration
    /// Where it came from, and what is wrong with the file.
    var configurationStatus: Status.ConfigurationStatus
    /// What the kernel's side complains of.
    var kernelProblems: [String]
    /// When routes last changed.
    var ages: RouteAges
    /// Latest events.
    var events: [Status.Event]
    /// Counters of the agent's own.
    var counters: AgentCounters

    /// The name of a router, if it tells one.
    func name(of router: RouterID) -> String? { self.router?.hostname(of: router) }

    /// The name of a router, or its ID.
    func label(of router: RouterID) -> String { name(of: router) ?? router.description }

    /// The name of an interface.
    func name(ofInterface index: UInt32) -> String { interfaces.ports[index]?.link.name ?? "if\(index)" }

    /// Seconds from `moment` until now.
    func age(since moment: Instant) -> Double { Self.seconds(now - moment) }

    /// A duration in seconds, in whole milliseconds.
    static func seconds(_ duration: Duration) -> Double { Double(max(0, duration.nanoseconds) / 1_000_000) / 1000 }

    /// Why the node's routes cannot be relied on; empty when they can.
    var notReady: [String] {
        var reasons: [String] = []
        switch phase {
        case .waiting: reasons.append("waiting for a port to take an identity from; is a cable in one?")
        case .converging:
            let kept = adoptedRoutes == 0 ? "" : "; \(counted(adoptedRoutes, "route")) of an earlier run kept"
            reasons.append("the mesh has not been heard out yet" + kept)
        case .stopping: reasons.append("stopping")
        case .running: break
        }
        if let fib, fib.counts.failedRoutes > 0 {
            reasons.append(
                "the kernel refused \(counted(fib.counts.failedRoutes, "route")); see meshctl routes -o wide")
        }
        return reasons
    }
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

    /// When the way to `prefix` last changed.
    func changed(_ prefix: IPv6Prefix, _ destination: DestinationID) -> Instant? {
        [prefixes[prefix], destinations[destination]].compactMap(\.self).max()
    }
}
