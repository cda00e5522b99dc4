/// A time on a monotonic clock. The core never reads a clock: its callers pass the time.
@frozen public struct Instant: Hashable, Sendable, Comparable {
    /// Nanoseconds since an origin of the caller's choosing.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The origin.
    @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }

    /// Earlier first.
    @inlinable public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
    /// A later instant, or an earlier one if the duration is negative.
    @inlinable public static func + (left: Instant, right: Duration) -> Instant {
        Instant(nanoseconds: left.nanoseconds + right.nanoseconds)
    }
    /// An earlier instant, or a later one if the duration is negative.
    @inlinable public static func - (left: Instant, right: Duration) -> Instant {
        Instant(nanoseconds: left.nanoseconds - right.nanoseconds)
    }
    /// The time from `right` to `left`; negative if `left` is earlier.
    @inlinable public static func - (left: Instant, right: Instant) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}

extension Duration {
    /// The duration in nanoseconds, rounded toward zero. Traps beyond the 292 years that fit into 64 bits.
    @inlinable public var nanoseconds: Int64 { Int64(attoseconds / 1_000_000_000) }
}
