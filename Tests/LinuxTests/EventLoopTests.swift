import Glibc
import Linux
import OSPF
import Synchronization
import Testing
import Timing

/// An actor whose executor is a loop. It records events as texts.
private actor Recorder {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var log: [String] = []
    private var continuation: CheckedContinuation<Void, Never>?
    private var wanted = 0
    private var timers: [EventLoop.Timer] = []

    init(_ loop: EventLoop) { self.loop = loop }

    func record(_ text: String) {
        log.append(text)
        if log.count >= wanted { continuation.take()?.resume() }
    }

    /// Waits until there are at least `count` entries, and returns all.
    func entries(_ count: Int) async -> [String] {
        wanted = count
        if log.count < count { await withCheckedContinuation { continuation = $0 } }
        return log
    }

    /// Records each octet that can be read, and deregisters the descriptor after `limit`.
    func watch(_ descriptor: CInt, limit: Int) throws {
        try loop.register(descriptor) { _ in
            self.assumeIsolated { recorder in
                var octet: UInt8 = 0
                _ = read(descriptor, &octet, 1)
                recorder.record(String(UnicodeScalar(octet)))
                if recorder.log.count == limit { recorder.loop.deregister(descriptor) }
            }
        }
    }

    /// Starts timers that record their offset from now.
    func timers(_ offsets: [Duration]) {
        let start = EventLoop.now
        for offset in offsets {
            let timer = loop.makeTimer { self.assumeIsolated { $0.record("\(offset)") } }
            loop.setDeadline(start + offset, of: timer)
            timers.append(timer)
        }
    }

    func cancelTimer(_ index: Int) { loop.setDeadline(nil, of: timers[index]) }

    /// How late a timer is beside a descriptor that is always readable.
    func timerDelayBesideBusyDescriptor(_ descriptor: CInt) async throws -> Duration {
        let due = EventLoop.now + .milliseconds(20)
        try loop.register(descriptor) { _ in usleep(100) }
        await withCheckedContinuation { continuation in
            let timer = loop.makeTimer { continuation.resume() }
            loop.setDeadline(due, of: timer)
        }
        loop.deregister(descriptor)
        return EventLoop.now - due
    }
}

@Suite(.serialized) struct EventLoopTests {
    @Test func jobsOfAnActorAreRunInOrder() async throws {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        #expect(loop.isIsolatingCurrentContext() == false)
        let recorder = Recorder(loop)
        for number in 0..<1000 { await recorder.record("\(number)") }
        #expect(await recorder.entries(1000) == (0..<1000).map { "\($0)" })
    }

    @Test func handlersAreCalledUntilDeregistered() async throws {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        let recorder = Recorder(loop)
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        try await recorder.watch(ends[0], limit: 3)
        _ = write(ends[1], "abcde", 5)
        #expect(await recorder.entries(3) == ["a", "b", "c"])
        try await Task.sleep(for: .milliseconds(20))
        #expect(await recorder.entries(0) == ["a", "b", "c"])
    }

    @Test func timersFireInOrderUnlessCancelled() async throws {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        let recorder = Recorder(loop)
        await recorder.timers([.milliseconds(30), .milliseconds(10), .milliseconds(20), .milliseconds(-5)])
        await recorder.cancelTimer(2)
        let log = await recorder.entries(3)
        #expect(log == [Duration.milliseconds(-5), .milliseconds(10), .milliseconds(30)].map { "\($0)" })
    }

    @Test func timersFireBesideABusyDescriptor() async throws {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        _ = write(ends[1], "x", 1)
        let delay = try await Recorder(loop).timerDelayBesideBusyDescriptor(ends[0])
        #expect(delay >= .zero && delay < .milliseconds(20))
    }

    @Test func theHeartbeatAdvancesWhenTheLoopWakesUp() async throws {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        let before = loop.heartbeat
        loop.wakeUp()
        let deadline = ContinuousClock.now + .seconds(5)
        while loop.heartbeat == before, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
        #expect(loop.heartbeat > before)
    }

    @Test func jobsFromManyThreadsAreRun() async throws {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        let recorder = Recorder(loop)
        await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<500 { await recorder.record("x") } } }
        }
        #expect(await recorder.entries(4000).count == 4000)
    }
}
