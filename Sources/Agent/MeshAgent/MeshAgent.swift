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

/// Runs a ``MeshNode`` with sockets, netlink, clocks and files. It passes events to the node and carries out the node's
/// effects. Only the node makes decisions.
///
/// Everything happens on one event loop, whose thread waits only for events, the kernel's answers and small files. So when a
/// port loses carrier, the kernel's routes are changed before the turn is over. Other threads get immutable snapshots and send
/// commands.
public actor MeshAgent {
    nonisolated let loop: EventLoop
    /// The event loop is the actor's executor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    var node: MeshNode

    let log: Logger
    let checker: any HealthChecking
    let connection: ClusterConnection?
    let bypass: BypassTable
    /// The last request to ``bypass``.
    var bypassTask: Task<Void, Never>?
    /// ``stop(removingEverything:)`` while it waits for the node to stop.
    var stopWaiter: CheckedContinuation<Void, Never>?
    /// Where ``bypass`` does its work.
    let background: any TaskExecutor
    /// State that is lost on reboot.
    let runtime: StateDirectory
    /// State that survives reboots.
    let state: StateDirectory
    var file: WatchedFile
    var configurationStatus: Status.ConfigurationStatus
    var events = EventHistory()
    /// Keeps ``events`` on disk.
    let store: EventStore
    var ages = RouteAges()
    var counters = AgentCounters()
    let started = EventLoop.now
    /// The wall clock at ``Instant/zero``, as the node was told.
    var clockOffset: Duration?
    /// When the configuration file was last checked.
    var fileChecked = EventLoop.now
    private var timer: EventLoop.Timer?
    /// The deadline of ``timer``: the node's next one, or zero (at once) if effects are left for the next turn.
    private var timerDeadline: Instant?
    /// The effects that are not carried out yet; kept between turns also to avoid an allocation.
    private var effects: [NodeEffect] = []
    /// When the current turn began.
    var turnBegan = Instant.zero

    // The kernel.
    let monitor: KernelMonitor
    let kernel: KernelFIB
    let routeMonitor: RouteMonitor
    let addresses: KernelAddresses
    let reader: KernelReader
    let sockets: OSPFSockets
    /// Asks neighbors by echo requests; `nil` if its socket could not be opened.
    let prober: NeighborProber?
    /// Reads counters and speeds of ports; `nil` if its socket could not be opened.
    let portReader: PortReader?
    /// Has sessions of BFD with neighbors.
    let bfd: BFDSpeaker

    /// Opens sockets and netlink. Nothing runs before ``start()``.
    init(
        loop: EventLoop, configuration: Configuration, file: WatchedFile, checker: any HealthChecking,
        connection: ClusterConnection? = nil, background: any TaskExecutor, store: EventStore, log: Logger
    ) throws {
        self.loop = loop
        self.file = file
        self.checker = checker
        self.connection = connection
        self.background = background
        self.store = store
        bypass = BypassTable()
        self.log = log
        runtime = StateDirectory(besideSocket: configuration.control.socket)
        state = StateDirectory(configuration)
        configurationStatus = Status.ConfigurationStatus(
            file: file.isPresent ? file.path : nil, loaded: Timestamp.now, ok: true, problems: [], needsRestart: [])
        let kernelConfiguration = KernelFIBConfiguration(
            protocolNumber: configuration.kernel.routeProtocol, table: configuration.kernel.table,
            metric: configuration.kernel.metric)
        monitor = try KernelMonitor(configuration: kernelConfiguration)
        kernel = try KernelFIB(configuration: kernelConfiguration)
        // Subscribed before the first read, so that no change is missed.
        routeMonitor = try RouteMonitor(
            configuration: kernel.configuration, nextHopIDs: FIB.Configuration().nextHopIDs, ownPort: kernel.port)
        addresses = try KernelAddresses(origin: configuration.kernel.routeProtocol)
        reader = try KernelReader(configuration: kernelConfiguration)
        sockets = try OSPFSockets()
        do {
            prober = try NeighborProber()
        } catch {
            prober = nil
            log.warning("neighbors are not asked by echo requests: \(error)")
        }
        do {
            portReader = try PortReader()
        } catch {
            portReader = nil
            log.warning("the counters and the speed of ports are not watched: \(error)")
        }
        bfd = try BFDSpeaker()
        var environment = MeshNode.Environment()
        environment.hostName = Host.name
        environment.machine = Host.machine
        environment.seed = UInt64.random(in: .min ... .max)
        environment.hasCluster = connection != nil
        environment.apiServer = connection?.server.flatMap { $0.isRoutable ? $0 : nil }
        environment.fib.mode = kernel.supportsNextHopObjects ? .objects : .multipath
        let groups = try kernel.groupSupport(in: environment.fib.nextHopIDs)
        (environment.fib.hasResilientGroups, environment.fib.hasBackups) = groups
        if !groups.resilient {
            log.info(
                "this kernel has no resilient next-hop groups: flows to anycast addresses may move when next hops change"
            )
        }
        if !groups.backups, configuration.ospf.fastReroute {
            log.info("this kernel has no weights of 16 bits in next-hop groups (Linux 6.12): no backups of next hops")
        }
        environment.saved = SavedState(state: state, runtime: runtime)
        node = MeshNode(configuration: configuration, environment: environment, cryptography: .real)
    }

    /// Starts the node. Throws if the loop cannot watch a socket; other failures are logged.
    func start() throws {
        timer = loop.makeTimer { [unowned self] in loop.run(on: self) { $0.runTimer() } }
        // On a busy machine an ordinary thread may wait for tens of milliseconds; traffic over a dead link is lost meanwhile.
        if !loop.requestRealtimePriority() {
            write(.info, "no real-time priority (needs CAP_SYS_NICE): a busy machine may delay hellos and routes")
        }
        do {
            try state.create()
        } catch {
            write(.warning, "the node's state cannot be saved: \(error)")
        }
        if state.hasDamagedIdentity {
            write(.warning, "the saved identity in \(state.path) is damaged; this node starts with a new identity")
        }
        try loop.register(monitor.descriptor) { [unowned self] _ in loop.run(on: self) { $0.readMonitor() } }
        try loop.register(routeMonitor.descriptor) { [unowned self] _ in loop.run(on: self) { $0.readRouteMonitor() } }
        if let prober {
            try loop.register(prober.reports.descriptor) { [unowned self] _ in
                loop.run(on: self) { $0.handle(.liveness(prober.reports.takeAll())) }
            }
        }
        if let portReader {
            try loop.register(portReader.readings.descriptor) { [unowned self] _ in
                loop.run(on: self) { $0.handle(.ports(portReader.readings.takeAll())) }
            }
        }
        try loop.register(bfd.reports.descriptor) { [unowned self] _ in
            loop.run(on: self) { $0.handle(.bfd($0.bfd.reports.takeAll())) }
        }
        try loop.register(sockets.descriptor) { [unowned self] _ in loop.run(on: self) { $0.readPackets() } }
        checkClock()
        handle(
            .start(
                links: monitor.links.values.sorted { $0.index < $1.index },
                addresses: Array(monitor.addresses), defaultRoutes: Array(monitor.defaultRoutes)))
    }
}

// MARK: - Events

extension MeshAgent {
    /// After this many packets (or at the end of the batch that exceeds it), those still waiting are left for the next turn, so
    /// that other events and timers come first.
    private static let packetsPerTurn = 64
    /// After this time, too, waiting packets are left for the next turn. It is short beside a hello interval.
    private static let readingPerTurn = Duration.milliseconds(5)
    /// The maximum number of batches of waiting hellos to read from every port, in search of one from a silent neighbor: more
    /// than the queue of a port can contain. The limit is not a time, because time also passes while other processes run.
    private static let searchesForHellos = 256
    /// The maximum number of rounds per turn in which outcomes lead to more effects. A few suffice; more would be a loop that
    /// must not stop hellos.
    private static let roundsPerTurn = 64

    /// Handles an event and all that follows from it.
    func handle(_ event: NodeEvent) {
        turnBegan = EventLoop.now
        note(event, at: turnBegan)
        settle()
    }

    /// Reads waiting packets, within the limits of a turn.
    private func readPackets() {
        turnBegan = EventLoop.now
        let end = turnBegan + Self.readingPerTurn
        var count = 0
        while count < Self.packetsPerTurn, EventLoop.now < end {
            let new = sockets.receive(note)
            // No socket returned a full batch, so none has more.
            if new < OSPFSockets.batch { break }
            count += new
        }
        settle()
    }

    /// Notes an event, and measures the time of those that lead to a route calculation.
    private func note(_ event: NodeEvent, at now: Instant) {
        let began = EventLoop.now
        let runs = node.routeCalculations
        node.note(event, at: now)
        if node.routeCalculations != runs { counters.routeCalculation.observe(EventLoop.now - began) }
    }

    /// Notes a received packet.
    private func note(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8]) {
        note(
            .packet(interface: interface, source: source, destination: destination, octets: octets),
            at: EventLoop.now)
    }

    private func readMonitor() {
        turnBegan = EventLoop.now
        noteKernelEvents()
        settle()
    }

    /// Notes the kernel's notifications of links, addresses, default routes, router advertisements and settings. Reads at least
    /// up to those of the `removals` addresses that we have just removed.
    func noteKernelEvents(through removals: Int = 0) {
        do { note(.kernel(try monitor.read(through: removals)), at: turnBegan) } catch {
            write(.error, "cannot read the kernel's links, addresses and default routes; trying again: \(error)")
        }
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

    /// Handles the due timer of the node. First reads waiting hellos, if a neighbor would be declared dead. So none is while
    /// its hello waits unread behind other packets, or because this process did not run.
    private func runTimer() {
        turnBegan = EventLoop.now
        for _ in 0..<Self.searchesForHellos {
            guard node.hasSilentNeighbor(at: EventLoop.now), sockets.receiveHellos(note) > 0 else { break }
        }
        turnBegan = EventLoop.now
        if monitor.mustRetry { noteKernelEvents() }
        note(.timer, at: turnBegan)
        settle()
        checkFile()
    }

    /// Lets the node do what follows from the noted events, carries out the effects, and sets the timer.
    private func settle() {
        var pending: [NodeEffect] = []
        swap(&pending, &effects)
        node.settle(at: EventLoop.now, effects: &pending)
        // An outcome may lead to more effects. The number of rounds is bounded; the rest waits for the next turn.
        var rounds = 0
        while !pending.isEmpty, rounds < Self.roundsPerTurn {
            rounds += 1
            var outcomes: [NodeEvent] = []
            for effect in pending { if let outcome = perform(effect) { outcomes.append(outcome) } }
            pending.removeAll(keepingCapacity: true)
            for outcome in outcomes { node.note(outcome, at: EventLoop.now) }
            node.settle(at: EventLoop.now, effects: &pending)
        }
        timerDeadline = pending.isEmpty ? node.nextDeadline : .zero
        swap(&pending, &effects)
        if let timer { loop.setDeadline(timerDeadline, of: timer) }
    }

    // MARK: Commands

    /// Makes the node a stub router, or ends that.
    func setStubRouter(_ isStub: Bool) { handle(.command(.stubRouter(isStub))) }

    /// Drains the node on behalf of an operator, or ends that.
    func setDrained(_ isDrained: Bool) { handle(.command(.drain(isDrained))) }

    /// Drains before a stop. Returns whether the node's stage is ``Life/draining``, so that the caller waits up to `limit`.
    func drainForStop(within limit: Duration) -> Bool {
        handle(.command(.drainForStop(within: limit)))
        if case .draining = node.life { return true }
        return false
    }

    /// Stops the node. When this returns, the process may exit.
    func stop(removingEverything: Bool) async {
        // First, so that neighbors do not take the end of the sessions for a failure.
        await bfd.stop()
        handle(.command(.stop(removingEverything: removingEverything)))
        // The node may wait for acknowledgments of neighbors; it sets itself a deadline.
        if case .announcingRestart = node.life { await withCheckedContinuation { stopWaiter = $0 } }
        // `nft` must not outlive the agent, and make a table that was removed. The node makes no further requests.
        bypassTask?.cancel()
        await bypassTask?.value
        if removingEverything { removeTables() }
    }

    /// Handles an outcome of a health check.
    func checked(_ id: VIPTable.CheckID, _ outcome: CheckOutcome) { handle(.checked(id, outcome)) }

    /// Handles the reports about the cluster since the last call, merged into one, if there are any.
    func fetchClusterReport() {
        if let report = connection?.fetch() { handle(.cluster(report)) }
    }
}
