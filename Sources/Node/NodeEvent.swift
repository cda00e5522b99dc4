public import Addressing
public import Links
public import MeshConfiguration
public import Routing
public import Services

/// Everything that can happen to a node. See ``MeshNode/handle(_:at:effects:)``.
public enum NodeEvent: Sendable {
    /// The node starts, with what the machine has now: links, addresses, and default routes that are not ours.
    case start(links: [Link], addresses: [InterfaceAddress], defaultRoutes: [DefaultRoute])
    /// The kernel tells of links and addresses.
    case kernel([KernelEvent])
    /// Others did something to our routes.
    case routes([RouteEvent])
    /// What came of ``NodeEffect/routes(_:)``.
    case installed(FIBInstaller.Outcome)
    /// What came of ``NodeEffect/addresses(_:)``, one by one.
    case addresses([AddressOutcome])
    /// What came of ``NodeEffect/settings(_:)``, one by one.
    case settings([SettingOutcome])
    /// What came of ``NodeEffect/membership(_:joined:)``; `nil` is success.
    case membership(Membership, failure: String?)
    /// A packet of IP protocol 89 came in.
    case packet(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8])
    /// A health check reports.
    case checked(VIPTable.CheckID, CheckOutcome)
    /// The cluster has changed.
    case cluster(ClusterReport)
    /// The configuration file was read again.
    case configuration(Configuration)
    /// The configuration file was read again and is not in use, for these reasons.
    case configurationRefused([String])
    /// A command of a person.
    case command(NodeCommand)
    /// Something could not be saved, and why.
    case notSaved(StateChange, String)
    /// What came of ``NodeEffect/networkConfiguration(_:)``: whether the file had to be written, or why it could not be.
    case networkConfiguration(Result<Bool, NodeFailure>)
    /// What came of ``NodeEffect/surveyRoutes(overlapping:)``.
    case surveyed(Result<[ForeignRoute], NodeFailure>)
    /// This process was kept from running for so long, as by SIGSTOP.
    case stoodStill(Duration)
    /// The moment ``MeshNode/nextDeadline`` has come.
    case timer
}

/// What a person, or the way the process ends, asks of a node.
public enum NodeCommand: Hashable, Sendable {
    /// Whether others should route around the node (RFC 6987).
    case stubRouter(Bool)
    /// Whether the node is made ready to be taken away.
    case drain(Bool)
    /// Drain, as a stop follows within so long. ``Life/draining`` is not reached where there is nothing to drain.
    case drainForStop(within: Duration)
    /// Stop, and remove everything from the kernel if so.
    case stop(removingEverything: Bool)
}

/// Why something failed, in words.
public struct NodeFailure: Error, Hashable, Sendable {
    /// The reason.
    public var reason: String
    /// Makes a failure.
    public init(_ reason: String) { self.reason = reason }
}

/// An address request with its outcome.
public struct AddressOutcome: Hashable, Sendable {
    /// What was asked for.
    public var request: AddressLedger.Request
    /// What came of it.
    public var outcome: AddressLedger.Outcome
    /// Makes an outcome.
    public init(_ request: AddressLedger.Request, _ outcome: AddressLedger.Outcome) {
        self.request = request
        self.outcome = outcome
    }
}

/// A multicast group on a port.
public struct Membership: Hashable, Sendable, Comparable {
    /// The port.
    public var interface: UInt32
    /// The group.
    public var group: IPv6Address
    /// Names a membership.
    public init(interface: UInt32, group: IPv6Address) {
        self.interface = interface
        self.group = group
    }
    /// By port, then by group.
    public static func < (left: Membership, right: Membership) -> Bool {
        (left.interface, left.group) < (right.interface, right.group)
    }
}
