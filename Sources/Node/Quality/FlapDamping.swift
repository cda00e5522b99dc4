public import Timing

/// A cable that goes down and comes back again and again is held off: 1 s after the second time, then 2 s, 4 s, … up to a
/// minute, counted from when it is back. One step is forgiven for each minute without a flap.
public struct FlapDamping: Hashable, Sendable {
    /// The latest flaps, at most ``mostFlaps``, within ``memory``.
    private var flaps: [Instant] = []
    private var level = 0
    /// When ``level`` last changed.
    private var levelChange = Instant.zero
    /// Until when the cable is held off.
    public private(set) var heldUntil: Instant?

    public static let memory = Duration.seconds(600)
    static let mostFlaps = 64
    private static let forgiveness = Duration.seconds(60)
    private static let longestHold = Duration.seconds(60)
    private static let mostLevels = 8
    /// News of one event that come this much apart, such as missing answers and the loss of carrier, are one flap.
    private static let sameEvent = Duration.seconds(1)

    init() {}

    /// The number of flaps within ``memory``.
    public func count(at now: Instant) -> Int { flaps.count { now - $0 < Self.memory } }

    /// When the oldest flap is forgotten.
    var nextForgotten: Instant? { flaps.first.map { $0 + Self.memory } }

    /// How long the cable is held off at the current level.
    private var hold: Duration {
        level < 2 ? .zero : min(.seconds(1 << (level - 2)), Self.longestHold)
    }

    private mutating func forgive(at now: Instant) {
        flaps.removeAll { now - $0 >= Self.memory }
        let steps = Int((now - levelChange).nanoseconds / Self.forgiveness.nanoseconds)
        guard steps > 0 else { return }
        level = max(0, level - steps)
        levelChange = levelChange + Self.forgiveness * steps
    }

    /// The cable has gone down. Until it is back, at most a minute, it counts as held off, so that it is when it comes.
    mutating func flapped(at now: Instant) {
        forgive(at: now)
        guard flaps.last.map({ now - $0 >= Self.sameEvent }) ?? true else { return }
        flaps.append(now)
        if flaps.count > Self.mostFlaps { flaps.removeFirst() }
        level = min(level + 1, Self.mostLevels)
        levelChange = now
        heldUntil = hold > .zero ? now + hold + Self.forgiveness : nil
    }

    /// The cable is back.
    mutating func restored(at now: Instant) {
        forgive(at: now)
        guard heldUntil != nil else { return }
        heldUntil = hold > .zero ? now + hold : nil
    }

    /// Ends what is over.
    mutating func advance(to now: Instant) {
        if let end = heldUntil, end <= now { heldUntil = nil }
        forgive(at: now)
    }
}
