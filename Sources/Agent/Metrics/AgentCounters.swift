internal import Linux
internal import Netlink
internal import PrometheusMetrics

/// The agent's own counters, apart from those of the node.
struct AgentCounters: Sendable {
    /// The time, in seconds, to note an event that led to a route calculation. Not observed are changes of routes by other
    /// programs, outcomes of effects, and calculations that follow when the node settles.
    var routeCalculation = Histogram(bounds: [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1])
    /// The time, in seconds, from the start of a turn until the kernel has handled a request of the turn to change routes.
    var convergence = Histogram(bounds: [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1])
    /// The number of times that the kernel dropped notifications for ``KernelMonitor``.
    var linkOverflows: UInt64 = 0
    /// The counters of changes of routes and next hops; `nil` before the first snapshot.
    var kernel: KernelFIB.Counters?
    /// The counters of the OSPF sockets; `nil` before the first snapshot.
    var socket: OSPFSockets.Counters?
}
