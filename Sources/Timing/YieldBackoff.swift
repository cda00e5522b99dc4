/// Limits how often this router gives up something that another router claims too, such as its router ID or an address. A
/// malicious neighbor could claim everything again and again, so the wait doubles each time, from 2 s to 10 minutes, and
/// starts anew after an hour in which nothing was given up.
public struct YieldBackoff: Sendable {
    /// Doubled from the first time on, so the shortest wait is 2 s.
    private static let first = Duration.seconds(1)
    private static let longest = Duration.seconds(600)
    private static let quietTime = Duration.seconds(3600)

    /// When something was last given up, and how many times in a row with less than an hour between them.
    private var yields: (last: Instant, count: Int)?

    /// Nothing has been given up yet.
    public init() {}

    /// The earliest moment at which something may be given up again; `nil` if nothing was given up before.
    public var earliest: Instant? {
        // 2¹⁶ s is longer than the longest wait, and larger powers could overflow.
        yields.map { $0.last + min(Self.longest, Self.first * (1 << min($0.count, 16))) }
    }

    /// Whether something may be given up.
    public func mayYield(at now: Instant) -> Bool { earliest.map { $0 <= now } ?? true }

    /// Something has been given up.
    public mutating func yielded(at now: Instant) {
        var count = 1
        if let yields, now - yields.last < Self.quietTime { count += yields.count }
        yields = (now, count)
    }
}
