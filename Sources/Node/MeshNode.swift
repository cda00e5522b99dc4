public import Addressing
public import Links
public import MeshConfiguration
public import OSPF
public import Routing
public import Services
public import Timing

/// Everything an agent decides, as one value: its life cycle, its ports, its addresses, what it announces, what it wants in
/// the kernel. Events in, effects out; it holds no socket and reads no clock, so the same code runs in the agent, in the
/// simulator and in tests.
///
/// An event is first noted (``note(_:at:)``), then everything that follows from it is settled in one written order
/// (``settle(at:)``). Many events may be noted before they are settled together.
public struct MeshNode: Sendable {
    /// What a node is told of its surroundings when it is made.
    public struct Environment: Hashable, Sendable {
        /// The machine's name, for a node that is given none.
        public var hostName = ""
        /// What names the machine itself, as a number; `nil` where nothing does.
        public var machine: UInt64?
        /// A random number: where the node's own random numbers start, and what a new identity is told by.
        public var seed: UInt64 = 0
        /// Whether there is a cluster to ask.
        public var hasCluster = false
        /// How routes point to next hops in this kernel.
        public var fib = FIB.Configuration()
        /// What the node remembers of earlier runs.
        public var saved = SavedState()

        /// A machine of which nothing is known.
        public init() {}
    }

    /// The configuration in use.
    public internal(set) var configuration: Configuration
    /// What the node was told of its surroundings.
    public let environment: Environment
    /// What the node remembers.
    public internal(set) var saved: SavedState
    /// Where the node stands between start and stop.
    public internal(set) var life = Life.new
    /// When ``NodeEvent/timer`` is wanted next.
    public internal(set) var nextDeadline: Instant?

    /// The machine's links, by index.
    public internal(set) var links: [UInt32: Link] = [:]
    /// The machine's addresses.
    public internal(set) var addresses = AddressTable()
    /// The ports, used or not.
    public internal(set) var interfaces = InterfaceTable()
    /// What is known of the networks that ports lead to.
    var surroundings = InterfaceTable.Surroundings()

    /// Who the node is; `nil` while that is not known.
    public internal(set) var identity: NodeIdentity?
    /// The router; `nil` while the node does not know who it is.
    public internal(set) var router: Router?
    /// What should be in the kernel, and what is.
    public internal(set) var installer: FIBInstaller
    /// The addresses the node has or wants.
    public internal(set) var ledger = AddressLedger()
    /// What the node has of IPv4.
    public internal(set) var ipv4: IPv4Ranges

    /// The VIPs of the configuration.
    public internal(set) var vips = VIPTable()
    /// What is known of the cluster; `nil` while nothing is.
    public internal(set) var cluster: ClusterView?
    /// What services want of this node.
    var serviceClaims = ServiceClaims()
    /// The addresses of services that are announced, over time.
    public internal(set) var serviceVIPs = ServiceVIPs()
    /// Whether connections to services are delivered on this node.
    public internal(set) var gate: ServiceGate

    /// Whether others are asked to route around the node, and why it is drained, which includes that.
    var isStubRouter = false
    /// Why the node is drained, if it is.
    public internal(set) var drainReasons: DrainReasons = []
    /// The prefixes announced, each once.
    public internal(set) var announced: [AdvertisedPrefix] = []

    /// How often ``announced`` has changed.
    public internal(set) var announcements: UInt64 = 0
    /// The problems there are.
    public internal(set) var problems = ProblemTable()
    /// The kernel's settings as they were last found.
    public internal(set) var settings = SettingsAudit()
    /// Groups that could not be joined.
    var memberships = MembershipTable()
    /// What was last said of the pods' network.
    var network = NetworkAudit()
    /// What was last looked at in the mesh as a whole.
    var review = MeshReview()
    /// What other routes there are where IPv4 ranges may be taken.
    var poolSurvey = PoolSurvey()
    /// What of the log is held back.
    public internal(set) var limiter = NoticeLimiter()
    var digest = EventDigest()
    /// Who was last heard on each port.
    var lastHeard = LastHeard()
    /// When changes of others to our part of the kernel were last logged.
    var foreignChangesLogged: [ForeignChange: Instant] = [:]
    /// What has been counted.
    public internal(set) var counters = NodeCounters()

    /// Something that ``announced`` follows from may have changed.
    var isAnnouncementStale = false
    private var announcedLedgerVersion: UInt64 = 0
    /// What was last composed to be announced.
    private var offered: [AdvertisedPrefix] = []
    /// The sources that routes are written with.
    var preferredSource = PreferredSource()
    /// How many address requests are made at a time.
    var addressBatch = AddressBatch()
    /// Whether the next addresses may be asked for in this turn.
    var mayRequestAddresses = true
    /// Whether more routes may be asked for in this turn.
    var mayInstallRoutes = true
    /// What the event in hand leads to in the kernel's routes, which comes before everything else.
    var kernelEffects: [NodeEffect] = []
    /// What else it leads to.
    var effects: [NodeEffect] = []
    /// Kept to spare the allocation.
    private var routerEffects: [RouterEffect] = []
    /// When the node was started.
    public internal(set) var started = Instant.zero

    /// Makes a node that does nothing before ``NodeEvent/start(links:addresses:defaultRoutes:)``.
    public init(configuration: Configuration, environment: Environment) {
        self.configuration = configuration
        self.environment = environment
        saved = environment.saved
        installer = FIBInstaller(environment.fib)
        ipv4 = IPv4Ranges(configuration.addressing.ipv4, saved: environment.saved.ranges)
        gate = ServiceGate(check: configuration.kubernetes.proxyCheck)
        if environment.saved.isDrained { drainReasons = .operator }
    }

    /// Takes an event in and appends what is to be done, in order. `now` never goes back.
    public mutating func handle(_ event: NodeEvent, at now: Instant, effects: inout [NodeEffect]) {
        note(event, at: now)
        settle(at: now, effects: &effects)
    }

    /// Notes an event, without what follows from it for routes and addresses; ``settle(at:effects:)`` must be called before
    /// the node is left alone.
    public mutating func note(_ event: NodeEvent, at now: Instant) {
        if case .stopping = life { return noteWhileStopping(event, at: now) }
        mayRequestAddresses = true
        mayInstallRoutes = true
        switch event {
        case .start(let links, let addresses, let defaultRoutes):
            start(links, addresses, defaultRoutes, at: now)
        case .kernel(let events): for event in events { take(event, at: now) }
        case .routes(let events): take(events, at: now)
        case .installed(let outcome): take(outcome, at: now)
        case .addresses(let outcomes): take(outcomes, at: now)
        case .settings(let outcomes): settings.take(outcomes).forEach { log($0) }
        case .membership(let membership, let failure): take(failure, of: membership, at: now)
        case .packet(let interface, let source, let destination, let octets):
            tellRouter(
                .packet(interface: interface, source: source, destination: destination, octets: octets), at: now)
        case .checked(let id, let outcome): checked(id, outcome, at: now)
        case .cluster(let report): take(report, at: now)
        case .configuration(let new): reconfigure(new, at: now)
        case .configurationRefused(let reasons):
            problems.configuration = reasons
            log(.error, "the configuration file is not in use: \(reasons.joined(separator: "; "))")
        case .command(let command): obey(command, at: now)
        case .notSaved(let change, let reason): notSaved(change, reason)
        case .networkConfiguration(let result): take(result)
        case .surveyed(let result): take(result, at: now)
        case .stoodStill(let duration):
            problems.stop = (duration, now)
            log(.warning, "this process did not run for \(duration.inSeconds) s")
        case .timer: if let deadline = router?.nextDeadline, deadline <= now { tellRouter(.timer, at: now) }
        }
    }

    /// Follows up what has been noted, in this order: what the clock brings; the kernel's routes; packets; the end of
    /// initial synchronization; the mesh as a whole; addresses; announcements, which may lead to more routes and packets.
    public mutating func settle(at now: Instant, effects out: inout [NodeEffect]) {
        defer {
            out += kernelEffects
            out += effects
            kernelEffects.removeAll(keepingCapacity: true)
            effects.removeAll(keepingCapacity: true)
        }
        if case .new = life { return }
        runTimers(at: now)
        // What is announced may change routes of our own, which may end the synchronization: a few rounds at most.
        for _ in 0..<4 {
            installRoutes(at: now)
            advanceLife(at: now)
            reviewMesh(at: now)
            requestAddresses(at: now)
            guard announce(at: now) else { break }
        }
        reviewProblems(at: now)
        nextDeadline = earliestDeadline
    }

    /// Gives this copy of a node storage of its own, so that the next change of the original has nothing to copy. To be called
    /// by whoever took the copy, on a thread of its own: then a question costs the thread of routing nothing, however large
    /// the mesh is.
    public mutating func detach() {
        router?.detach()
        installer.detach()
        ledger.detach()
        announced.detach()
    }

    // MARK: The router

    /// Tells the router something, and notes what it wants done.
    mutating func tellRouter(_ event: RouterEvent, at now: Instant) {
        guard router != nil else { return }
        var wanted: [RouterEffect] = []
        swap(&wanted, &routerEffects)
        router!.handle(event, at: now, effects: &wanted)
        for effect in wanted { perform(effect, at: now) }
        wanted.removeAll(keepingCapacity: true)
        swap(&wanted, &routerEffects)
    }

    private mutating func perform(_ effect: RouterEffect, at now: Instant) {
        switch effect {
        case .send(let interface, let source, let destination, let octets):
            effects.append(.send(interface: interface, source: source, destination: destination, octets: octets))
        case .membership(let interface, let group, let joined):
            let membership = Membership(interface: interface, group: group)
            memberships.want(membership, joined)
            effects.append(.membership(membership, joined: joined))
        case .routes(let update):
            // What a router that leaves takes back is for the others; its own kernel goes on.
            if case .stopping = life { return }
            installer.update(update)
            effects.append(.routeTable(update))
        case .notice(let notice): tell(notice, at: now)
        case .routerIDChanged(let routerID): routerIDChanged(routerID)
        }
    }

    // MARK: Announcements

    /// Whether the node is drained: others route around it, and of an address that it shares with others, it is the last
    /// that is taken. What is its own stays reachable.
    public var isDrained: Bool { !drainReasons.isEmpty }

    /// Whether the router's timer would declare a neighbour dead at `now`, for want of hellos.
    public func hasSilentNeighbor(at now: Instant) -> Bool { router?.hasSilentNeighbor(at: now) ?? false }

    /// The node's name.
    public var name: String { identity?.name ?? configuration.node.name ?? environment.hostName }

    /// Tells the router the prefixes of this node, if they have changed; whether they have.
    mutating func announce(at now: Instant) -> Bool {
        guard router != nil, isAnnouncementStale || announcedLedgerVersion != ledger.version else { return false }
        isAnnouncementStale = false
        announcedLedgerVersion = ledger.version
        var prefixes: [AdvertisedPrefix] = []
        var others: [AdvertisedPrefix] = []
        let own = Set(ledger.addresses(of: .node))
        for announcement in ledger.announcements {
            if own.contains(announcement.prefix.address) {
                prefixes.append(announcement)
            } else {
                others.append(announcement)
            }
        }
        prefixes += podRanges.map { AdvertisedPrefix(prefix: $0) }
        prefixes += configuration.advertise
        prefixes += others
        let metric = isDrained ? AdvertisedPrefix.lastResort : 0
        for entry in vips.entries where entry.isAnnounced && ledger.isPlaced(entry.vip.address) {
            prefixes += entry.vip.prefixes.map {
                AdvertisedPrefix(prefix: $0.prefix, metric: max($0.metric, metric), options: $0.options)
            }
        }
        prefixes += interfaces.passivePrefixes
        guard offered != prefixes else { return false }
        offered = prefixes
        // The first says how: a prefix may be given twice.
        var seen: Set<IPv6Prefix> = []
        announced = prefixes.filter { seen.insert($0.prefix).inserted }
        announcements += 1
        tellRouter(.advertise(announced), at: now)
        return true
    }

    // MARK: Time

    private var earliestDeadline: Instant? {
        if case .stopping = life { return nil }
        var earliest = router.flatMap(\.nextDeadline)
        func consider(_ deadline: Instant?) {
            guard let deadline else { return }
            earliest = earliest.map { min($0, deadline) } ?? deadline
        }
        consider(life.deadline)
        if case .adopting = life, !installer.isBusy { consider(installer.nextDeadline) }
        if case .synchronizing(let stage) = life, router?.isExchanging != true { consider(stage.keepRoutesUntil) }
        if life.isRouting, !isKeepingRoutes {
            consider(installer.hasMore ? .zero : installer.nextDeadline)
        }
        consider(ledger.nextDeadline)
        if ledger.hasWork, !ledger.isBusy { consider(.zero) }
        consider(vips.nextDeadline)
        consider(serviceVIPs.nextDeadline)
        consider(gate.nextDeadline)
        consider(memberships.nextDeadline)
        consider(review.deadline)
        consider(settings.nextAudit)
        consider(network.nextAudit)
        consider(problems.nextReview)
        consider(digest.nextDeadline)
        return earliest
    }

    private mutating func runTimers(at now: Instant) {
        if let deadline = vips.nextDeadline, deadline <= now { perform(vips.handle(.timer, at: now), at: now) }
        if let deadline = gate.nextDeadline, deadline <= now { handleGate(.timer, at: now) }
        if let deadline = serviceVIPs.nextDeadline, deadline <= now { expireServices(at: now) }
        for membership in memberships.takeDue(at: now) { effects.append(.membership(membership, joined: true)) }
        auditSettings(at: now)
        auditNetworkConfiguration(at: now)
        for line in digest.endIntervals(at: now) { log(.notice, line) }
    }

    // MARK: The log

    /// Writes a line to the log.
    mutating func log(_ level: LogLevel, _ message: String, _ metadata: [String: String] = [:]) {
        effects.append(.log(level, message, metadata))
    }

    /// Writes a line to the log, unless there were many of the kind.
    mutating func log(_ kind: EventDigest.Kind, _ level: LogLevel, _ message: String, at now: Instant) {
        if digest.admit(kind, at: now) { log(level, message) }
    }

    mutating func log(_ line: LogLine) { effects.append(.log(line.level, line.message, [:])) }
}

/// A line of the log.
struct LogLine: Hashable, Sendable {
    var level: LogLevel
    var message: String
}

/// What a node counts itself, apart from its router.
public struct NodeCounters: Hashable, Sendable {
    /// Times that the kernel's routes could not be read or written.
    public var kernelErrors: UInt64 = 0
    /// Times that a port went from up to down, by its name; at most ``mostPorts`` names.
    public var portFlaps: [String: UInt64] = [:]
    /// Times that a neighbor left Full, by port and router ID, from the first time it was Full on; at most ``mostPorts`` pairs.
    public var adjacencyLosses: [AdjacencyKey: UInt64] = [:]

    /// Names that are counted apart at most.
    public static let mostPorts = 1024

    /// A neighbour on a port.
    public struct AdjacencyKey: Hashable, Sendable, Comparable {
        /// The port's name.
        public var port: String
        /// The neighbour.
        public var router: RouterID
        /// By port, then by router.
        public static func < (left: AdjacencyKey, right: AdjacencyKey) -> Bool {
            (left.port, left.router) < (right.port, right.router)
        }
    }

    mutating func portWentDown(_ name: String) {
        guard portFlaps.count < Self.mostPorts || portFlaps[name] != nil else { return }
        portFlaps[name, default: 0] += 1
    }

    /// Losses of an adjacency are counted from zero on: what appears with a value of one is no increase to Prometheus.
    mutating func foundAdjacency(_ router: RouterID, on port: String) {
        let key = AdjacencyKey(port: port, router: router)
        if adjacencyLosses.count < Self.mostPorts, adjacencyLosses[key] == nil { adjacencyLosses[key] = 0 }
    }

    mutating func lostAdjacency(_ router: RouterID, on port: String) {
        let key = AdjacencyKey(port: port, router: router)
        guard adjacencyLosses.count < Self.mostPorts || adjacencyLosses[key] != nil else { return }
        adjacencyLosses[key, default: 0] += 1
    }
}

extension Duration {
    /// The whole of it in seconds, with the fraction that matters to people.
    var inSeconds: String {
        let tenths = (nanoseconds + 50_000_000) / 100_000_000
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
