import Addressing
import OSPFPacket
internal import Timing

/// An interface in use (RFC 2328 §9, RFC 5340 §4.1.2).
struct Interface: Sendable {
    /// How the interface is used, with what belongs to that use alone. ``state(of:)`` is the RFC's state.
    enum Mode: Hashable, Sendable {
        /// Without hellos and neighbors.
        case passive
        /// On standby: the interface with index `for`, of this router, is active on the link. Standby ends at `until`; each
        /// hello of the active interface moves that.
        case standby(for: UInt32, until: Instant)
        /// Without a designated router. After `auto` was broadcast, this may be a trial.
        case pointToPoint(trial: Trial? = nil)
        /// Listening until the moment given, so as not to depose a designated router that is already there.
        case waiting(until: Instant)
        /// Broadcast, with the outcome of the last election; before the first, there is no designated router and no backup.
        case elected(DesignatedRouterElection.Outcome)
    }

    /// A trial whether the neighbor of an `auto` interface that was broadcast is point-to-point now: when the trial ends, and
    /// the election outcome to return to unless the neighbor has shown that it is (`Router+AutomaticLink.swift`).
    struct Trial: Hashable, Sendable {
        var until: Instant
        var elected: DesignatedRouterElection.Outcome
    }

    var configuration: InterfaceConfiguration
    var mode: Mode
    /// In order of router ID.
    var neighbors: [Neighbor] = []
    /// When to send the next regular hello.
    var nextHello: Instant
    /// When the last hello was sent.
    var lastHello: Instant?
    /// When a neighbor was last replaced by another with the same router ID or address.
    var lastReplacement: Instant?
    /// When to send a prompt hello that would have followed the last hello too closely; `nil` if none waits.
    var promptHello: Instant?
    /// When to send a hello because another interface, now on standby for this one, may have just sent one: neighbors take
    /// that for a change of our address, and return to the address of this interface. `nil` if none waits.
    var correctingHello: Instant?
    /// LSAs that wait to be sent on this interface for the first time.
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

    /// The state of the interface, if `router` is the ID of this router.
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

    /// Whether packets can be sent through a neighbor; see ``UsableNeighbor``.
    func isUsable(_ neighbor: Neighbor) -> Bool {
        isBroadcast ? neighbor.state >= .twoWay : neighbor.isLinked
    }

    func neighborIndex(of router: RouterID) -> Int? {
        neighbors.firstIndex { $0.routerID == router }
    }

    /// The maximum time by which a regular hello may be sent early, at random or together with others: a tenth of the hello
    /// interval.
    var helloSpread: Duration { .nanoseconds(configuration.helloInterval.nanoseconds / 10) }

    /// Makes the next hello due now if the last one was sent at least a hello interval less ``helloSpread`` ago.
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
