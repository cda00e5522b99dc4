internal import Timing

/// The delay after failures: random between zero and a bound, so that clients that lost the same server do not return at the
/// same moment. The bound doubles with every consecutive failure, up to ``maximum``.
public struct Backoff: Hashable, Sendable {
    /// The bound after the first failure. This and ``maximum`` are those of the client library of Kubernetes (client-go).
    public var initial = Duration.milliseconds(800)
    /// The highest bound.
    public var maximum = Duration.seconds(30)
    /// The number of consecutive failures.
    public private(set) var failures = 0

    /// The bounds above.
    public init() {}

    /// Resets after a success.
    public mutating func reset() { failures = 0 }

    /// Counts a failure. Returns the delay before the next attempt.
    public mutating func next(random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(failures, 20)  // far beyond the maximum, and no overflow
        failures += 1
        return .random(in: .zero...min(initial * (1 << doublings), maximum), using: &random)
    }
}

extension Duration {
    /// Any duration in the range.
    static func random(in range: ClosedRange<Duration>, using random: inout some RandomNumberGenerator) -> Duration {
        .nanoseconds(Int64.random(in: range.lowerBound.nanoseconds...range.upperBound.nanoseconds, using: &random))
    }
}
