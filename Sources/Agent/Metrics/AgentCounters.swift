internal import Linux
internal import Netlink
internal import PrometheusMetrics

/// The agent's own counters, apart from those of the node.
struct AgentCounters: Sendable {
    /// The time, in seconds, to note an event: one value for each event whose noting calculated routes, once or several times.
    /// Not for outcomes of effects, nor for calculations while the node settles.
    var routeCalculation = Histogram(bounds: [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1])
    /// The time, in seconds, from the start of a turn until the kernel has handled a request of the turn to change routes: one
    /// value for each request that did not fail as a whole.
    var convergence = Histogram(bounds: [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1])
    /// The number of times that the kernel dropped notifications for ``KernelMonitor``; 0 before the first snapshot.
    var linkOverflows: UInt64 = 0
    /// The counters of changes of routes and next hops; `nil` before the first snapshot.
    var kernel: KernelFIB.Counters?
    /// The counters of the OSPF sockets; `nil` before the first snapshot.
    var socket: OSPFSockets.Counters?
}
