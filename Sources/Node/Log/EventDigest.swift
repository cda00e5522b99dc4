internal import Timing

/// Limits log lines about events of which hundreds may happen at once. The first few of a kind are logged one by one, the others as a
/// number when the interval ends.
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
        /// Of one port.
        case session = "changes of BFD sessions"
        /// Of one port.
        case echo = "changes of answers to echo requests"
    }

    /// What is counted together.
    struct Subject: Hashable, Sendable {
        var kind: Kind
        /// The index of the port, for events of ports.
        var port: UInt32?
    }

    /// Events of an interval that were not logged one by one.
    struct Rest: Hashable, Sendable {
        var count: Int
        var subject: Subject
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

    private var intervals: [Subject: Interval] = [:]

    /// Whether to log an event; otherwise it is counted.
    mutating func admit(_ kind: Kind, on port: UInt32? = nil, at now: Instant) -> Bool {
        let subject = Subject(kind: kind, port: port)
        guard let interval = intervals[subject] else {
            intervals[subject] = Interval(end: now + Self.interval)
            return true
        }
        guard interval.logged >= Self.burst else {
            intervals[subject]!.logged += 1
            return true
        }
        intervals[subject]!.counted += 1
        return false
    }

    /// When the next interval ends.
    var nextDeadline: Instant? { intervals.values.map(\.end).min() }

    /// The numbers of counted events, for intervals that are over.
    mutating func endIntervals(at now: Instant) -> [Rest] {
        let over = intervals.filter { $0.value.end <= now }
        for subject in over.keys { intervals[subject] = nil }
        return Kind.allCases.flatMap { kind in
            over.filter { $0.key.kind == kind && $0.value.counted > 0 }
                .sorted { ($0.key.port ?? 0) < ($1.key.port ?? 0) }
                .map { Rest(count: $0.value.counted, subject: $0.key) }
        }
    }
}
