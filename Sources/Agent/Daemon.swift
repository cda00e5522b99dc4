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

/// The whole of `meshd`: the agent on its event loop, health checks, HTTP and the making of large answers each on another, and
/// signals on the main thread.
public struct Daemon: Sendable {
    /// What the command line says.
    public struct Options: Sendable {
        /// The configuration file; `nil` takes the usual one if it is there.
        public var configurationFile: String?
        /// Whether routes and addresses go when the agent stops.
        public var cleansUpOnExit = false
        /// What is logged.
        public var logLevel = Logger.Level.info
        /// How it is logged.
        public var logFormat = LogFormat.text

        public init() {}
    }

    private let options: Options
    private let log: Logger
    private let file: WatchedFile
    let configuration: Configuration

    /// Reads the configuration.
    public init(options: Options) throws {
        self.options = options
        log = Logger(label: "meshd") { _ in LineLogHandler(format: options.logFormat, level: options.logLevel) }
        let path =
            options.configurationFile
            ?? (access(Configuration.defaultPath, F_OK) == 0 ? Configuration.defaultPath : nil)
        if let problem = EnvironmentDefaults.problem { throw StartProblem(description: problem) }
        file = WatchedFile(path: path ?? Configuration.defaultPath)
        configuration =
            try path.map { path throws(ConfigurationProblems) in
                try Configuration(
                    contentsOf: path, hint: "without a file, leave --config out; the defaults make a working node")
            } ?? EnvironmentDefaults.configuration
    }

    /// Runs until SIGTERM or SIGINT. To be called on the main thread, before there are others.
    public func run() throws {
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        OpenFiles.raiseLimit()
        let sole = try SoleAgent()
        defer { withExtendedLifetime(sole) {} }
        let registry = PrometheusRegistry.forAgent()
        MetricsSystem.bootstrap(registry)
        let loop = try Linux.EventLoop(name: "meshd-routing")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 3)
        let tasks = EventLoopTaskExecutor(loop: group.next())
        // However much others ask for, neither checks nor probes wait for it.
        let checks = EventLoopTaskExecutor(loop: group.next())
        let answers = EventLoopTaskExecutor(loop: group.next())
        let reporter = Reporter(tasks: checks)
        let checker = HealthChecker(loop: checks.loop, executor: checks) { id, outcome in reporter.report(id, outcome) }
        let connection = ClusterConnection(configuration) { reporter.wake() }
        let agent = try MeshAgent(
            loop: loop, configuration: configuration, file: file, checker: checker, connection: connection, log: log)
        reporter.connect(to: agent)

        let service = ControlService(
            snapshot: { await agent.snapshot() }, setStubRouter: { await agent.setStubRouter($0) },
            setDrained: { await agent.setDrained($0) },
            registry: registry, answers: answers, isAlive: { await isTurning(loop, clock: tasks.loop) })
        let socket = configuration.control.socket
        try StateDirectory(besideSocket: socket).create()
        try ControlSocket.makeWay(at: socket)
        let control: HTTPServer
        do {
            control = try ControlSocket.withPrivateFiles {
                try HTTPServer.listen(onSocket: socket, tasks: tasks) { await service.respond(to: $0) }.wait()
            }
        } catch let error as IOError {
            throw SystemError("make the control socket \(socket)", code: error.errnoCode)
        }
        defer { unlink(socket) }
        log.notice(
            "meshd \(Version.text) starts",
            metadata: ["configuration": "\(file.isPresent ? file.path : "defaults")", "socket": "\(socket)"])
        try connection?.start()
        defer { connection?.stop() }
        try tasks.run { try await agent.start() }.wait()
        let http = Mutex<HTTPServer?>(nil)
        listen(on: tasks, service, attempt: 0) { server in http.withLock { $0 = server } }

        while true {
            let signal = signals.next()
            if signal != SIGHUP { break }
            try tasks.run { await agent.reload() }.wait()
        }
        try drain(agent, tasks, until: signals)
        log.notice("meshd stops")
        connection?.resign()
        try tasks.run { if await service.transit.isCounting { await service.transit.end() } }.wait()
        let cleansUp = options.cleansUpOnExit
        try tasks.run { await agent.stop(removingEverything: cleansUp) }.wait()
        control.close()
        http.withLock { $0?.close() }
        try checker.stopAll().wait()
    }

    /// Drains before the stop, if that is wanted and the node is not there again in a moment; another signal ends it.
    private func drain(_ agent: MeshAgent, _ tasks: EventLoopTaskExecutor, until signals: Signals) throws {
        guard let limit = configuration.node.drainOnStop else { return }
        let isDrained = Mutex(false)
        try tasks.run {
            let begun = await agent.drainForStop(within: limit)
            isDrained.withLock { $0 = begun }
        }.wait()
        if isDrained.withLock({ $0 }) { _ = signals.next(within: limit) }
    }

    /// Listens for metrics and probes; tries again while the address is not there, as a `lo` that is not up yet.
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
                        "cannot serve HTTP on \(endpoint): \(reason(error)); it is tried again every 10 s. Another address is given by http.listen, and off is none"
                    )
                }
                tasks.loop.scheduleTask(in: .seconds(10)) {
                    self.listen(on: tasks, service, attempt: attempt + 1, started: started)
                }
            }
        }
    }

    /// Removes everything of an agent that does not run: routes, next hops and addresses; says what was removed, and which
    /// kernel settings stay.
    public func cleanUp() throws -> String {
        let sole = try SoleAgent()
        defer { withExtendedLifetime(sole) {} }
        try ControlSocket.makeWay(at: configuration.control.socket)
        let kernel = try KernelFIB(
            configuration: KernelFIBConfiguration(
                protocolNumber: configuration.kernel.routeProtocol, table: configuration.kernel.table))
        let removed = try kernel.cleanUp()
        let addresses = try KernelAddresses(origin: configuration.kernel.routeProtocol)
        let own = try addresses.own()
        for address in own { try addresses.remove(address.address, from: address.interface) }
        let report =
            "removed \(counted(removed.routes, "route")), \(counted(removed.nextHops, "next hop")) and "
            + counted(own.count, "address", "addresses")
        let ports = try KernelMonitor().links.values.filter { !$0.isLoopback }.map(\.name).sorted()
        let settings = ForwardingSettings.deviations(on: ports)
        guard !settings.isEmpty else { return report }
        let introduction = "these kernel settings stay as an agent makes them, since others may need them:"
        return ([report, introduction] + settings.map { "  \($0)" }).joined(separator: "\n")
    }
}

/// Why the agent does not start.
private struct StartProblem: Error, CustomStringConvertible {
    var description: String
}

/// Whether the loop turns when it is woken, within a second by another's clock.
private func isTurning(_ loop: Linux.EventLoop, clock: any NIOCore.EventLoop) async -> Bool {
    let before = loop.heartbeat
    loop.wakeUp()
    for _ in 0..<100 where loop.heartbeat == before {
        try? await clock.scheduleTask(in: .milliseconds(10)) {}.futureResult.get()
    }
    return loop.heartbeat != before
}

/// Why a socket could not be had, for people.
private func reason(_ error: any Error) -> String {
    (error as? IOError).map { SystemError.message(for: $0.errnoCode) } ?? "\(error)"
}

/// Passes outcomes of health checks and news of the cluster on to the agent, which is made after those who report.
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
        Task(executorPreference: tasks) { await agent.fetchNews() }
    }
}
