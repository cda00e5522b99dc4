internal import Timing

/// The SPF back-off state machine (RFC 8405 §5): the calculation follows a change in state QUIET after the initial
/// delay (by default none), and later changes after a delay that grows while changes continue.
struct SPFDelay: Sendable {
    private enum State {
        case quiet
        case shortWait(learnUntil: Instant)
        case longWait
    }

    private let parameters: SPFDelayParameters
    private var state = State.quiet
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

    /// Returns whether the calculation is due. If so, it counts as done from then on.
    @discardableResult
    mutating func popDue(at now: Instant) -> Bool {
        guard let deadline, deadline <= now else { return false }
        self.deadline = nil
        return true
    }

    /// The learn and hold-down timers only change the state, so they are evaluated only when the state is needed.
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
