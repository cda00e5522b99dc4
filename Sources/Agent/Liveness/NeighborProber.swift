internal import Linux
internal import Liveness
internal import Synchronization
internal import Timing

/// Sends echo requests to neighbors and reads the answers, on a thread of its own, so that neither delays the other: a route
/// calculation does not delay echoes, and echoes do not delay hellos. ``EchoProber`` decides.
///
/// Answers are not read when they arrive but when the next requests are sent, or before a neighbor is found to have failed: the
/// kernel notes the times, and the thread wakes up once per interval for all neighbors.
actor NeighborProber {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The neighbors to ask.
    nonisolated let targets: Mailbox<[EchoTarget]>
    /// Changes of their states, for the agent.
    nonisolated let reports: Mailbox<EchoReport>
    /// What is known of each neighbor, at most ``publicationInterval`` old.
    private nonisolated let published = Mutex<[EchoTarget.Key: Knowledge]>([:])
    /// Answers that were not ours, or not acceptable.
    private nonisolated let publishedRefusals = Mutex<UInt64>(0)

    struct Knowledge: Sendable {
        var state: EchoState
        var figures: EchoFigures
    }

    private let socket: EchoSocket
    private var prober = EchoProber(seed: UInt64.random(in: .min ... .max))
    private var timer: EventLoop.Timer?
    private var requests: [EchoRequest] = []
    private var changes: [EchoReport] = []
    private var lastPublication = Instant.zero

    private static let publicationInterval = Duration.seconds(1)

    /// Opens the socket in the calling thread's network namespace.
    init() throws {
        loop = try EventLoop(name: "meshd-echo")
        socket = try EchoSocket(
            identifier: UInt16.random(in: .min ... .max), cookie: UInt64.random(in: .min ... .max))
        targets = try .ofLatest()
        reports = try Mailbox(limit: 1024, subject: \.target)
    }

    /// What is known of each neighbor. From any thread.
    nonisolated var knowledge: [EchoTarget.Key: Knowledge] { published.withLock { $0 } }
    nonisolated var refusals: UInt64 { publishedRefusals.withLock { $0 } }

    func start() throws {
        _ = loop.requestRealtimePriority()
        timer = loop.makeTimer { [unowned self] in loop.run(on: self) { $0.advance() } }
        try loop.register(targets.descriptor) { [unowned self] _ in loop.run(on: self) { $0.readTargets() } }
    }

    private func readTargets() {
        guard let latest = targets.takeAll().last else { return }
        prober.watch(latest, at: EventLoop.now)
        lastPublication = .zero
        advance()
    }

    private func advance() {
        let now = EventLoop.now
        socket.receive { prober.answered($0, $1, size: $2, roundTrip: $3, at: now) }
        prober.advance(to: now, requests: &requests, reports: &changes)
        for request in requests where !socket.send(request) { prober.notSent(request) }
        requests.removeAll(keepingCapacity: true)
        if !changes.isEmpty {
            reports.send(changes)
            changes.removeAll(keepingCapacity: true)
            lastPublication = .zero
        }
        if now - lastPublication >= Self.publicationInterval { publish(at: now) }
        if let timer { loop.setDeadline(prober.nextDeadline, of: timer) }
    }

    private func publish(at now: Instant) {
        lastPublication = now
        let knowledge = Dictionary(
            uniqueKeysWithValues: prober.figures.map {
                ($0.target.key, Knowledge(state: $0.state, figures: $0.figures))
            })
        published.withLock { $0 = knowledge }
        publishedRefusals.withLock { $0 = socket.refused }
    }
}
