internal import Timing

/// The SPF back-off state machine (RFC 8405 §5): a change in a quiet network is followed at once, later ones after a
/// delay that grows while changes go on.
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

    /// Whether the calculation is due; it counts as done from here on.
    @discardableResult
    mutating func popDue(at now: Instant) -> Bool {
        guard let deadline, deadline <= now else { return false }
        self.deadline = nil
        return true
    }

    /// The learn and hold-down timers do nothing but change the state, so they are looked at only when it matters.
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
