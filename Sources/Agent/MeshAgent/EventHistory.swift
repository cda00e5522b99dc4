internal import ControlAPI
internal import Logging

/// The latest log lines, up to a maximum number.
struct EventHistory: Sendable {
    private(set) var events: [Status.Event] = []
    private static let limit = 50

    mutating func append(level: Logger.Level, _ message: String) {
        if events.count == Self.limit { events.removeFirst() }
        events.append(Status.Event(time: Timestamp.now, level: level.rawValue, message: message))
    }
}
