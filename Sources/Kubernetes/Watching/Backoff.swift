internal import Timing

/// How long to wait after failures: anything between nothing and a bound that doubles with every failure in a row, so that
/// many who lost the same server do not all come back at once.
public struct Backoff: Hashable, Sendable {
    /// The bound after the first failure.
    public var initial = Duration.milliseconds(800)
    /// No bound is higher.
    public var maximum = Duration.seconds(30)
    /// Failures in a row.
    public private(set) var failures = 0

    /// The usual bounds.
    public init() {}

    /// Begins anew after a success.
    public mutating func reset() { failures = 0 }

    /// Counts a failure and says how long to wait.
    public mutating func next(random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(failures, 20)
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
