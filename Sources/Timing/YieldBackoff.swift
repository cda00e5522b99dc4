/// Limits how often this node gives up something that another claims too: its router ID, its IPv4 address or an IPv4 range. A
/// malicious router could claim whatever is chosen next, again and again, so the wait after each time doubles, from 2 s to 10
/// minutes. After an hour in which nothing was given up, the next wait is 2 s again.
public struct YieldBackoff: Sendable {
    /// Doubled once for each time: the first wait is 2 s.
    private static let base = Duration.seconds(1)
    private static let longest = Duration.seconds(600)
    private static let quietTime = Duration.seconds(3600)

    /// When something was last given up, and how many times with less than ``quietTime`` between them; `nil` if never.
    private var yields: (last: Instant, count: Int)?

    /// Nothing has been given up yet.
    public init() {}

    /// The earliest moment at which something may be given up; `nil` means at any time, as nothing was given up before.
    public var earliest: Instant? {
        // 2¹⁶ s is longer than the longest wait, and larger powers could overflow.
        yields.map { $0.last + min(Self.longest, Self.base * (1 << min($0.count, 16))) }
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
