public import Addressing
public import Authentication
public import Links
public import MeshConfiguration
public import OSPF
public import Routing
public import Services
public import Timing

/// Everything that an agent decides, as one value: its life cycle, its ports, its addresses, its announcements, and what it
/// wants in the kernel. Its input is events, its output is effects. It has no socket and reads no clock, so the agent, the
/// simulator and the tests run the same code.
///
/// ``note(_:at:)`` takes in an event. ``settle(at:effects:)`` then does everything that follows from it, in a fixed order.
/// Several events may be noted before they are settled together.
public struct MeshNode: Sendable {
    /// The surroundings of a node, known when it is made.
    public struct Environment: Hashable, Sendable {
        /// `$NODE_NAME`, or the machine's host name.
        public var hostName = ""
        /// A number that identifies the machine, from its SMBIOS UUID; `nil` if it has none.
        public var machine: UInt64?
        /// A random number, another at each start. It seeds the router, and distinguishes a new identity from others.
        public var seed: UInt64 = 0
        /// Whether the agent follows a Kubernetes cluster.
        public var hasCluster = false
        /// The address by which the agent reaches the API server, if it is given to it as `$KUBERNETES_SERVICE_HOST`.
        public var apiServer: IPv6Address?
        /// How routes refer to next hops in this kernel.
        public var fib = FIB.Configuration()
        /// The state that earlier runs saved.
        public var saved = SavedState()

        public init() {}
    }

    /// The configuration in use.
    public internal(set) var configuration: Configuration
    public let environment: Environment
    /// The state that survives restarts.
    public internal(set) var saved: SavedState
    /// The parts of the state that could not be saved.
    var unsaved = UnsavedState()
    public internal(set) var life = Life.new
    /// When the node started.
    public internal(set) var started = Instant.zero
    /// When the next ``NodeEvent/timer`` is due; `nil` if none is, `.zero` is at once.
    public internal(set) var nextDeadline: Instant?

    // The machine.

    /// The machine's network devices, by index.
    public internal(set) var links: [UInt32: Link] = [:]
    /// The machine's addresses.
    public internal(set) var addresses = AddressTable()
    /// The ports of the mesh, and those that are not used.
    public internal(set) var interfaces = InterfaceTable()
    /// Signs that a port belongs to another network.
    var foreignSigns = InterfaceTable.ForeignNetworkSigns()
    /// The last neighbor on each port.
    var lastHeard = LastNeighbors()
    /// The kernel settings that the node depends on.
    public internal(set) var settings = SettingsAudit()
    /// The multicast groups: those wanted, and those that could not be joined.
    var memberships = MembershipTable()

    // The identity of the node, and its role in the mesh.

    /// The identity; `nil` until it is known.
    public internal(set) var identity: NodeIdentity?
    /// The node's IPv4 address and ranges.
    public internal(set) var ipv4: IPv4Ranges
    /// The router; `nil` until the identity is known and the kernel's routes were read.
    public internal(set) var router: Router?
    /// The prefixes that the node announces.
    public internal(set) var announcements = Announcements()
    /// Whether an operator made the node a stub router. A drained node is one too.
    var isStubRouter = false
    /// Why the node is drained, if it is.
    public internal(set) var drainReasons: DrainReasons = []
    /// The last review of the mesh as a whole.
    var review = MeshReview()

    // The kernel.

    /// The routes: those wanted, and those in the kernel.
    public internal(set) var installer: FIBInstaller
    /// The service routes that are wanted.
    var serviceRoutes = ServiceRoutes()
    /// The addresses on `lo`: those wanted, and those placed.
    public internal(set) var ledger = AddressLedger()
    /// The source addresses in routes.
    var preferredSource = PreferredSource()
    /// How much the kernel is asked for at a time.
    var pacing = KernelPacing()
    /// Other routes of the machine that overlap the IPv4 pools.
    var poolSurvey = PoolSurvey()
    /// The CNI file.
    var network = NetworkAudit()
    /// Authentication of OSPF packets.
    public internal(set) var authentication: PacketAuthentication
    /// Whether neighbors are alive, as far as their kernels answer.
    public internal(set) var liveness = NeighborLiveness()
    /// How good the cables are.
    public internal(set) var quality = QualityTable()
    /// The sessions of BFD.
    public internal(set) var bfd = NeighborSessions()
    /// Which neighbors have failed, as far as echoes and sessions tell.
    var verdicts = NeighborVerdicts()
    /// Packets in transit to services on other nodes.
    public internal(set) var bypass = ProxyBypass()
    /// Whether there is a route to a single address that is not in ``bypass`` yet.
    var mustReviewBypass = false

    // Addresses of services.

    /// The VIPs of the configuration.
    public internal(set) var vips = VIPTable()
    /// The state of the cluster; `nil` before the first report, and without a cluster.
    public internal(set) var cluster: ClusterView?
    /// The service addresses that the cluster wants on this node.
    var serviceClaims = ServiceClaims()
    /// The service addresses that are announced, and the times at which that changes.
    public internal(set) var serviceAddresses = ServiceAddresses()
    /// Whether the service proxy of this node works.
    public internal(set) var gate: ServiceGate

    // Operators.

    /// The problems that an operator should know about.
    public internal(set) var problems = ProblemTable()
    /// The limits on log lines.
    public internal(set) var logLimits = LogLimits()
    public internal(set) var counters = NodeCounters()
    /// The change of routes that is under way.
    var convergences = ConvergenceTracker()

    // Effects of the events noted so far.

    /// Packets; they come first. Sending takes microseconds, while a change of the kernel's routes may wait for others that
    /// change the kernel's configuration; other nodes would learn of a failure that much later.
    var packets: [NodeEffect] = []
    /// Changes of the kernel's routes; they come second.
    var kernelEffects: [NodeEffect] = []
    /// All other effects.
    var effects: [NodeEffect] = []
    /// Whether an event since the node last settled may have consequences outside of the router.
    var mustSettle = true
    /// When the node itself has something to do, apart from the router. It may come before ``nextDeadline``: what can wait a
    /// little is done with the next event, as a hello of a neighbor, and only without one wakes the process.
    private var ownDeadline: Instant?
    /// When the process must run for the node itself, even without an event.
    private var ownTimer: Instant?
    /// An empty buffer for effects of the router, kept to reuse its storage.
    private var routerEffects: [RouterEffect] = []

    /// Makes a node that does nothing before ``NodeEvent/start(links:addresses:defaultRoutes:)``.
    public init(
        configuration: Configuration, environment: Environment, cryptography: CryptographicFunctions = .none
    ) {
        self.configuration = configuration
        self.environment = environment
        saved = environment.saved
        authentication = PacketAuthentication(
            functions: cryptography, savedSequence: environment.saved.authenticationSequence)
        installer = FIBInstaller(environment.fib)
        ipv4 = IPv4Ranges(configuration.addressing.ipv4, saved: environment.saved.ranges)
        gate = ServiceGate(check: configuration.kubernetes.proxyCheck)
        if environment.saved.isDrained { drainReasons = .operator }
    }

    /// Notes an event, settles it, and appends the effects in order. `now` never goes back.
    public mutating func handle(_ event: NodeEvent, at now: Instant, effects: inout [NodeEffect]) {
        note(event, at: now)
        settle(at: now, effects: &effects)
    }

    /// Takes in an event. ``settle(at:effects:)`` must follow.
    public mutating func note(_ event: NodeEvent, at now: Instant) {
        if case .stopping = life { return noteWhileStopping(event, at: now) }
        if !event.isOutcome { pacing.beginTurn() }
        noteLateness(at: now)
        switch event {
        // These concern the router alone, unless the router does more than send (`perform`).
        case .packet, .timer: break
        default: mustSettle = true
        }
        switch event {
        case .start(let links, let addresses, let defaultRoutes):
            start(links, addresses, defaultRoutes, at: now)
        case .kernel(let events): for event in events { receive(event, at: now) }
        case .routes(let events): receive(events, at: now)
        case .installed(let outcome): receive(outcome, at: now)
        case .addresses(let outcomes): receive(outcomes, at: now)
        case .settings(let outcomes): settings.record(outcomes, at: now).forEach { log($0) }
        case .membership(let membership, let failure): receive(failure, of: membership, at: now)
        case .clock(let time): setClock(time, at: now)
        case .packet(let interface, let source, let destination, let octets):
            receive(octets, on: interface, from: source, to: destination, at: now)
        case .checked(let id, let outcome): checked(id, outcome, at: now)
        case .cluster(let report): receive(report, at: now)
        case .configuration(let new): reconfigure(new, at: now)
        case .configurationRefused(let reasons): refuseConfiguration(reasons)
        case .configurationMissing(let file, let read, let remedy): missConfiguration(file, read: read, remedy)
        case .command(let command): execute(command, at: now)
        case .saved(let change, let failure): receive(failure, savingOf: change, at: now)
        case .networkConfiguration(let result): receive(result)
        case .proxyBypass(let outcome): receive(outcome, at: now)
        case .liveness(let reports): receive(reports, at: now)
        case .ports(let readings): receive(readings, at: now)
        case .bfd(let reports): receive(reports, at: now)
        case .foreignRoutes(let result): receive(result, at: now)
        case .remainsRemoved(let result): receive(result)
        case .timer:
            if router != nil, let deadline = router!.nextDeadline, deadline <= now { notifyRouter(.timer, at: now) }
        }
    }

    /// A timer that is this late is reported: neighbors may have declared this node dead meanwhile.
    private static let reportedLateness = Duration.seconds(2)

    /// Reports, with the first event after it, that ``nextDeadline`` has passed long ago.
    private mutating func noteLateness(at now: Instant) {
        guard let deadline = nextDeadline, deadline != .zero, now - deadline >= Self.reportedLateness else { return }
        // A deadline before the end of the last reported delay belongs to that delay. It may still be the next one, because the
        // router's timers run with `.timer` only.
        guard problems.stop.map({ $0.end < deadline }) ?? true else { return }
        problems.stop = (now - deadline, now)
        log(
            .warning, "a timer was \((now - deadline).inSeconds) s late: this process did not run, or was busy")
        mustSettle = true
    }

    /// Does what follows from the noted events, in this order: timers, the kernel's routes, the life cycle, the echoes to
    /// neighbors, the review of the mesh, the pod network, addresses, transit, announcements (which may change routes again),
    /// what the kernel has, problems. Among the effects, packets come first, then changes of the kernel's routes, whatever their cause. If the
    /// kernel's routes must be changed or read while the ports are open, it returns at that point: ``nextDeadline`` is then due
    /// at once, and the rest is settled with the outcome.
    public mutating func settle(at now: Instant, effects out: inout [NodeEffect]) {
        defer {
            Self.move(&packets, to: &out)
            Self.move(&kernelEffects, to: &out)
            Self.move(&effects, to: &out)
        }
        if case .new = life { return }
        if concernsRouterAlone(at: now) { return nextDeadline = earliestDeadline }
        runTimers(at: now)
        installRoutes(at: now)
        // Changes of the kernel's routes come first: the agent carries them out before the node settles the rest.
        if life.isRouting, !kernelEffects.isEmpty {
            nextDeadline = .zero
            return
        }
        // Announcements may change our own routes, which may complete the synchronization, and so on. The number of rounds
        // is bounded, so that a turn ends; what is left then is settled with the next event.
        mustSettle = false
        for round in 1...4 {
            installRoutes(at: now)
            advanceLife(at: now)
            updateLiveness(at: now)
            watchPorts()
            updateBFD(at: now)
            reserveSequenceNumbers()
            reviewMesh(at: now)
            updatePodNetwork(at: now)
            requestAddresses(at: now)
            requestProxyBypass(at: now)
            guard announce(at: now) else { break }
            mustSettle = round == 4
        }
        noteInstalledRoutes(at: now)
        reviewProblems(at: now)
        ownDeadline = earliestOwnDeadline(problemReview: problems.nextReview, bypass: bypass.nextDeadline)
        ownTimer = earliestOwnDeadline(problemReview: problems.latestReview, bypass: bypass.latestDeadline)
        nextDeadline = earliestDeadline
    }

    private static func move(_ effects: inout [NodeEffect], to out: inout [NodeEffect]) {
        if effects.isEmpty { return }
        // At rest there are packets only, or nothing: the arrays change places instead of being copied.
        if out.isEmpty { return swap(&effects, &out) }
        out += effects
        effects.removeAll(keepingCapacity: true)
    }

    /// Whether the events since the node last settled concern the router alone, as hellos of known neighbors do, the database
    /// is unchanged, and nothing of the node itself is due. This is most of what a node at rest does.
    private func concernsRouterAlone(at now: Instant) -> Bool {
        guard case .running = life, !mustSettle, router != nil else { return false }
        return ownDeadline.map { now < $0 } ?? true && review.hasSeen(meshDigest)
    }

    /// Gives this copy of a node its own storage. Until then it shares storage with the original, and whichever changes
    /// first has to copy. The user of the copy calls this on its own thread, so that the routing thread copies nothing,
    /// however large the mesh is.
    public mutating func detach() {
        router?.detach()
        installer.detach()
        ledger.detach()
        announcements.detach()
    }

    // MARK: The router

    /// Passes an event to the router, and handles the router's effects.
    mutating func notifyRouter(_ event: RouterEvent, at now: Instant) {
        guard router != nil else { return }
        var buffer: [RouterEffect] = []
        swap(&buffer, &routerEffects)
        router!.handle(event, at: now, effects: &buffer)
        for effect in buffer { perform(effect, at: now) }
        buffer.removeAll(keepingCapacity: true)
        swap(&buffer, &routerEffects)
    }

    private mutating func perform(_ effect: RouterEffect, at now: Instant) {
        if case .send = effect {} else { mustSettle = true }
        switch effect {
        case .send(let interface, let source, let destination, let octets):
            send(octets, on: interface, from: source, to: destination, at: now)
        case .membership(let interface, let group, let joined):
            let membership = Membership(interface: interface, group: group)
            memberships.want(membership, joined)
            effects.append(.membership(membership, joined: joined))
        case .routes(let update):
            // A router that stops withdraws its routes; the kernel keeps them.
            if case .stopping = life { return }
            noteConvergence(update, at: now)
            installer.update(update)
            noteBypassedRoutes(update)
            serviceRoutes.invalidate()
            effects.append(.routeTable(update))
        case .notice(let notice): logNotice(notice, at: now)
        case .routerIDChanged(let routerID): routerIDChanged(routerID)
        }
    }

    // MARK: Queries

    /// Whether the node is drained: others route around it, and its VIPs and service addresses are last resort. Its own
    /// prefixes stay reachable.
    public var isDrained: Bool { !drainReasons.isEmpty }

    /// Whether the router's timer would declare a neighbor dead at `now`, because its hellos are missing.
    // Mutating, although it changes nothing: a caller in another module would copy the whole node otherwise.
    public mutating func hasSilentNeighbor(at now: Instant) -> Bool {
        router != nil && router!.hasSilentNeighbor(at: now)
    }

    /// The number of route calculations.
    public var routeCalculations: UInt64 { router == nil ? 0 : router!.statistics.routeCalculations }

    /// The node's name.
    public var name: String { identity?.name ?? configuration.node.name ?? environment.hostName }

    // MARK: Time

    private var earliestDeadline: Instant? {
        if case .stopping = life { return nil }
        // Not by optional chaining, which copies the router.
        guard router != nil, let deadline = router!.nextDeadline else { return ownTimer }
        return ownTimer.map { min($0, deadline) } ?? deadline
    }

    /// When the node itself has something to do, with these deadlines of two things that may wait a little; `.zero` is at once.
    private func earliestOwnDeadline(problemReview: Instant?, bypass: Instant?) -> Instant? {
        var earliest: Instant?
        func consider(_ deadline: Instant?) {
            guard let deadline else { return }
            earliest = earliest.map { min($0, deadline) } ?? deadline
        }
        consider(life.deadline)
        if case .adopting = life, !installer.isBusy { consider(installer.nextDeadline) }
        if case .synchronizing(let stage) = life, router == nil || !router!.isExchanging {
            consider(stage.keepRoutesUntil)
        }
        if life.isRouting, !isKeepingRoutes {
            consider(installer.hasMore ? .zero : installer.nextDeadline)
        }
        consider(ledger.nextDeadline)
        if ledger.hasWork, !ledger.isBusy { consider(.zero) }
        consider(vips.nextDeadline)
        consider(serviceAddresses.nextDeadline)
        consider(gate.nextDeadline)
        consider(memberships.nextDeadline)
        consider(foreignSigns.nextDeadline)
        consider(review.deadline)
        consider(settings.nextAudit)
        consider(quality.nextDeadline)
        consider(network.nextAudit)
        if life.isRouting { consider(bypass) }
        consider(problemReview)
        consider(unsaved.nextAttempt)
        consider(logLimits.events.nextDeadline)
        return earliest
    }

    private mutating func runTimers(at now: Instant) {
        if let deadline = vips.nextDeadline, deadline <= now { perform(vips.handle(.timer, at: now), at: now) }
        if let deadline = gate.nextDeadline, deadline <= now { handleGate(.timer, at: now) }
        if let deadline = serviceAddresses.nextDeadline, deadline <= now { expireServices(at: now) }
        for membership in memberships.takeDue(at: now) { effects.append(.membership(membership, joined: true)) }
        if let deadline = foreignSigns.nextDeadline, deadline <= now { expireForeignSigns(at: now) }
        reviewQuality(at: now)
        auditSettings(at: now)
        auditNetworkConfiguration(at: now)
        retrySaving(at: now)
        logCountedEvents(at: now)
    }
}
