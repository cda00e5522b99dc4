internal import OSPF
public import Timing

/// The counters of a network.
public struct NetworkStatistics: Hashable, Sendable {
    /// Packets that routers sent, even without carrier, by packet type (index 1–5; index 0 is unused).
    public var sent = [Int](repeating: 0, count: 6)
    /// The octets of these packets, from the OSPF header on.
    public var octetsSent = 0
    /// Packets that processes have read.
    public var delivered = 0
    /// Echo requests sent.
    public var echoes = 0
    /// Changes of router-LSAs because of the quality of cables.
    public var qualityChanges = 0
    /// Packets lost on a link, at a port without carrier or process, because their source address is no longer that of the
    /// port, or because the sockets of a sleeping process are full.
    public var lost = 0
    /// When a packet other than a hello was last sent.
    public var lastExchange = Instant.zero
    /// When a route table of any router last changed.
    public var lastRouteChange = Instant.zero
    /// Updates of route tables.
    public var routeUpdates = 0
    /// The number of changes of routes that nodes recorded, from their cause to the kernel.
    public var convergences = 0
    /// Changes of routes and next-hop objects that nodes have requested of kernels that were reachable, also refused ones.
    public var kernelChanges = 0
    /// Events taken from the queue.
    public var events = 0
    /// A hash of the deliveries with their times, and of the changes in ``kernelChanges``: if it differs, two runs differ.
    public var digest: UInt64 = 0

    /// Adds a value to ``digest``. Any odd constant would do, and the order of values counts.
    mutating func mix(_ value: UInt64) {
        digest = (digest ^ value) &* 0x9e37_79b9_7f4a_7c15
        digest ^= digest >> 29
    }
}

/// A violated invariant of a node or of the protocol.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// The violated invariant.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A packet was sent that should not have been: from a wrong address, too large, not OSPF, or out of a port that is
        /// down or does not exist.
        case badSend
        /// A queue of a router is longer than the largest database.
        case bound
        /// A node sets its timer, or requests what is answered at once, again and again without progress.
        case spin
        /// Far more packets other than hellos within a second than any database explains.
        case storm
        /// A node avoids a port that it must not avoid, or changes costs because of the quality of cables too often.
        case quality
        /// The record of a change of routes contradicts itself, or is too long.
        case history
        /// The sum of the updates of a route table is not the route table.
        case updates
        /// A node has work left in a network that should be at rest.
        case notQuiet
        /// A router has other neighbors than it should have, or neighbors in other states.
        case neighbors
        /// Databases differ.
        case database
        /// An LSA has wrong contents, or is too old.
        case content
        /// Routes differ from the oracle's.
        case routes
        /// Following next hops does not end at an announcer.
        case forwarding
        /// An address is announced and not on the node.
        case placement
        /// An address that is wanted is not on the node, one that is not wanted is, two nodes have the same, or an agent
        /// removed one that it should have left.
        case address
        /// A packet that is not authentic was accepted or changed a router, or a change of keys cost an adjacency.
        case authentication
        /// A node's nftables table is not as the node wants it, or lets the packets of wrong addresses pass.
        case transit
        /// A node has another address or router ID than it was given or had before.
        case identity
        /// A process stopped without being asked to, or not in the way that ``Machine/staysOnStop`` requires (`checkStop`).
        case stop
        /// When a process was replaced, its node or another one withdrew a route although the route was right.
        case withdrawal
        /// The kernel's state differs from the routes.
        case kernel
        /// A network at rest sent packets other than hellos (or refreshes), or changed routes.
        case silence
    }

    /// The violated invariant.
    public var kind: Kind
    /// When the simulator found it.
    public var time: Instant
    /// What the simulator found.
    public var detail: String

    /// The kind, the time and the detail.
    public var description: String { "\(kind.rawValue) at \(time.seconds): \(detail)" }
}

extension Instant {
    /// Seconds with six decimals, for people.
    var seconds: String {
        let microseconds = nanoseconds / 1000
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000).\(String(repeating: "0", count: max(0, 6 - fraction.count)))\(fraction) s"
    }
}
