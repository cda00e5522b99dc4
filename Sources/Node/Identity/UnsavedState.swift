internal import Timing

/// The parts of the state that could not be saved, with the reasons. Saving is tried again every 30 s: mostly a disk is
/// full or read-only, which somebody has to correct.
struct UnsavedState: Sendable {
    private var reasons: [StateChange.Part: String] = [:]
    /// When the next attempt is due; `nil` if everything is saved.
    private(set) var nextAttempt: Instant?

    private static let interval = Duration.seconds(30)

    /// One of the reasons; `nil` if everything is saved.
    var reason: String? { reasons.min { $0.key < $1.key }?.value }

    /// Records whether a part was saved. Returns whether that, or the reason for the failure, differs from before.
    mutating func record(_ part: StateChange.Part, failure: String?, at now: Instant) -> Bool {
        let before = reasons[part]
        reasons[part] = failure
        if reasons.isEmpty { nextAttempt = nil } else if nextAttempt == nil { nextAttempt = now + Self.interval }
        return failure != before
    }

    /// The parts to save again now.
    mutating func takeDue(at now: Instant) -> [StateChange.Part] {
        guard let due = nextAttempt, due <= now else { return [] }
        nextAttempt = now + Self.interval
        return reasons.keys.sorted()
    }
}
