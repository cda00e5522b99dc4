internal import Addressing
internal import Timing

/// A line of the log.
struct LogLine: Hashable, Sendable {
    var level: LogLevel
    var message: String
}

/// Limits log lines when many events of one kind happen.
public struct LogLimits: Sendable {
    /// The limits on notices of the router.
    public internal(set) var notices = NoticeLimiter()
    /// The limits on events of addresses, sessions and echoes.
    var events = EventDigest()
    /// When changes of our routes and of our next hops by other programs were last logged as a warning.
    private var foreignChanges: [ForeignChange: Instant] = [:]

    private static let foreignChangeInterval = Duration.seconds(60)

    /// Whether to log a change of our routes or next hops by another program as a warning.
    mutating func admit(_ change: ForeignChange, at now: Instant) -> Bool {
        if let last = foreignChanges[change], now - last < Self.foreignChangeInterval { return false }
        foreignChanges[change] = now
        return true
    }
}

/// What of ours in the kernel another program has changed. There may be thousands of such changes.
enum ForeignChange: Hashable, Sendable {
    case routes
    case nextHops
}

extension MeshNode {
    /// Logs a line.
    mutating func log(_ level: LogLevel, _ message: String, _ metadata: [String: String] = [:]) {
        effects.append(.log(level, message, metadata))
    }

    /// Logs a line.
    mutating func log(_ line: LogLine) { effects.append(.log(line.level, line.message, [:])) }

    /// Logs an event of an address, or counts it if there are many of the kind.
    mutating func log(_ kind: EventDigest.Kind, _ level: LogLevel, _ message: String, at now: Instant) {
        if logLimits.events.admit(kind, at: now) { log(level, message) }
    }

    /// Logs an event of a neighbor, or counts it if there are many of the kind on its port. `text` gets the neighbor as text.
    mutating func log(
        _ kind: EventDigest.Kind, of key: NeighborAddress, _ level: LogLevel, at now: Instant,
        _ text: (String) -> String
    ) {
        guard logLimits.events.admit(kind, on: key.interface, at: now) else { return }
        log(level, text("\(label(of: key)) on \(name(ofInterface: key.interface))"))
    }

    /// Logs the numbers of events that were counted.
    mutating func logCountedEvents(at now: Instant) {
        for rest in logLimits.events.endIntervals(at: now) {
            let place = rest.subject.port.map { " on \(name(ofInterface: $0)) in \(EventDigest.interval.inSeconds) s" }
            log(.notice, "\(rest.count) more \(rest.subject.kind.rawValue)\(place ?? "")")
        }
    }

    /// Logs a change of our routes or next hops by another program as a warning, at most one of a kind per minute; the
    /// others for debugging.
    mutating func logForeignChange(_ change: ForeignChange, _ text: String, at now: Instant) {
        if logLimits.admit(change, at: now) {
            log(.warning, text + " (more like this are logged once a minute)")
        } else {
            log(.debug, text)
        }
    }
}

/// A number with its noun: `1 route`, `2 routes`.
func counted(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
}

extension Duration {
    /// In seconds, rounded to tenths, with the decimal only if it is not 0.
    var inSeconds: String {
        let tenths = (nanoseconds + 50_000_000) / 100_000_000
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
