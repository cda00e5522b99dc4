public import Addressing
public import BFD
public import Liveness
public import OSPF
public import Routing
public import Services

/// What the agent must do for a node, in order. The outcome of an effect, if it has one, is reported by a ``NodeEvent``.
public enum NodeEffect: Sendable {
    /// Read or change the kernel's routes; the outcome is ``NodeEvent/installed(_:)``.
    case routes(FIBInstaller.Request)
    /// Use these source addresses in routes from now on; `nil` leaves the choice to the kernel.
    case preferredSource(IPv6Address?, ipv4: IPv4Address?)
    /// Send these octets as IP protocol 89 with hop limit 1.
    case send(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8])
    /// Join a multicast group, or leave it; the outcome of joining is ``NodeEvent/membership(_:failure:)``.
    case membership(Membership, joined: Bool)
    /// Add addresses to `lo`, or remove them; the outcomes are ``NodeEvent/addresses(_:)``.
    case addresses([AddressLedger.Request])
    /// Read the routes of others that overlap these pools; the outcome is ``NodeEvent/foreignRoutes(_:)``.
    case readForeignRoutes(overlapping: [IPv6Prefix])
    /// Check these kernel settings in order, and set what differs; the outcomes are ``NodeEvent/settings(_:)``.
    case settings([KernelSetting])
    /// Save a change of the state; the outcome is ``NodeEvent/saved(_:failure:)``.
    case save(StateChange)
    /// Start a health check; its outcomes are ``NodeEvent/checked(_:_:)`` with this ID.
    indirect case startCheck(VIPTable.CheckID, HealthCheck)
    /// Stop a health check.
    case stopCheck(VIPTable.CheckID)
    /// Send echo requests to exactly these neighbors from now on; their states are reported by ``NodeEvent/liveness(_:)``.
    case watchNeighbors([EchoTarget])
    /// Read the counters and the speed of exactly these ports every 10 s from now on; ``NodeEvent/ports(_:)`` reports the first
    /// reading of each, and those with damaged packets or another speed.
    case watchPorts([UInt32])
    /// Have sessions of BFD with exactly these neighbors from now on; changes are reported by ``NodeEvent/bfd(_:)``. Files with keys are
    /// read again.
    case watchSessions([SessionTarget])
    /// Change or check our nftables table; the outcome is ``NodeEvent/proxyBypass(_:)``.
    case proxyBypass(ProxyBypass.Request)
    /// Offer these pod ranges to the cluster, which uses them if it has none for this node.
    case offerPodRanges([IPv6Prefix])
    /// Check the CNI file, and write it if it differs; the outcome is ``NodeEvent/networkConfiguration(_:)``.
    indirect case networkConfiguration(NetworkConfiguration)
    /// The route table has changed, for consumers other than the kernel.
    case routeTable(RouteTableUpdate)
    /// Routes have changed, and the kernel has them.
    case converged(Convergence)
    /// Write a line to the log, with further values by name.
    case log(LogLevel, String, [String: String])
    /// Remove the routes that earlier runs made with another `kernel.metric`, which ``routes(_:)`` does not cover.
    case removeStaleRoutes
    /// Remove the routes, next hops and addresses of an earlier run that used another protocol number or table; the outcome is
    /// ``NodeEvent/remainsRemoved(_:)``.
    case removeRemains(of: SavedKernel)
    /// Remove all our routes, next hops and nftables tables; ``addresses(_:)`` removes the addresses.
    case removeEverything
    /// The node has stopped, and the process may end. With `stays`, routes and addresses stay for the next agent.
    case stopped(stays: Bool)
}

/// The level of a log line.
public enum LogLevel: String, Hashable, Sendable, Comparable {
    /// For debugging.
    case debug
    /// Details.
    case info
    /// Normal, but significant.
    case notice
    /// Something is wrong, but the node continues to work.
    case warning
    /// Something does not work.
    case error

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .notice: 2
        case .warning: 3
        case .error: 4
        }
    }

    /// Less severe first.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}
