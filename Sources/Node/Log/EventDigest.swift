internal import Timing

/// Limits log lines about addresses, of which hundreds may change at once. The first few events of a kind are logged one by
/// one, the others as a number when the interval ends.
struct EventDigest: Sendable {
    /// The events that are counted together. The raw value is the end of the line with their number: `12 more VIPs
    /// announced`.
    enum Kind: String, Hashable, CaseIterable, Sendable {
        case announced = "VIPs announced"
        case withdrawn = "VIPs withdrawn"
        case placed = "addresses added to lo that could not be added before"
        case refused = "addresses cannot be added to lo"
        case notRemoved = "addresses cannot be removed from lo"
        case removalNotified = "addresses were removed from lo by another program and are put back"
        case swept = "addresses of an earlier run removed from lo"
    }

    private struct Interval: Sendable {
        var end: Instant
        /// Events logged one by one; the interval begins with the first.
        var logged = 1
        /// Further events, not logged one by one.
        var counted = 0
    }

    /// The number of events of one kind that are logged one by one in an interval.
    static let burst = 8
    /// The length of an interval, from its first event.
    static let interval = Duration.seconds(10)

    private var intervals: [Kind: Interval] = [:]

    /// Whether to log an event; otherwise it is counted.
    mutating func admit(_ kind: Kind, at now: Instant) -> Bool {
        guard let interval = intervals[kind] else {
            intervals[kind] = Interval(end: now + Self.interval)
            return true
        }
        guard interval.logged >= Self.burst else {
            intervals[kind]!.logged += 1
            return true
        }
        intervals[kind]!.counted += 1
        return false
    }

    /// When the next interval ends.
    var nextDeadline: Instant? { intervals.values.map(\.end).min() }

    /// The log lines with the numbers of counted events, for intervals that are over.
    mutating func endIntervals(at now: Instant) -> [String] {
        var lines: [String] = []
        for kind in Kind.allCases {
            guard let interval = intervals[kind], interval.end <= now else { continue }
            intervals[kind] = nil
            if interval.counted > 0 { lines.append("\(interval.counted) more \(kind.rawValue)") }
        }
        return lines
    }
}
