internal import Timing

/// When an LSA may be originated again. RFC 2328 §12.4 requires MinLSInterval, 5 s, between any two instances. Here the first
/// ones of a series are originated without delay. A long enough pause ends a series.
struct OriginationThrottle: Sendable {
    /// How long instances of a series wait.
    enum Schedule: Sendable {
        /// The first two do not wait, because a router that starts or loses a link originates several within a moment. Then the
        /// time between instances doubles from 10 ms to 5 s.
        case doubling
        /// For LSAs with the node's prefixes: the first ``burst`` do not wait, each later one waits for ``calm``. The prefixes
        /// in such an LSA have nothing to do with each other, and none should wait because others have changed. A prefix that
        /// changes again and again is slowed by itself (``PrefixOrigination``).
        case bursts
    }

    /// The time after the last instance from which no router ignores the next because of MinLSArrival, 1 s, although the two may
    /// not have taken equally long to arrive.
    static let calm = Duration.milliseconds(1200)
    /// Fewer than our own routers accept (``Router/arrivalBurst``).
    static let burst = 12
    /// The number of instances in a series of bursts from which only those with a withdrawal are still originated in it.
    private static let improvements = 4

    private static let first = Duration.milliseconds(10)
    private static let longest = Duration.seconds(5)

    private let schedule: Schedule
    private var last: Instant?
    /// The number of instances in the current series, which a long enough pause ends (``originated(at:)``).
    private var seriesLength = 0

    init(_ schedule: Schedule) { self.schedule = schedule }

    /// The minimum time between the last instance and the next.
    private var wait: Duration {
        switch schedule {
        // 10 ms doubled nine times is more than the longest wait.
        case .doubling:
            seriesLength < 2 ? .zero : min(Self.longest, Self.first * (1 << min(seriesLength - 2, 9)))
        case .bursts: seriesLength < Self.burst ? .zero : Self.calm
        }
    }

    /// The pause that ends the series.
    private var pause: Duration {
        switch schedule {
        // A pause that the throttle imposed must not end the series.
        case .doubling: max(.seconds(1), wait * 2)
        case .bursts: Self.calm
        }
    }

    /// Whether so few instances were originated in the series that an urgent one need not wait. Each newer instance of our LSA
    /// that another router with our ID originates causes an urgent one (``Router/receivedOwn(_:_:at:)``), so the number of
    /// urgent ones has a bound.
    var allowsUrgent: Bool { seriesLength < 8 }

    /// The earliest moment for the next instance.
    var earliest: Instant { last.map { $0 + wait } ?? .zero }

    /// The earliest moment for an instance of a doubling series that takes links away: others send into a link that is lost until they
    /// know. What comes back waits longer, so a link that comes and goes causes two instances in ``longest`` at most.
    var earliestWithdrawal: Instant { last.map { $0 + min(wait, Self.calm) } ?? .zero }

    /// The moment from which no router ignores the next instance. One that came too soon was accepted by some only when it was
    /// sent again, after RxmtInterval, 1 s; the next must come as much later.
    private(set) var calmMoment = Instant.zero

    /// The earliest moment for an instance, of a series of bursts, with nothing but improvements: the rest of the series is for
    /// withdrawals.
    var earliestImprovement: Instant { seriesLength < Self.improvements ? .zero : calmMoment }

    /// Whether an instance at this moment is the first of a series.
    func isOver(at now: Instant) -> Bool { last.map { now - $0 >= pause } ?? true }

    mutating func originated(at now: Instant) {
        if isOver(at: now) { seriesLength = 0 }
        last = now
        seriesLength += 1
        calmMoment = now + (now < calmMoment ? Self.calm * 2 : Self.calm)
    }
}
