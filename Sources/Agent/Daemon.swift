internal import ConfigurationFile
internal import ControlAPI
internal import CoreMetrics
internal import Glibc
internal import HealthChecks
internal import Links
internal import Linux
public import Logging
internal import MeshConfiguration
internal import NIOCore
internal import NIOPosix
internal import Netlink
internal import PrometheusMetrics
internal import Services
internal import Synchronization
internal import Timing

/// The process `meshd`. The agent, HTTP, health checks, the making of answers and the connection to the cluster have one event
/// loop each. The main thread handles signals.
public struct Daemon: Sendable {
    /// The command line options.
    public struct Options: Sendable {
        /// The configuration file; `nil` means the file at `Configuration.defaultPath` or, without one, the defaults.
        public var configurationFile: String?
        /// Whether to remove routes, next hops and addresses when the agent stops.
        public var cleansUpOnExit = false
        /// The lowest level that is logged.
        public var logLevel = Logger.Level.info
        /// The format of log lines.
        public var logFormat = LogFormat.text

        public init() {}
    }

    private let options: Options
    private let log: Logger
    private var file: WatchedFile
    let configuration: Configuration

    /// Reads the configuration, without keys. Throws if it cannot be read, or it or a default from the environment is not valid.
    public init(options: Options) throws {
        self.options = options
        log = Logger(label: "meshd") { _ in LineLogHandler(format: options.logFormat, level: options.logLevel) }
        let path =
            options.configurationFile
            ?? (access(Configuration.defaultPath, F_OK) == 0 ? Configuration.defaultPath : nil)
        if let problem = EnvironmentDefaults.problem { throw StartProblem(description: problem) }
        file = WatchedFile(
            path: path ?? Configuration.defaultPath, isRequired: options.configurationFile != nil)
        configuration =
            try path.map { path throws(ConfigurationProblems) in
                try Configuration(
                    contentsOf: path, hint: "without a file, leave --config out; the defaults make a working node")
            } ?? EnvironmentDefaults.configuration
        file.watch(keyFile: configuration.authentication.keyFile)
    }

    /// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again. Call it on the main thread, before there are others.
    /// Throws if the agent cannot start, for example because another one runs in this network namespace.
    public func run() throws {
        var configuration = configuration
        try configuration.readKeys()
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        OpenFiles.raiseLimit()
        let sole = try SoleAgent()
        defer { withExtendedLifetime(sole) {} }  // the lock is held until this function returns
        let registry = PrometheusRegistry.forAgent()
        MetricsSystem.bootstrap(registry)
        let loop = try Linux.EventLoop(name: "meshd-routing")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 3)
        // HTTP, answers to probes, and this thread's calls of the agent.
        let tasks = EventLoopTaskExecutor(loop: group.next())
        // Loops of their own, so that neither health checks nor probes wait for answers, however much clients request.
        let checks = EventLoopTaskExecutor(loop: group.next())
        let answers = EventLoopTaskExecutor(loop: group.next())
        let reporter = Reporter(tasks: checks)
        let checker = HealthChecker(loop: checks.loop, executor: checks) { id, outcome in reporter.report(id, outcome) }
        let connection = ClusterConnection(configuration) { reporter.wake() }
        let store = EventStore(directory: StateDirectory(configuration).path, loop: answers.loop, log: log)
        let agent = try MeshAgent(
            loop: loop, configuration: configuration, file: file, checker: checker, connection: connection,
            background: answers, store: store, log: log)
        reporter.connect(to: agent)

        let service = ControlService(
            snapshot: { await agent.snapshot() }, setStubRouter: { await agent.setStubRouter($0) },
            setDrained: { await agent.setDrained($0) },
            registry: registry, answers: answers, isAlive: { await isTurning(loop, clock: tasks.loop) })
        let socket = configuration.control.socket
        var control = try ControlListener(path: socket, tasks: tasks) { await service.respond(to: $0) }
        defer { unlink(socket) }
        log.notice(
            "meshd \(Version.text) starts",
            metadata: ["configuration": "\(file.isPresent ? file.path : "defaults")", "socket": "\(socket)"])
        try connection?.start()
        defer { connection?.stop() }
        try tasks.run {
            try await agent.prober?.start()
            try await agent.portReader?.start()
            try await agent.bfd.start()
            try await agent.start()
        }.wait()
        _ = answers.run { await agent.adopt(store.load()) }
        let http = Mutex<HTTPServer?>(nil)
        listen(on: tasks, service, attempt: 0) { server in http.withLock { $0 = server } }

        running: while true {
            switch signals.next(within: Self.socketCheckInterval) {
            case nil: checkSocket(&control)
            case SIGHUP: try tasks.run { await agent.reload() }.wait()
            default: break running
            }
        }
        try drain(agent, tasks, until: signals)
        log.notice("meshd stops")
        connection?.resign()
        try tasks.run { if await service.transit.isCounting { await service.transit.end() } }.wait()
        let cleansUp = options.cleansUpOnExit
        try tasks.run { await agent.stop(removingEverything: cleansUp) }.wait()
        try answers.run { store.flush() }.wait()
        control.close()
        http.withLock { $0?.close() }
        try checker.stopAll().wait()
    }

    /// The time between checks whether the control socket is still there.
    private static let socketCheckInterval = Duration.seconds(30)

    private func checkSocket(_ control: inout ControlListener) {
        let socket = configuration.control.socket
        switch control.check() {
        case nil: break
        case .restored:
            log.warning("the control socket \(socket) was removed or replaced by another program; it is there again")
        case .failed(let reason):
            log.error(
                "the control socket was removed or replaced by another program, and cannot be created again: \(reason)")
        }
    }

    /// Drains before the stop for `node.drainOnStop`, if configured, unless routes and addresses stay for the next agent
    /// (``MeshNode/staysOnStop``), or the node is drained already or not synchronized yet. SIGTERM or SIGINT ends the wait.
    private func drain(_ agent: MeshAgent, _ tasks: EventLoopTaskExecutor, until signals: Signals) throws {
        guard let limit = configuration.node.drainOnStop else { return }
        let isDraining = Mutex(false)
        try tasks.run {
            let hasBegun = await agent.drainForStop(within: limit)
            isDraining.withLock { $0 = hasBegun }
        }.wait()
        guard isDraining.withLock({ $0 }) else { return }
        let end = Linux.EventLoop.now + limit
        // A SIGHUP changes nothing any more.
        while Linux.EventLoop.now < end, signals.next(within: end - Linux.EventLoop.now) == SIGHUP {}
    }

    /// Listens on `http.listen`, if configured. Tries again every 10 s while that fails, for example because the address does
    /// not exist before `lo` is up.
    private func listen(
        on tasks: EventLoopTaskExecutor, _ service: ControlService, attempt: Int,
        started: @escaping @Sendable (HTTPServer) -> Void
    ) {
        guard let endpoint = configuration.http.listen else { return }
        HTTPServer.listen(on: endpoint, tasks: tasks) { await service.respond(to: $0) }.whenComplete {
            result in
            switch result {
            case .success(let server): started(server)
            case .failure(let error):
                if attempt == 0 {
                    self.log.warning(
                        "cannot serve HTTP on \(endpoint): \(reason(error)); retries every 10 s; set http.listen to another address, or to off"
                    )
                }
                tasks.loop.scheduleTask(in: .seconds(10)) {
                    self.listen(on: tasks, service, attempt: attempt + 1, started: started)
                }
            }
        }
    }

    /// Removes the routes, next hops, addresses and nftables tables of an agent that does not run; throws if one runs. Returns
    /// what was removed, and which kernel settings stay.
    public func cleanUp() throws -> String {
        let sole = try SoleAgent()
        defer { withExtendedLifetime(sole) {} }
        try ControlSocket.removeStaleSocket(at: configuration.control.socket)
        let report = "removed \(try KernelCleanup.remove(configuration.kernel).text)"
        // An agent that was killed a moment ago may have left an `nft` that has not ended yet.
        usleep(500_000)
        try KernelCleanup.removeTables()
        let ports = try KernelMonitor().links.values.filter { !$0.isLoopback }.map(\.name).sorted()
        let settings = KernelSettings.deviations(on: ports)
        guard !settings.isEmpty else { return report }
        let introduction = "these kernel settings stay as an agent sets them, because other programs may need them:"
        return ([report, introduction] + settings.map { "  \($0)" }).joined(separator: "\n")
    }
}

/// Why the agent cannot start.
private struct StartProblem: Error, CustomStringConvertible {
    var description: String
}

/// Whether the loop handles an event within a second (100 × 10 ms). The clock is that of another loop, because this one may
/// hang.
private func isTurning(_ loop: Linux.EventLoop, clock: any NIOCore.EventLoop) async -> Bool {
    let before = loop.heartbeat
    loop.wakeUp()
    for _ in 0..<100 where loop.heartbeat == before {
        try? await clock.scheduleTask(in: .milliseconds(10)) {}.futureResult.get()
    }
    return loop.heartbeat != before
}

/// Why a socket cannot be used, for people.
private func reason(_ error: any Error) -> String {
    (error as? IOError).map { SystemError.message(for: $0.errnoCode) } ?? "\(error)"
}

/// Passes outcomes of health checks to the agent, and makes it fetch reports about the cluster. The agent is created after the
/// sources of both, which start after ``connect(to:)``.
private final class Reporter: Sendable {
    private let agent = Mutex<MeshAgent?>(nil)
    private let tasks: EventLoopTaskExecutor

    init(tasks: EventLoopTaskExecutor) { self.tasks = tasks }

    func connect(to agent: MeshAgent) { self.agent.withLock { $0 = agent } }

    func report(_ id: VIPTable.CheckID, _ outcome: CheckOutcome) {
        guard let agent = agent.withLock({ $0 }) else { return }
        Task(executorPreference: tasks) { await agent.checked(id, outcome) }
    }

    func wake() {
        guard let agent = agent.withLock({ $0 }) else { return }
        Task(executorPreference: tasks) { await agent.fetchClusterReport() }
    }
}
