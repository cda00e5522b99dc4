public import Addressing
public import OSPF
public import Routing
public import Services

/// What a node wants done in the world, in order. Those with an outcome are answered by a ``NodeEvent``.
public enum NodeEffect: Sendable {
    /// Read or change the kernel's routes; the outcome is ``NodeEvent/installed(_:)``.
    case routes(FIBInstaller.Request)
    /// Routes written from now on have these preferred sources; `nil` leaves it to the kernel.
    case preferredSource(IPv6Address?, ipv4: IPv4Address?)
    /// Send these octets as IP protocol 89 with hop limit 1.
    case send(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8])
    /// Join a multicast group, or leave it; the outcome is ``NodeEvent/membership(_:failure:)``.
    case membership(Membership, joined: Bool)
    /// Put addresses on `lo` or take them away; the outcomes are ``NodeEvent/addresses(_:)``.
    case addresses([AddressLedger.Request])
    /// Look which routes of others overlap these pools; the outcome is ``NodeEvent/surveyed(_:)``.
    case surveyRoutes(overlapping: [IPv6Prefix])
    /// See that the kernel has these settings; the outcomes are ``NodeEvent/settings(_:)``.
    case settings([KernelSetting])
    /// Remember this; ``NodeEvent/notSaved(_:_:)`` if that fails.
    case save(StateChange)
    /// Begin to check a service, and report outcomes under the ID.
    case startCheck(VIPTable.CheckID, HealthCheck)
    /// Stop a check.
    case stopCheck(VIPTable.CheckID)
    /// Offer these pod ranges to the cluster, to be taken if it has none for this node.
    case offerPodRanges([IPv6Prefix])
    /// See that the file for container runtimes says this; the outcome is ``NodeEvent/networkConfiguration(_:)``.
    case networkConfiguration(NetworkConfiguration)
    /// Routes changed, for whoever follows them.
    case routeTable(RouteTableUpdate)
    /// Write a line to the log.
    case log(LogLevel, String, [String: String])
    /// Remove routes of an earlier run with another configuration.
    case removeStrays
    /// Remove all our routes and next hops.
    case removeEverything
    /// All is done; the process may end. Whether everything stays for the next agent.
    case stopped(stays: Bool)
}

/// How much a line of the log matters.
public enum LogLevel: String, Hashable, Sendable, Comparable {
    /// Of use when a fault is looked for.
    case debug
    /// Of use now and then.
    case info
    /// Something an operator may want to know.
    case notice
    /// Something is not as it should be.
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

    /// The less important first.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}
