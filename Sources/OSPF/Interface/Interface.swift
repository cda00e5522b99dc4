import Addressing
import OSPFPacket
internal import Timing

/// An interface in use (RFC 2328 §9, RFC 5340 §4.1.2).
struct Interface: Sendable {
    /// The role of the interface in the election of a designated router.
    enum Mode: Hashable, Sendable {
        /// Announced, without hellos and neighbors.
        case passive
        /// On standby: another interface of this router is active on the link. It ends at `until`, unless another hello of
        /// that one is received.
        case standby(for: UInt32, until: Instant)
        /// No designated router.
        case pointToPoint(trial: Trial? = nil)
        /// Listening until the moment given, so as not to depose a designated router that is already there.
        case waiting(until: Instant)
        /// Elected.
        case elected(DesignatedRouterElection.Outcome)
    }

    /// A test whether the neighbor of an interface that was broadcast is point-to-point now: when the test ends, and
    /// the election outcome to use if it is not.
    struct Trial: Hashable, Sendable {
        var until: Instant
        var elected: DesignatedRouterElection.Outcome
    }

    var configuration: InterfaceConfiguration
    var mode: Mode
    /// In order of router ID.
    var neighbors: [Neighbor] = []
    var nextHello: Instant
    /// When the last hello was sent, to limit the rate of prompt hellos.
    var lastHello: Instant?
    /// When a neighbor was last replaced by another with the same router ID or address.
    var lastReplacement: Instant?
    /// When to send a hello before the next regular one.
    var promptHello: Instant?
    /// When to send another hello for neighbors that received one of another interface of this router.
    var correctingHello: Instant?
    var flood = FloodQueue()
    /// Acknowledgments collected for one packet (RFC 2328 §13.5), and when it is sent.
    var delayedAcknowledgments: [LSAHeader] = []
    var acknowledgmentDeadline: Instant?
    /// Hellos that do not match ours, by the router ID of the sender; some may be out of date.
    var mismatches: [RouterID: HelloMismatch] = [:]

    var index: UInt32 { configuration.index }
    var isPassive: Bool { mode == .passive }
    var isPointToPoint: Bool { if case .pointToPoint = mode { true } else { false } }
    /// Whether the interface sends nothing and has no neighbors.
    var isSilent: Bool {
        switch mode {
        case .passive, .standby: true
        case .pointToPoint, .waiting, .elected: false
        }
    }
    /// Whether a designated router is (or is to be) elected here.
    var isBroadcast: Bool {
        switch mode {
        case .waiting, .elected: true
        case .passive, .standby, .pointToPoint: false
        }
    }

    var designatedRouter: RouterID {
        if case .elected(let outcome) = mode { outcome.designated } else { .none }
    }
    var backupDesignatedRouter: RouterID {
        if case .elected(let outcome) = mode { outcome.backup } else { .none }
    }

    func state(of router: RouterID) -> InterfaceState {
        switch mode {
        case .passive: .passive
        case .standby: .standby
        case .pointToPoint: .pointToPoint
        case .waiting: .waiting
        case .elected(let outcome):
            outcome.designated == router ? .designated : outcome.backup == router ? .backup : .drOther
        }
    }

    /// Whether packets can be sent through a neighbor: on a point-to-point link one that is full (or was a moment ago),
    /// on a link with a designated router all with bidirectional communication, as its routers forward to each other
    /// directly.
    func isUsable(_ neighbor: Neighbor) -> Bool {
        isBroadcast ? neighbor.state >= .twoWay : neighbor.isLinked
    }

    func neighborIndex(of router: RouterID) -> Int? {
        neighbors.firstIndex { $0.routerID == router }
    }

    /// Octets of OSPF that fit into one IPv6 packet on this link.
    var maximumPacketSize: Int { min(configuration.mtu, 65_535) - 40 }

    /// The maximum time by which a hello may be sent early.
    var helloSpread: Duration { .nanoseconds(configuration.helloInterval.nanoseconds / 10) }

    /// Makes the next hello due now if at most ``helloSpread`` is missing until a whole hello interval after the last one.
    mutating func advanceHello(at now: Instant) {
        guard let lastHello, now >= lastHello + (configuration.helloInterval - helloSpread) else { return }
        nextHello = min(nextHello, now)
    }

    /// The earliest moment at which something of the interface or its neighbors is due.
    var nextDeadline: Instant? {
        var earliest: Instant? = isSilent ? nil : nextHello
        func consider(_ moment: Instant?) {
            if let moment, earliest == nil || moment < earliest! { earliest = moment }
        }
        consider(promptHello)
        consider(acknowledgmentDeadline)
        consider(flood.nextSend)
        consider(correctingHello)
        switch mode {
        case .waiting(let until), .standby(_, let until): consider(until)
        case .pointToPoint(let trial): consider(trial?.until)
        case .passive, .elected: break
        }
        for neighbor in neighbors { consider(neighbor.nextDeadline) }
        return earliest
    }
}
