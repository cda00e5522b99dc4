public import Addressing
public import Links
public import Liveness
public import MeshConfiguration
public import Routing
public import Services

/// The inputs of a node. See ``MeshNode/handle(_:at:effects:)``. Large and rare ones are indirect, so that packets, which are most
/// of them, are small values.
public enum NodeEvent: Sendable {
    /// The node starts. The machine has these links, addresses, and default routes of others.
    case start(links: [Link], addresses: [InterfaceAddress], defaultRoutes: [DefaultRoute])
    /// Notifications from the kernel about links, addresses, default routes, router advertisements and settings, and the loss
    /// of such notifications.
    case kernel([KernelEvent])
    /// Changes of routes and next hops that this node did not request, and lost notifications of them.
    case routes([RouteEvent])
    /// The outcome of ``NodeEffect/routes(_:)``.
    case installed(FIBInstaller.Outcome)
    /// The outcomes of ``NodeEffect/addresses(_:)``.
    case addresses([AddressOutcome])
    /// The outcomes of ``NodeEffect/settings(_:)``.
    case settings([SettingOutcome])
    /// The outcome of joining a group (``NodeEffect/membership(_:joined:)``); `nil` is success.
    case membership(Membership, failure: String?)
    /// The wall clock shows this time since 1970; at the start, and when it was set. Only the validity of keys depends on it.
    case clock(Duration)
    /// A packet of IP protocol 89 was received. `destination` is a multicast group or an address of this machine.
    case packet(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8])
    /// A health check reported an outcome.
    case checked(VIPTable.CheckID, CheckOutcome)
    /// The cluster has changed, or the connection to it.
    indirect case cluster(ClusterReport)
    /// The configuration file was read again.
    indirect case configuration(Configuration)
    /// The configuration file was read again and is not valid, for these reasons. The configuration in use stays in use.
    case configurationRefused([String])
    /// There is no configuration file. `read` is when the configuration in use was read from it; `nil` if the defaults are
    /// in use, which need no file. `remedy` says what to do.
    case configurationMissing(file: String, read: String?, remedy: String)
    /// A command of an operator, or of the process.
    case command(NodeCommand)
    /// The outcome of ``NodeEffect/save(_:)``; `nil` is success.
    case saved(StateChange, failure: String?)
    /// The outcome of ``NodeEffect/networkConfiguration(_:)``: whether the file was written, or why it could not be.
    case networkConfiguration(Result<Bool, NodeFailure>)
    /// The outcome of ``NodeEffect/proxyBypass(_:)``.
    case proxyBypass(ProxyBypass.Outcome)
    /// Neighbors that are asked (``NodeEffect/watchNeighbors(_:)``) have changed their states.
    case liveness([EchoReport])
    /// Readings of ports that are watched (``NodeEffect/watchPorts(_:)``).
    case ports([PortReading])
    /// Sessions of BFD (``NodeEffect/watchSessions(_:)``) have changed.
    case bfd([BFDReport])
    /// The outcome of ``NodeEffect/readForeignRoutes(overlapping:)``.
    case foreignRoutes(Result<[ForeignRoute], NodeFailure>)
    /// The outcome of ``NodeEffect/removeRemains(of:)``: what was removed, as text.
    case remainsRemoved(Result<String, NodeFailure>)
    /// ``MeshNode/nextDeadline`` is due.
    case timer

    /// Whether it is the outcome of an effect, so that it belongs to the turn of the event that led to the effect.
    var isOutcome: Bool {
        switch self {
        case .installed, .addresses, .settings, .membership, .saved, .networkConfiguration, .proxyBypass,
            .foreignRoutes, .remainsRemoved:
            true
        case .start, .clock, .kernel, .routes, .packet, .checked, .liveness, .ports, .bfd, .cluster, .configuration,
            .configurationRefused,
            .configurationMissing, .command, .timer:
            false
        }
    }
}

/// A command of an operator, or of the process that is about to end.
public enum NodeCommand: Hashable, Sendable {
    /// Makes the node a stub router (RFC 6987), or ends that.
    case stubRouter(Bool)
    /// Drains the node, or ends that.
    case drain(Bool)
    /// Drains the node, because a stop follows within this time (``Life/draining``). Has no effect if the node is drained
    /// already, is not synchronized, or stays (``MeshNode/staysOnStop``).
    case drainForStop(within: Duration)
    /// Stops. With `removingEverything`, all our routes, next hops and addresses are removed from the kernel; otherwise see
    /// ``MeshNode/staysOnStop``.
    case stop(removingEverything: Bool)
}

/// The reason for a failure, as text.
public struct NodeFailure: Error, Hashable, Sendable {
    public var reason: String
    public init(_ reason: String) { self.reason = reason }
}

/// An address request with its outcome.
public struct AddressOutcome: Hashable, Sendable {
    public var request: AddressLedger.Request
    public var outcome: AddressLedger.Outcome
    public init(_ request: AddressLedger.Request, _ outcome: AddressLedger.Outcome) {
        self.request = request
        self.outcome = outcome
    }
}

/// A multicast group on a port.
public struct Membership: Hashable, Sendable, Comparable {
    public var interface: UInt32
    public var group: IPv6Address
    public init(interface: UInt32, group: IPv6Address) {
        self.interface = interface
        self.group = group
    }
    /// By port, then by group.
    public static func < (left: Membership, right: Membership) -> Bool {
        (left.interface, left.group) < (right.interface, right.group)
    }
}
