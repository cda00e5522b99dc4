internal import Timing

/// The SPF back-off state machine (RFC 8405 §5): the calculation follows a change in state QUIET after the initial
/// delay (by default none), and later changes after a delay that grows while changes continue.
struct SPFDelay: Sendable {
    private enum State {
        case quiet
        /// Until the time to learn is over.
        case shortWait(learnUntil: Instant)
        case longWait
    }

    private let parameters: SPFDelayParameters
    private var state = State.quiet
    /// When the state is QUIET again, unless there is a change before.
    private var holdDownUntil = Instant.zero
    /// When the calculation is due; `nil` while nothing changed.
    private(set) var deadline: Instant?

    init(parameters: SPFDelayParameters) { self.parameters = parameters }

    /// Something that shortest paths depend on has changed.
    mutating func changed(at now: Instant) {
        advance(to: now)
        holdDownUntil = now + parameters.holdDown
        let delay: Duration
        switch state {
        case .quiet:
            delay = parameters.initial
            state = .shortWait(learnUntil: now + parameters.timeToLearn)
        case .shortWait: delay = parameters.short
        case .longWait: delay = parameters.long
        }
        if deadline == nil { deadline = now + delay }
    }

    /// Returns whether the calculation is due. If so, it counts as done: the caller calculates now.
    @discardableResult
    mutating func popDue(at now: Instant) -> Bool {
        guard let deadline, deadline <= now else { return false }
        self.deadline = nil
        return true
    }

    /// Brings the state up to date. The RFC's learn and hold-down timers change nothing else, so they need no deadline.
    private mutating func advance(to now: Instant) {
        switch state {
        case .quiet: break
        case .shortWait, .longWait:
            if now >= holdDownUntil {
                state = .quiet
            } else if case .shortWait(let learnUntil) = state, now >= learnUntil {
                state = .longWait
            }
        }
    }
}
