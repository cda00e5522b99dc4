internal import CLinux
internal import Glibc
internal import Synchronization
public import Timing

/// One thread that waits for descriptors, absolute timers and the jobs of the actors that use it as their executor.
/// Handlers that an actor registers here are called on the actor's own thread, so a packet, its effects and its routes
/// never change threads, and every handler may call the actor's methods:
///
///     actor Agent {
///         let loop: EventLoop
///         nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
///         func start(_ sockets: OSPFSockets) throws {
///             try loop.register(sockets.descriptor) { _ in loop.run(on: self) { $0.receive() } }
///         }
///     }
///
/// Due timers fire before every handler and every job, so a flood of packets delays the timer that sends hellos only by the
/// work of one handler. Handlers must do a limited amount of work; a descriptor that still has data is ready again.
public final class EventLoop: SerialExecutor, @unchecked Sendable {
    /// The events for which a descriptor is ready, or of interest.
    public struct Readiness: OptionSet, Sendable {
        /// Bits of `epoll_event.events`.
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// There is something to read (EPOLLIN).
        public static let readable = Readiness(rawValue: 0x001)
        /// There is room to write (EPOLLOUT).
        public static let writable = Readiness(rawValue: 0x004)
        /// There is an error on the descriptor, or the other side has closed it (EPOLLERR, EPOLLHUP). Always reported, never
        /// requested.
        public static let failed = Readiness(rawValue: 0x008 | 0x010)
        /// Edge-triggered (EPOLLET), so that a timer that fired need not be read.
        fileprivate static let once = Readiness(rawValue: 1 << 31)
    }

    /// Called on the loop's thread.
    public typealias Handler = @Sendable (Readiness) -> Void

    /// A timer made by ``makeTimer(_:)``.
    public struct Timer: Hashable, Sendable {
        fileprivate let index: Int
    }

    private struct Source {
        var descriptor: CInt
        var handler: Handler
    }

    private struct Deadline {
        /// Nanoseconds of CLOCK_MONOTONIC; ``never`` while no deadline is set.
        var moment: Int64
        var handler: @Sendable () -> Void
        static let never = Int64.max
    }

    /// What threads have handed to the loop.
    private struct Inbox {
        var jobs: [UnownedJob] = []
        /// Whether a wake-up for jobs is under way, so that no other one is needed.
        var isSignalled = false
        var isStopping = false
    }

    private let epoll: FileDescriptor
    /// A timerfd, armed for the earliest deadline.
    private let timer: FileDescriptor
    /// An eventfd, which other threads write to end the wait of the loop.
    private let wakeUps: FileDescriptor
    private let inbox = Mutex(Inbox())
    /// `pthread_self()` of the loop's thread; 0 until the thread runs.
    private let thread = Atomic<Int>(0)
    /// See ``heartbeat``.
    private let turns = Atomic<UInt64>(0)

    // Used on the loop's thread only.
    /// The registered descriptors by token. Epoll reports the token and not the descriptor, because an event of this turn may
    /// be of a descriptor that was closed and whose number belongs to another file now.
    private var sources: [UInt64: Source] = [:]
    /// The token of each registered descriptor.
    private var tokens: [CInt: UInt64] = [:]
    private var lastToken = EventLoop.reservedTokens
    private var deadlines: [Deadline] = []
    /// The minimum of ``deadlines``.
    private var earliest = Deadline.never
    /// The deadline for which the timerfd is armed.
    private var armedDeadline = Deadline.never
    /// The jobs that run in this turn; kept between turns for its capacity.
    private var runningJobs: [UnownedJob] = []
    private var hasRealtimePriority = false

    private static let timerToken: UInt64 = 0
    private static let wakeUpToken: UInt64 = 1
    /// Tokens up to this are the loop's own; only the two above are in use.
    private static let reservedTokens: UInt64 = 16
    /// Bounds how many handlers run before jobs do.
    private static let eventsPerTurn = 64

    /// Starts a loop on a thread of its own, named `name` (the first 15 characters: the kernel stores no more).
    public init(name: String = "events") throws(SystemError) {
        epoll = try FileDescriptor(epoll_create1(CInt(EPOLL_CLOEXEC)), "make an epoll descriptor")
        timer = try FileDescriptor(
            timerfd_create(CLOCK_MONOTONIC, CInt(TFD_NONBLOCK | TFD_CLOEXEC)), "make a timer")
        wakeUps = try FileDescriptor(
            eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC)), "make an event descriptor")
        try watch(timer.rawValue, [.readable, .once], token: EventLoop.timerToken)
        try watch(wakeUps.rawValue, .readable, token: EventLoop.wakeUpToken)
        try start(named: name)
    }

    /// The clock of all deadlines: CLOCK_MONOTONIC.
    public static var now: Instant { Instant(nanoseconds: monotonicNanoseconds()) }

    /// The number of turns of the loop. An idle loop does not turn. To find out whether it is alive, read this, call
    /// ``wakeUp()`` and read it again a little later.
    public var heartbeat: UInt64 { turns.load(ordering: .relaxed) }

    /// Makes the loop turn once. From any thread.
    public func wakeUp() {
        var one: UInt64 = 1
        // A full counter means that a wake-up is already pending.
        _ = write(wakeUps.rawValue, &one, MemoryLayout<UInt64>.size)
    }

    /// Ends the thread when the current turn is over. From any thread. Jobs that are enqueued later never run, so first
    /// stop everything that uses the loop.
    public func stop() {
        inbox.withLock { $0.isStopping = true }
        wakeUp()
    }

    /// Requests SCHED_FIFO, priority 10, for the loop's thread: before all ordinary threads, but after the kernel's interrupt
    /// threads (50). Returns whether it was granted. Only on the loop.
    public func requestRealtimePriority() -> Bool {
        checkIsolated()
        hasRealtimePriority = clinux_set_fifo_priority(10) == 0
        return hasRealtimePriority
    }

    /// Runs `body` without real-time priority, if the thread has it and can give it up. For system calls that the kernel
    /// restarts in a loop while another thread has a lock, such as writes of forwarding settings (RTNL): that thread may wait
    /// for this processor. Only on the loop.
    public func withOrdinaryPriority<Result>(_ body: () -> Result) -> Result {
        checkIsolated()
        guard hasRealtimePriority, clinux_set_fifo_priority(0) == 0 else { return body() }
        defer { _ = requestRealtimePriority() }
        return body()
    }
}

// MARK: - Handlers of actors

extension EventLoop {
    /// Calls `body` in isolation to an actor whose executor is this loop. Must be called on the loop. Like
    /// `Actor.assumeIsolated`, but with the thread as the only proof: the runtime's search for the current executor is 2 % of
    /// the work of an agent at rest.
    public func run<Isolated: Actor>(on actor: Isolated, _ body: (isolated Isolated) -> Void) {
        checkIsolated()
        withoutActuallyEscaping(body) { (body: @escaping (isolated Isolated) -> Void) in
            unsafeBitCast(body, to: ((Isolated) -> Void).self)(actor)
        }
    }
}

// MARK: - Descriptors and timers, on the loop only

extension EventLoop {
    /// Calls `handler` whenever `descriptor` is ready, until ``deregister(_:)``. Only on the loop, once per descriptor.
    public func register(
        _ descriptor: CInt, _ interest: Readiness = .readable, handler: @escaping Handler
    ) throws(SystemError) {
        checkIsolated()
        precondition(tokens[descriptor] == nil, "descriptor \(descriptor) is registered already")
        lastToken += 1
        try watch(descriptor, interest, token: lastToken)
        tokens[descriptor] = lastToken
        sources[lastToken] = Source(descriptor: descriptor, handler: handler)
    }

    /// Stops watching a descriptor; its handler is not called again, not even for what was ready already. Call it before
    /// closing the descriptor. Only on the loop.
    public func deregister(_ descriptor: CInt) {
        checkIsolated()
        guard let token = tokens.removeValue(forKey: descriptor) else { return }
        sources[token] = nil
        _ = epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Makes a timer without a deadline. It calls `handler` once whenever its deadline has come. Timers are few and exist as
    /// long as the loop. Only on the loop.
    public func makeTimer(_ handler: @escaping @Sendable () -> Void) -> Timer {
        checkIsolated()
        deadlines.append(Deadline(moment: Deadline.never, handler: handler))
        return Timer(index: deadlines.count - 1)
    }

    /// Sets when the timer fires next, in place of its previous deadline; `nil` is never. A deadline in the past is due at
    /// once. Only on the loop.
    public func setDeadline(_ deadline: Instant?, of timer: Timer) {
        checkIsolated()
        let moment = deadline?.nanoseconds ?? Deadline.never
        let previous = deadlines[timer.index].moment
        guard moment != previous else { return }
        deadlines[timer.index].moment = moment
        if moment < earliest {
            earliest = moment
        } else if previous == earliest {
            earliest = deadlines.lazy.map(\.moment).min() ?? Deadline.never
        }
    }
}

// MARK: - Executor

extension EventLoop {
    /// Runs a job on the loop. From any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The loop looks at the inbox before it waits, so its own thread need not wake it.
        let isHere = isOnThread
        let mustSignal = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isSignalled = inbox.isSignalled || !isHere }
            return !isHere && !inbox.isSignalled
        }
        if mustSignal { wakeUp() }
    }

    /// The loop as an executor of actors.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Traps unless the caller is on the loop's thread.
    public func checkIsolated() { precondition(isOnThread, "not on the event loop's thread") }

    /// Whether the caller is on the loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { isOnThread }

    private var isOnThread: Bool { thread.load(ordering: .relaxed) == Int(bitPattern: pthread_self()) }
}

// MARK: - The thread

extension EventLoop {
    private func start(named name: String) throws(SystemError) {
        final class Start {
            let loop: EventLoop
            let name: String
            init(_ loop: EventLoop, _ name: String) {
                self.loop = loop
                self.name = name
            }
        }
        let context = Unmanaged.passRetained(Start(self, name))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { context in
                // The thread keeps the loop alive until it is stopped.
                let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
                clinux_name_thread(String(start.name.prefix(15)))
                start.loop.thread.store(Int(bitPattern: pthread_self()), ordering: .relaxed)
                start.loop.run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("start a thread", code: code)
        }
        pthread_detach(handle)
    }

    private func watch(_ descriptor: CInt, _ interest: Readiness, token: UInt64) throws(SystemError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        guard epoll_ctl(epoll.rawValue, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw .last("watch descriptor \(descriptor)")
        }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: EventLoop.eventsPerTurn)
        while true {
            fireDueTimers()
            runJobs()
            armTimer()
            let (hasJobs, isStopping) = inbox.withLock { (!$0.jobs.isEmpty, $0.isStopping) }
            if isStopping { break }
            let count = epoll_wait(epoll.rawValue, &events, CInt(events.count), hasJobs ? 0 : -1)
            turns.add(1, ordering: .relaxed)
            for index in 0..<max(0, Int(count)) { dispatch(events[index]) }
        }
        sources = [:]
        tokens = [:]
        deadlines = []
    }

    private func dispatch(_ event: epoll_event) {
        fireDueTimers()
        switch event.data.u64 {
        case EventLoop.timerToken:
            armedDeadline = Deadline.never
        case EventLoop.wakeUpToken:
            var counter: UInt64 = 0
            _ = read(wakeUps.rawValue, &counter, MemoryLayout<UInt64>.size)
            inbox.withLock { $0.isSignalled = false }
        case let token:
            // An earlier handler of this turn may have deregistered it.
            sources[token]?.handler(Readiness(rawValue: event.events))
        }
    }

    private func fireDueTimers() {
        guard earliest != Deadline.never else { return }
        let now = EventLoop.monotonicNanoseconds()
        guard earliest <= now else { return }
        for index in deadlines.indices where deadlines[index].moment <= now {
            deadlines[index].moment = Deadline.never
            deadlines[index].handler()
        }
        earliest = deadlines.lazy.map(\.moment).min() ?? Deadline.never
    }

    private func runJobs() {
        inbox.withLock { swap(&$0.jobs, &runningJobs) }
        for job in runningJobs {
            fireDueTimers()
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
        runningJobs.removeAll(keepingCapacity: true)
    }

    private func armTimer() {
        guard earliest != armedDeadline else { return }
        // 0 would disarm the timer.
        _ = clinux_arm_timer(timer.rawValue, earliest == Deadline.never ? 0 : max(1, earliest))
        armedDeadline = earliest
    }

    private static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
