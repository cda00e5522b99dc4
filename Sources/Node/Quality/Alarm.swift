internal import Timing

/// Whether something is wrong, with hysteresis: there are two thresholds, and what lies between them changes nothing. Raised as
/// soon as it is bad for ``delay``; cleared when it was good for a minute without a break, for twice as long after each relapse,
/// up to eight minutes. So whatever depends on it does not swing.
struct Alarm: Hashable, Sendable {
    enum Verdict: Hashable, Sendable {
        case good
        /// Neither, or not known.
        case between
        case bad
    }

    private(set) var isRaised = false
    /// How long it must be bad.
    let delay: Duration
    private var verdict = Verdict.good
    /// Since when ``verdict`` is as it is.
    private var since = Instant.zero
    /// How long it must be good.
    private var patience = Alarm.shortestPatience
    private var lastCleared: Instant?

    static let shortestPatience = Duration.seconds(60)
    static let longestPatience = Duration.seconds(480)
    /// An alarm that is raised within this time after it was cleared is a relapse.
    static let relapse = Duration.seconds(600)

    init(delay: Duration = .zero) { self.delay = delay }

    /// When ``advance(to:)`` changes something unless the verdict changes before.
    var deadline: Instant? {
        switch (isRaised, verdict) {
        case (false, .bad): since + delay
        case (true, .good): since + patience
        default: nil
        }
    }

    mutating func note(_ new: Verdict, at now: Instant) {
        if new != verdict { (verdict, since) = (new, now) }
        advance(to: now)
    }

    mutating func advance(to now: Instant) {
        guard let deadline, deadline <= now else { return }
        isRaised.toggle()
        guard isRaised else { return lastCleared = now }
        let isRelapse = lastCleared.map { now - $0 < Self.relapse } ?? false
        patience = isRelapse ? min(patience * 2, Self.longestPatience) : Self.shortestPatience
    }
}
