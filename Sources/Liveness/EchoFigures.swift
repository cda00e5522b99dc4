internal import Timing

/// What the echoes of a neighbor tell about the cable.
public struct EchoFigures: Hashable, Sendable {
    /// Requests sent.
    public internal(set) var sent: UInt64 = 0
    /// Answers received.
    public internal(set) var answered: UInt64 = 0
    /// Answers that fit no request, or were received twice.
    public internal(set) var unexpected: UInt64 = 0

    /// The latest outcomes, in microseconds of round trip, or ``lost`` or ``unmeasured``; at most ``window``.
    private var outcomes: [UInt32] = []
    /// How many of ``outcomes`` are ``lost``.
    private var lostCount = 0
    /// Where the next outcome goes when ``outcomes`` is full.
    private var next = 0
    /// The smoothed round trip and its variation in nanoseconds (RFC 6298 §2).
    private var smoothed: Int64 = 0
    private var variation: Int64 = 0

    private static let lost = UInt32.max
    private static let unmeasured = UInt32.max - 1
    /// The number of outcomes that count: 26 s at an interval of 50 ms.
    static let window = 512

    mutating func noteAnswer(after roundTrip: Duration?) {
        answered += 1
        guard let roundTrip else { return note(Self.unmeasured) }
        let sample = max(0, roundTrip.nanoseconds)
        if smoothed == 0 {
            smoothed = sample
            variation = sample / 2
        } else {
            variation += (abs(smoothed - sample) - variation) / 4
            smoothed += (sample - smoothed) / 8
        }
        note(UInt32(clamping: min(sample / 1000, Int64(Self.unmeasured) - 1)))
    }

    mutating func noteLoss() { note(Self.lost) }

    private mutating func note(_ outcome: UInt32) {
        if outcome == Self.lost { lostCount += 1 }
        if outcomes.count < Self.window { return outcomes.append(outcome) }
        if outcomes[next] == Self.lost { lostCount -= 1 }
        outcomes[next] = outcome
        next = (next + 1) % Self.window
    }

    /// Forgets the latest outcomes, which say nothing about the cable as it is now.
    mutating func forgetOutcomes() {
        outcomes.removeAll(keepingCapacity: true)
        next = 0
        lostCount = 0
    }

    /// A round trip that almost no answer exceeds (RFC 6298 §2), at most 1 s.
    var expectedRoundTrip: Duration { .nanoseconds(min(smoothed + 4 * variation, 1_000_000_000)) }

    /// The part of the latest requests that was lost, 0–1; `nil` before the first outcome.
    public var loss: Double? {
        outcomes.isEmpty ? nil : Double(lostCount) / Double(outcomes.count)
    }

    /// The round trip that this part (0–1) of the latest answers does not exceed; `nil` without an answer.
    public func roundTrip(quantile: Double) -> Duration? {
        let answers = outcomes.filter { $0 < Self.unmeasured }.sorted()
        guard !answers.isEmpty else { return nil }
        let place = Int((Double(answers.count - 1) * quantile).rounded())
        return .microseconds(Int64(answers[max(0, min(place, answers.count - 1))]))
    }
}
