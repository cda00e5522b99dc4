import ControlAPI
import Logging
import Testing

@testable import Agent

/// The events that `meshctl events` shows.
@Suite struct EventHistoryTests {
    @Test func eventsOfEarlierRunsComeFirst() {
        var history = EventHistory()
        for number in 1...3 { _ = history.append(level: .notice, "new \(number)") }
        let earlier = (1...2).map {
            Event(number: UInt64($0 + 70), time: "t", kind: "log", level: "warning", message: "old \($0)")
        }
        history.adopt(earlier)
        #expect(history.events.map(\.message) == ["old 1", "old 2", "new 1", "new 2", "new 3"])
        #expect(history.events.map(\.number) == [1, 2, 3, 4, 5])
        // The status tells of this run only.
        #expect(history.latestLines.map(\.message) == ["new 1", "new 2", "new 3"])
        _ = history.append(level: .error, "new 4")
        #expect(history.events.last?.number == 6 && history.latestLines.last?.message == "new 4")
    }

    @Test func theNumberOfEventsIsBounded() {
        var history = EventHistory()
        for number in 0..<2 * EventHistory.limit { _ = history.append(level: .notice, "\(number)") }
        #expect(history.events.count == EventHistory.limit)
        #expect(history.events.first?.message == "\(EventHistory.limit)")
        #expect(history.latestLines.count == 50)
    }
}
