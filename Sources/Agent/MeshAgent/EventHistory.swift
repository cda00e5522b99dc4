internal import ControlAPI
internal import Logging
internal import Node
internal import Timing

/// What has happened lately: log lines of level notice or above, and changes of routes, at most ``limit`` of each kind, so that many
/// of one do not push out the others. Events of earlier runs come first.
struct EventHistory: Sendable {
    /// In order, like the changes of routes.
    private var lines: [Event] = []
    private var convergences: [Event] = []
    /// The number of the last event.
    private var count: UInt64 = 0
    /// The number of the last event of an earlier run.
    private var lastEarlier: UInt64 = 0

    static let limit = 500

    /// All events, in order.
    var events: [Event] { (lines + convergences).sorted { $0.number < $1.number } }

    /// The latest log lines of this run, at most 50, as the status has them.
    var latestLines: [Status.Event] {
        lines.suffix(50).filter { $0.number > lastEarlier }.map {
            Status.Event(time: $0.time, level: $0.level, message: $0.message)
        }
    }

    /// Adds the events of earlier runs before those of this one; all get new numbers.
    mutating func adopt(_ earlier: [Event]) {
        let own = events
        self = EventHistory()
        for event in earlier { insert(event) }
        lastEarlier = count
        for event in own { insert(event) }
    }

    /// Adds a log line. Returns the event.
    mutating func append(level: Logger.Level, _ message: String) -> Event {
        insert(Event(number: 0, time: Timestamp.now, kind: "log", level: level.rawValue, message: message))
    }

    /// Adds a change of routes. Returns the event.
    mutating func append(_ convergence: Convergence, _ message: String) -> Event {
        insert(
            Event(
                number: 0, time: Timestamp.now, kind: "convergence", level: Logger.Level.info.rawValue,
                message: message, convergence: Event.Convergence(convergence)))
    }

    /// Adds an event, with the next number.
    @discardableResult
    private mutating func insert(_ event: Event) -> Event {
        count += 1
        var event = event
        event.number = count
        func add(to list: inout [Event]) {
            if list.count == Self.limit { list.removeFirst() }
            list.append(event)
        }
        if event.convergence == nil { add(to: &lines) } else { add(to: &convergences) }
        return event
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
