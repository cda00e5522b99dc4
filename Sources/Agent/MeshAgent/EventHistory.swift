internal import ControlAPI
internal import Logging

/// The latest log lines of level notice or above, at most 50, for `/v1/status`; `meshctl status` shows the last few of them.
struct EventHistory: Sendable {
    private(set) var events: [Status.Event] = []
    private static let limit = 50

    mutating func append(level: Logger.Level, _ message: String) {
        if events.count == Self.limit { events.removeFirst() }
        events.append(Status.Event(time: Timestamp.now, level: level.rawValue, message: message))
    }
}
