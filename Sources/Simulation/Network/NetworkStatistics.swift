internal import OSPF
public import Timing

/// What a network counted.
public struct NetworkStatistics: Hashable, Sendable {
    /// Packets handed to a link, by packet type (index 1–5).
    public var sent = [Int](repeating: 0, count: 6)
    /// Octets handed to a link.
    public var octetsSent = 0
    /// Packets handed to a router.
    public var delivered = 0
    /// Packets lost on a link or at a port.
    public var lost = 0
    /// When a packet other than a hello was last sent.
    public var lastExchange = Instant.zero
    /// When a route last changed anywhere.
    public var lastRouteChange = Instant.zero
    /// Updates of routes.
    public var routeUpdates = 0
    /// Changes asked of kernels.
    public var kernelChanges = 0
    /// Events taken from the queue.
    public var events = 0
    /// A hash over everything that was delivered and when: equal for two runs only if they went alike.
    public var digest: UInt64 = 0

    mutating func mix(_ value: UInt64) {
        digest = (digest ^ value) &* 0x9e37_79b9_7f4a_7c15
        digest ^= digest >> 29
    }
}

/// A promise of the router, or of the protocol, that was broken.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// Which promise.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A packet was sent that should not have been: from a wrong address, too large, out of a port that is down.
        case badSend
        /// A queue holds more than there is to hold.
        case bound
        /// A router's timer rings again and again without getting anywhere.
        case spin
        /// More packets than any reason explains.
        case storm
        /// The updates of routes do not add up to the route table.
        case updates
        /// A router is not done when everything should be.
        case notQuiet
        /// Neighbors differ from who is there.
        case neighbors
        /// Databases differ.
        case database
        /// The contents of the database are wrong.
        case content
        /// Routes differ from the oracle's.
        case routes
        /// Following next hops does not end at an announcer.
        case forwarding
        /// An address is announced and not on the node.
        case placement
        /// An address that is wanted is not on the node, or one that is not wanted is.
        case address
        /// A node's identity changed by itself.
        case identity
        /// A process stopped in another way than it was asked to.
        case stop
        /// A route of an earlier run was withdrawn although it was right.
        case withdrawal
        /// The kernel's state differs from the routes.
        case kernel
        /// Something was sent or changed although nothing happened.
        case silence
    }

    /// Which promise.
    public var kind: Kind
    /// When it was seen.
    public var time: Instant
    /// What exactly was seen.
    public var detail: String

    /// Where, when and what.
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
