internal import ControlAPI
internal import Logging
internal import Node
internal import Timing

/// What has happened lately: log lines of level notice or above, and changes of routes, at most ``limit`` of each kind, so that many
/// of one do not push out the others.
struct EventHistory: Sendable {
    private var lines: [Event] = []
    private var convergences: [Event] = []
    private var count: UInt64 = 0
    private static let limit = 500

    /// All events, in order.
    var events: [Event] { (lines + convergences).sorted { $0.number < $1.number } }

    /// The latest log lines, at most 50, as the status has them.
    var latestLines: [Status.Event] {
        lines.suffix(50).map { Status.Event(time: $0.time, level: $0.level, message: $0.message) }
    }

    mutating func append(level: Logger.Level, _ message: String) {
        count += 1
        if lines.count == Self.limit { lines.removeFirst() }
        lines.append(
            Event(number: count, time: Timestamp.now, kind: "log", level: level.rawValue, message: message))
    }

    mutating func append(_ convergence: Convergence, _ message: String) {
        count += 1
        if convergences.count == Self.limit { convergences.removeFirst() }
        convergences.append(
            Event(
                number: count, time: Timestamp.now, kind: "convergence", level: Logger.Level.info.rawValue,
                message: message, convergence: Event.Convergence(convergence)))
    }
}

extension Event.Convergence {
    fileprivate init(_ convergence: Convergence) {
        func seconds(_ moment: Instant) -> Double {
            // To microseconds.
            Double((moment - convergence.began).nanoseconds / 1000) / 1_000_000
        }
        self.init(
            calculatedAfter: seconds(convergence.calculated), installedAfter: seconds(convergence.installed),
            calculations: convergence.calculations, causes: convergence.causes.map(\.asOneLine),
            changedLSAs: convergence.causeCount,
            moves: convergence.moves.map {
                Move(destinations: $0.destinations.map(\.asOneLine), neighbors: $0.neighbors.map(\.asOneLine))
            },
            movedDestinations: convergence.movedCount, lost: convergence.lost.map(\.asOneLine),
            lostPrefixes: convergence.lostCount, gained: convergence.gained.map(\.asOneLine),
            gainedPrefixes: convergence.gainedCount)
    }
}
