internal import Addressing
internal import ControlAPI
internal import Glibc
internal import Links
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import Netlink
internal import Node
internal import OSPF
internal import PrometheusMetrics
internal import Routing
internal import Services
internal import Timing

/// The shell around a ``MeshNode``: sockets, netlink, clocks, files. It brings events in and carries effects out; what
/// follows from what is decided by the node alone.
///
/// Everything happens on one event loop, whose thread never waits for anything but events, so what a lost carrier leads to
/// is in the kernel before the turn is over. Others see immutable snapshots and give commands.
public actor MeshAgent {
    nonisolated let loop: EventLoop
    /// The event loop is the actor's executor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The node.
    var node: MeshNode

    let log: Logger
    let checker: any ServiceChecker
    let connection: ClusterConnection?
    /// What is remembered until the machine starts again, and beyond.
    let passing: StateDirectory
    let state: StateDirectory
    var file: WatchedFile
    var configurationStatus: Status.ConfigurationStatus
    var events = EventHistory()
    var ages = RouteAges()
    var counters = AgentCounters()
    let started = EventLoop.now
    /// The latest time the file was looked at.
    private var fileLooked = EventLoop.now
    private var timer: EventLoop.Timer?
    private var timerDeadline: Instant?
    /// Kept to spare the allocation.
    private var effects: [NodeEffect] = []
    /// When the events in hand came in.
    var turnBegan = Instant.zero

    // The kernel.
    let monitor: KernelMonitor
    let kernel: KernelFIB
    let routeMonitor: RouteMonitor
    let addresses: KernelAddresses
    let reader: KernelReader
    let sockets: OSPFSockets

    /// Opens what the agent needs of the kernel. Nothing runs before ``start()``.
    init(
        loop: EventLoop, configuration: Configuration, file: WatchedFile, checker: any ServiceChecker,
        connection: ClusterConnection? = nil, log: Logger
    ) throws {
        self.loop = loop
        self.file = file
        self.checker = checker
        self.connection = connection
        self.log = log
        passing = StateDirectory(besideSocket: configuration.control.socket)
        state = StateDirectory(configuration)
        configurationStatus = Status.ConfigurationStatus(
            file: file.isPresent ? file.path : nil, loaded: Timestamp.now, ok: true, problems: [], needsRestart: [])
        let kernelConfiguration = KernelFIBConfiguration(
            protocolNumber: configuration.kernel.routeProtocol, table: configuration.kernel.table,
            metric: configuration.kernel.metric)
        monitor = try KernelMonitor(configuration: kernelConfiguration)
        kernel = try KernelFIB(configuration: kernelConfiguration)
        // Subscribed before the first reading, so that nothing falls between the two.
        routeMonitor = try RouteMonitor(
            configuration: kernel.configuration, nextHopIDs: FIB.Configuration().nextHopIDs, ownPort: kernel.port)
        addresses = try KernelAddresses(origin: configuration.kernel.routeProtocol)
        reader = try KernelReader(configuration: kernelConfiguration)
        sockets = try OSPFSockets()
        var environment = MeshNode.Environment()
        environment.hostName = Host.name
        environment.machine = Host.machine
        environment.seed = UInt64.random(in: .min ... .max)
        environment.hasCluster = connection != nil
        environment.fib.mode = kernel.supportsNextHopObjects ? .objects : .multipath
        environment.saved = SavedState(state: state, passing: passing)
        node = MeshNode(configuration: configuration, environment: environment)
    }

    /// Begins. Throws where the agent cannot work at all.
    func start() throws {
        timer = loop.makeTimer { [unowned self] in assumeIsolated { $0.runTimer() } }
        // On a busy machine an ordinary thread may wait for tens of milliseconds, and traffic with it.
        if !loop.requestRealtimePriority() {
            write(.info, "no real-time priority, which takes CAP_SYS_NICE: a busy machine may delay hellos and routes")
        }
        do {
            try state.create()
        } catch {
            write(.warning, "the node's state is not kept for the next start: \(error)")
        }
        try loop.register(monitor.descriptor) { [unowned self] _ in assumeIsolated { $0.readMonitor() } }
        try loop.register(routeMonitor.descriptor) { [unowned self] _ in assumeIsolated { $0.readRouteMonitor() } }
        try loop.register(sockets.descriptor) { [unowned self] _ in assumeIsolated { $0.readPackets() } }
        handle(
            .start(
                links: monitor.links.values.sorted { $0.index < $1.index },
                addresses: Array(monitor.addresses), defaultRoutes: Array(monitor.defaultRoutes)))
    }
}

// MARK: - What comes in

extension MeshAgent {
    /// Packets taken in before what follows from them is done; what waits longer is read in the next turn.
    private static let packetsPerTurn = 64
    /// How long packets are taken in before that.
    private static let readingPerTurn = Duration.milliseconds(5)
    /// How often the hellos that wait are read, a batch of every port each time, in search of one of a silent neighbour:
    /// more than a port's queue holds. Not a time, which passes as well while others have the processor.
    private static let searchesForHellos = 256
    /// A timer that is so late tells that this process was kept from running.
    private static let stillness = Duration.seconds(2)
    /// How often the configuration file is looked at, while the agent is awake anyway.
    private static let fileInterval = Duration.seconds(5)

    /// Takes an event in and does what follows from it.
    func handle(_ event: NodeEvent) {
        turnBegan = EventLoop.now
        node.note(event, at: turnBegan)
        settle()
    }

    private func readPackets() {
        turnBegan = EventLoop.now
        let end = turnBegan + Self.readingPerTurn
        var count = 0
        while count < Self.packetsPerTurn, EventLoop.now < end {
            let new = sockets.receive(note)
            // No socket gave a whole batch, so no more waits.
            if new < OSPFSockets.batch { break }
            count += new
        }
        settle()
    }

    private func note(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8]) {
        let now = EventLoop.now
        let runs = node.router?.calculationStatistics
        node.note(
            .packet(interface: interface, source: source, destination: destination, octets: octets), at: now)
        if node.router?.calculationStatistics != runs { counters.routeCalculation.observe(EventLoop.now - now) }
    }

    private func readMonitor() {
        turnBegan = EventLoop.now
        do {
            node.note(.kernel(try monitor.read()), at: turnBegan)
        } catch {
            write(.error, "cannot read the kernel's news of links: \(error)")
        }
        settle()
    }

    private func readRouteMonitor() {
        turnBegan = EventLoop.now
        do {
            node.note(.routes(try routeMonitor.read()), at: turnBegan)
        } catch {
            node.note(.routes([.overflow]), at: turnBegan)
        }
        settle()
    }

    /// The node's timer is due. Nobody is declared dead whose hello came and waits unread, because others came before it or
    /// because this process was kept from running.
    private func runTimer() {
        turnBegan = EventLoop.now
        if let deadline = timerDeadline, deadline != .zero, turnBegan - deadline >= Self.stillness {
            node.note(.stoodStill(turnBegan - deadline), at: turnBegan)
        }
        for _ in 0..<Self.searchesForHellos {
            guard node.hasSilentNeighbor(at: EventLoop.now), sockets.receiveHellos(note) > 0 else { break }
        }
        turnBegan = EventLoop.now
        node.note(.timer, at: turnBegan)
        settle()
        lookAtFile()
    }

    private func settle() {
        var pending: [NodeEffect] = []
        swap(&pending, &effects)
        node.settle(at: EventLoop.now, effects: &pending)
        // An outcome may ask for more; a bounded number of times, as what goes on and on has its own deadlines.
        for _ in 0..<64 where !pending.isEmpty {
            for effect in pending {
                if let outcome = perform(effect) { node.note(outcome, at: EventLoop.now) }
            }
            pending.removeAll(keepingCapacity: true)
            node.settle(at: EventLoop.now, effects: &pending)
        }
        for effect in pending { _ = perform(effect) }
        pending.removeAll(keepingCapacity: true)
        swap(&pending, &effects)
        timerDeadline = node.nextDeadline
        if let timer { loop.setDeadline(timerDeadline, of: timer) }
    }

    // MARK: Commands

    /// Asks others to route around this node, or no longer.
    func setStubRouter(_ isStub: Bool) { handle(.command(.stubRouter(isStub))) }

    /// Makes the node ready to be taken away, because somebody says so.
    func setDrained(_ isDrained: Bool) { handle(.command(.drain(isDrained))) }

    /// Drains for the rest of this run; whether there is anything to wait for.
    func drainForStop(within limit: Duration) -> Bool {
        handle(.command(.drainAndStop(within: limit)))
        if case .draining = node.life { return true }
        return false
    }

    /// Ends what the node does; the process may end then.
    func stop(removingEverything: Bool) { handle(.command(.stop(removingEverything: removingEverything))) }

    /// A health check reports.
    func checked(_ id: VIPTable.CheckID, _ outcome: CheckOutcome) { handle(.checked(id, outcome)) }

    /// Takes in what is new of the cluster, if there is anything.
    func fetchNews() {
        if let report = connection?.fetch() { handle(.cluster(report)) }
    }

    // MARK: The configuration file

    /// Looks at the file now and then, while the agent is awake anyway.
    private func lookAtFile() {
        let now = EventLoop.now
        guard now - fileLooked >= Self.fileInterval else { return }
        fileLooked = now
        if file.hasChanged, file.isPresent { reload() }
    }

    /// Reads the configuration file again. A bad one changes nothing; of a good one, what can take effect now does.
    func reload() {
        guard file.isPresent else {
            return write(.warning, "there is no configuration file at \(file.path); nothing was read")
        }
        switch file.read() {
        case .failure(let refusal):
            configurationStatus.ok = false
            configurationStatus.problems = refusal.problems
            handle(.configurationRefused(refusal.problems))
        case .success(let new):
            configurationStatus = Status.ConfigurationStatus(
                file: file.path, loaded: Timestamp.now, ok: true, problems: [],
                needsRestart: node.configuration.keysThatNeedRestart(in: new))
            handle(.configuration(new))
        }
    }
}
