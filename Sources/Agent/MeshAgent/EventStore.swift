internal import ControlAPI
internal import Linux
internal import Logging
internal import NIOCore
internal import Synchronization

/// Keeps events on disk, so that they survive the agent and the machine. Events wait for up to a second and are then written together,
/// on another thread than that of the routing: a slow disk delays no hello. What a crash breaks off is left out when it is read.
final class EventStore: Sendable {
    private struct Waiting {
        var events: [Event] = []
        var isScheduled = false
        /// Events that did not fit.
        var dropped = 0
        /// Whether the last attempt to write failed, which is logged once.
        var hasFailed = false
    }

    private let waiting = Mutex(Waiting())
    private let file: RotatingFile
    private let loop: any NIOCore.EventLoop
    private let log: Logger

    /// How many events wait at most, while the disk is slow; further ones are in memory only.
    private static let mostWaiting = 2000
    private static let pause = TimeAmount.seconds(1)
    /// The size of a file. There are two, so some thousands of events are on disk.
    private static let fileSize = 1 << 20
    /// How much of a file is read.
    private static let readSize = 512 << 10

    /// Events are in the file `events` of a directory, JSON in one line each, and written on the thread of `loop`.
    init(directory: String, loop: any NIOCore.EventLoop, log: Logger) {
        file = RotatingFile(directory + "/events", limit: Self.fileSize)
        self.loop = loop
        self.log = log
    }

    /// The events of earlier runs, the oldest first. Lines that are no events are left out.
    func load() -> [Event] {
        file.lines(last: Self.readSize).compactMap { try? JSON.decode(Event.self, from: $0) }
    }

    /// Writes an event within about a second.
    func append(_ event: Event) {
        let mustSchedule = waiting.withLock { waiting in
            guard waiting.events.count < Self.mostWaiting else {
                waiting.dropped += 1
                return false
            }
            waiting.events.append(event)
            defer { waiting.isScheduled = true }
            return !waiting.isScheduled
        }
        if mustSchedule { _ = loop.scheduleTask(in: Self.pause) { self.flush() } }
    }

    /// Writes what waits.
    func flush() {
        let (events, dropped, hadFailed) = waiting.withLock { waiting in
            defer { waiting = Waiting(hasFailed: waiting.hasFailed) }
            return (waiting.events, waiting.dropped, waiting.hasFailed)
        }
        if dropped > 0 { log.warning("\(dropped) events were not saved: the disk is too slow") }
        guard !events.isEmpty else { return }
        do {
            try file.append(events.flatMap { (try? JSON.encode($0)) ?? [] })
            if hadFailed { log.notice("events can be saved again") }
            waiting.withLock { $0.hasFailed = false }
        } catch {
            if !hadFailed { log.warning("events cannot be saved and are lost when the agent ends: \(error)") }
            waiting.withLock { $0.hasFailed = true }
        }
    }
}
