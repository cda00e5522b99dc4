internal import Timing

/// The delay of the routes that follow from the loss of a link of this node, when the kernel has repaired all that the link
/// carried (RFC 8333). The others have the time to change their routes first. Otherwise, a packet that follows this node's new
/// routes could meet a router with old ones and loop between both, while the repair is free of loops with the old routes of all.
///
/// Only the routes that follow from the loss of one link wait. Whatever else happens ends the delay.
struct LocalDelay: Sendable {
    /// ULOOP_DELAY_DOWN_TIMER (RFC 8333 §4), from the loss of the link. Long enough for the whole mesh to calculate and install
    /// its routes.
    static let duration = Duration.seconds(1)

    private enum State: Sendable {
        case none
        /// The link is lost, and the router has not calculated routes without it.
        case awaitingRoutes(until: Instant)
        /// The routes wait.
        case holding(until: Instant)
    }

    private var state = State.none

    /// Whether a link is lost and no routes were calculated since.
    var awaitsRoutes: Bool { if case .awaitingRoutes = state { true } else { false } }

    /// When the delay ends, if routes wait.
    var deadline: Instant? { if case .holding(let end) = state { end } else { nil } }

    /// A link was lost. The kernel is as wanted if `isSettled`: no other change waits.
    mutating func lost(_ loss: FIB.LinkLoss, isSettled: Bool, at now: Instant) {
        switch (loss, state) {
        case (.unaffected, _): break
        case (.repaired, .none) where isSettled: state = .awaitingRoutes(until: now + Self.duration)
        // A second failure, or one that is not repaired.
        case (.repaired, _), (.incomplete, _): state = .none
        }
    }

    /// The router has calculated routes. `isSameReach` is whether all that was reachable still is, and nothing else is: the loss
    /// of one link with a repair changes no more than the ways.
    mutating func received(isSameReach: Bool) {
        // The routes after the loss wait; a second change does not follow from it.
        if case .awaitingRoutes(let end) = state, isSameReach { state = .holding(until: end) } else { state = .none }
    }

    /// Something has happened for which nothing may wait.
    mutating func end() { state = .none }

    /// Ends the delay when it is over.
    mutating func expire(at now: Instant) {
        switch state {
        case .awaitingRoutes(let end), .holding(let end): if end <= now { state = .none }
        case .none: break
        }
    }
}
