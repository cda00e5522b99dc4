public import Addressing
public import OSPF
public import Services

/// Something done to a network from outside. What makes no sense at the moment (to start what runs) does nothing, so
/// that any part of a script is a script.
public enum Action: Hashable, Sendable {
    /// A cable is pulled or put back: all ports of the link lose their carrier or get it again.
    case carrier(link: Int, isUp: Bool)
    /// One port's own cable to a segment is pulled or put back.
    case portCarrier(link: Int, end: Int, isUp: Bool)
    /// Packets from one end to another are dropped silently, or not any more.
    case cut(link: Int, from: Int, to: Int, isCut: Bool)
    /// All packets of a link are dropped silently, or not any more.
    case silence(link: Int, isSilent: Bool)
    /// From now on the link is this good.
    case quality(link: Int, LinkQuality)
    /// Packets between the nodes of the set and the others are dropped silently, or not any more.
    case partition(Set<Int>, isCut: Bool)

    /// The process sleeps.
    case sleep(node: Int)
    /// The process wakes up.
    case wake(node: Int)
    /// The process dies; the kernel's routes stay.
    case kill(node: Int)
    /// A new process starts, with power if there was none.
    case start(node: Int)
    /// The machine loses power.
    case powerOff(node: Int)
    /// The process is asked to stop. Unless routes and addresses stay for the next process (`node.onStop`), the router shuts
    /// down gracefully first.
    case shutdown(node: Int)
    /// The process is asked to drain, because a stop follows.
    case announceStop(node: Int)

    /// The node announces one more prefix, or one it has with another metric.
    case announce(node: Int, [AdvertisedPrefix])
    /// The node withdraws prefixes.
    case withdraw(node: Int, [IPv6Prefix])
    /// The node imports one more external prefix, or one it has with another metric.
    case announceExternal(node: Int, ExternalPrefix)
    /// The node withdraws an external prefix.
    case withdrawExternal(node: Int, IPv6Prefix)
    /// Whether others shall route around the node.
    case stub(node: Int, Bool)
    /// An operator drains the node, or no longer.
    case drain(node: Int, Bool)
    /// The cluster drains the node, or no longer.
    case clusterDrain(node: Int, Bool)
    /// The configuration file has these VIPs.
    case vips(node: Int, [VIP])
    /// The service behind a VIP works, or not any more.
    case service(node: Int, name: String, works: Bool)
    /// The cluster's services want an address of the node, or no longer.
    case demandService(node: Int, IPv6Address, AnnouncementLevel?)
    /// Another program removes a route of the node's.
    case foreignDeletion(node: Int)
    /// Another program removes an address from `lo`.
    case addressTheft(node: Int)
    /// Another program switches forwarding off.
    case forwarding(node: Int)
    /// The kernel answers no request about routes, or answers late.
    case kernelTrouble(node: Int, isUnreachable: Bool, delay: Duration)
    /// The kernel takes none of these addresses and prefixes.
    case refusal(node: Int, addresses: Set<IPv6Address>, prefixes: Set<IPv6Prefix>)
    /// The kernel's neighbor table has these addresses for other machines.
    case strangers(node: Int, Set<IPv6Address>)
    /// Another program has routes to these prefixes, in place of those before.
    case foreignRoutes(node: Int, Set<IPv6Prefix>)
    /// A port's cost changes.
    case cost(link: Int, end: Int, UInt16)
    /// A port gets another link-local address.
    case renumber(link: Int, end: Int)
    /// All ports of a link get another MTU.
    case mtu(link: Int, Int)
    /// An LSA of an earlier run of the node appears at some router, as if a part of the mesh that was cut off had kept
    /// it: one of its current LSAs with this sequence number, or (`isStray`) one that it does not originate.
    case replay(node: Int, sequenceNumber: Int32, isStray: Bool)
    /// Every link carries everything again, every machine has power and a running process.
    case healAll
    /// Whatever leaves the reach of a segment's routers half-way is healed, so that what should follow is defined.
    case healHalfCuts
    /// Links stop losing and damaging packets, but go on delaying and duplicating them.
    case stopLoss
}
