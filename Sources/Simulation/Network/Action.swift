public import Addressing
public import MeshConfiguration
public import OSPF
public import Services

/// An action on a network: a fault, its end, a change of the configuration, a command. An action that does not apply (starting
/// a process that runs) does nothing, so that a script with steps left out is still valid. Nodes and links are given by their
/// places in ``Network/nodes`` and ``Network/links``, ends by their places in ``Link/ports``.
public enum Action: Hashable, Sendable {
    /// The cables of all ports of a link are unplugged or plugged in.
    case carrier(link: Int, isUp: Bool)
    /// The cable of one port is unplugged or plugged in. On a segment, only this port loses its carrier.
    case portCarrier(link: Int, end: Int, isUp: Bool)
    /// Packets from one end to another are dropped silently, or not any more.
    case cut(link: Int, from: Int, to: Int, isCut: Bool)
    /// All packets of a link are dropped silently, or not any more.
    case silence(link: Int, isSilent: Bool)
    /// A link gets another quality.
    case quality(link: Int, LinkQuality)
    /// Packets between the nodes of the set and the others are dropped silently, or not any more.
    case partition(Set<Int>, isCut: Bool)

    /// The process sleeps, as after SIGSTOP.
    case sleep(node: Int)
    /// The process wakes up, as after SIGCONT.
    case wake(node: Int)
    /// The process dies; the kernel's routes and addresses stay.
    case kill(node: Int)
    /// A new process starts; a machine without power is switched on first.
    case start(node: Int)
    /// The machine loses power.
    case powerOff(node: Int)
    /// The process is asked to stop. Unless routes and addresses stay for the next process (``Machine/staysOnStop``), the
    /// router shuts down gracefully first.
    case shutdown(node: Int)
    /// The process is asked to drain, because a stop follows.
    case announceStop(node: Int)

    /// The node announces these prefixes (`advertise` in its configuration file); one that it already announces gets the new
    /// metric.
    case announce(node: Int, [AdvertisedPrefix])
    /// The node withdraws prefixes.
    case withdraw(node: Int, [IPv6Prefix])
    /// The node imports an external prefix; one that it already imports gets the new metric.
    case announceExternal(node: Int, ExternalPrefix)
    /// The node withdraws an external prefix.
    case withdrawExternal(node: Int, IPv6Prefix)
    /// An operator makes the node a stub router (RFC 6987), or ends that. The command does not outlive the process.
    case stub(node: Int, Bool)
    /// An operator drains the node, or ends the drain. A drain outlives the process, but not a loss of power.
    case drain(node: Int, Bool)
    /// The cluster drains the node, or ends the drain.
    case clusterDrain(node: Int, Bool)
    /// The configuration file now has these VIPs and no others.
    case vips(node: Int, [VIP])
    /// The service behind a VIP works, or not any more.
    case service(node: Int, name: String, works: Bool)
    /// Services of the cluster demand an address on the node, at this level; `nil` ends the demand.
    case demandService(node: Int, IPv6Address, AnnouncementLevel?)
    /// Another program removes one of the node's routes, chosen at random.
    case foreignDeletion(node: Int)
    /// Another program removes an address from `lo`, chosen at random.
    case foreignAddressRemoval(node: Int)
    /// Another program switches forwarding off.
    case forwarding(node: Int)
    /// Another program makes the kernel drop echo requests, or not any more.
    case echoFilter(node: Int, Bool)
    /// Another program reloads the firewall, which removes all nftables tables.
    case firewallReload(node: Int)
    /// Requests about routes fail if `isUnreachable`. The kernel takes up to `delay` for requests (``Machine/kernelDelay``).
    case kernelTrouble(node: Int, isUnreachable: Bool, delay: Duration)
    /// The kernel now refuses to add exactly these addresses, and routes to exactly these prefixes.
    case refusal(node: Int, addresses: Set<IPv6Address>, prefixes: Set<IPv6Prefix>)
    /// The kernel's neighbor table now has exactly these addresses as those of other machines.
    case addressesOfOthers(node: Int, Set<IPv6Address>)
    /// Another program now has routes to exactly these prefixes.
    case foreignRoutes(node: Int, Set<IPv6Prefix>)
    /// Another program adds a default route of a family over an interface that is no port, or removes it.
    case defaultRoute(node: Int, IPFamily, exists: Bool)
    /// A port's cost changes.
    case cost(link: Int, end: Int, UInt16)
    /// The driver of a port tells another speed, in Mbit/s.
    case speed(link: Int, end: Int, Int)
    /// A port gets another link-local address.
    case renumber(link: Int, end: Int)
    /// All ports of a link get another MTU.
    case mtu(link: Int, Int)
    /// Two random neighbors receive an LSA of the node with this sequence number, as if a part of the mesh that was cut off had
    /// kept it from an earlier run: an LSA that the node originates now or, if `isStray`, one that it does not originate.
    case replay(node: Int, sequenceNumber: Int32, isStray: Bool)
    /// The configuration file and the key file now say this about authentication.
    case authentication(node: Int, Configuration.AuthenticationOptions)
    /// The node's wall clock is set to this second.
    case wallClock(node: Int, Int64)
    /// Somebody without a key sends a packet to an end of a link.
    case forge(link: Int, end: Int, Forgery)
    /// All cables are plugged in, all cuts end, all kernel troubles and refusals end, routes of other programs and addresses of
    /// other machines are gone, and every machine has power and a running process. All else stays as it is: the quality of
    /// links, drains, services that do not work.
    case healAll
    /// All cuts end on segments where “can communicate” is not transitive: the oracle could not tell what must hold there.
    case healHalfCuts
    /// Links stop losing and damaging packets, large ones too, but go on delaying and duplicating them; where there is BFD, by less than its detection time.
    case stopLoss
}
