/// How often this router may give up something that another router claims too, such as its ID or an address. If it is
/// claimed again and again, as by a malicious neighbor, the router yields ever more seldom: each time after twice the
/// time, until there was no conflict for an hour.
public struct YieldBackoff: Sendable {
    private static let first = Duration.seconds(1)
    private static let longest = Duration.seconds(600)
    private static let peace = Duration.seconds(3600)

    /// When something was last given up, and how often within the hour.
    private var yields: (last: Instant, count: Int)?

    /// Nothing has been given up yet.
    public init() {}

    /// From when on something may be given up again; `nil` is at once.
    public var earliest: Instant? {
        yields.map { $0.last + min(Self.longest, Self.first * (1 << min($0.count, 16))) }
    }

    /// Whether something may be given up.
    public func mayYield(at now: Instant) -> Bool { earliest.map { $0 <= now } ?? true }

    /// Something has been given up.
    public mutating func yielded(at now: Instant) {
        var count = 1
        if let yields, now - yields.last < Self.peace { count += yields.count }
        yields = (now, count)
    }
}
