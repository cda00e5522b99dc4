public import Addressing
import OSPFPacket
public import Timing

/// An OSPFv3 router as a value (RFC 5340): events in, effects out. It has no socket, reads no clock and shares nothing,
/// so the agent, the simulator and the tests run the same code.
///
/// An event is processed in two steps: it is noted (``handle(_:at:effects:)``'s switch), then everything that follows
/// is settled in a fixed order: own LSAs, flooding, routes. Deadlines of interfaces and neighbors, which are few, are
/// scanned; those of LSAs, which are many, are in a queue.
public struct Router: Sendable {
    /// The configuration at the start, except for a router ID that had to be changed.
    public internal(set) var configuration: RouterConfiguration
    /// When ``RouterEvent/timer`` is wanted next; `nil` while nothing waits.
    public private(set) var nextDeadline: Instant?
    /// The current routes.
    public internal(set) var routeTable = RouteTable()
    /// The counters.
    public internal(set) var statistics = RouterStatistics()

    var interfaces = InterfaceTable()
    var database = LinkStateDatabase()
    /// When LSAs come of age: others' MaxAge, own refreshes.
    var aging = DeadlineQueue<DatabaseKey>()
    var origination = Origination()
    /// The resumption of an earlier run, while it is under way.
    var resumption: Resumption?
    var calculation: RouteCalculation
    /// Only prefixes changed since the last calculation, which needs no shortest paths and no delay.
    var prefixesChanged = false
    var spfDelay: SPFDelay
    /// No calculation before this moment: after each, everything else has its turn for as long as it took, to go by its work.
    var calculationRest = Instant.zero
    var duplicates = DuplicateDetection()
    var random: SplitMix64
    var notifiedDuplicatePrefixes: [DuplicatePrefix] = []
    /// Whether it has shut down gracefully: it flushed its LSAs and sent hellos without neighbors.
    public internal(set) var isShutDown = false
    /// The limits that were reached.
    var limits = ReachedLimits()
    /// What the event in hand leads to.
    var effects: [RouterEffect] = []

    /// This router's ID.
    public var routerID: RouterID { configuration.routerID }

    /// Makes a router without interfaces. It announces itself as soon as it has one.
    public init(configuration: RouterConfiguration, at now: Instant) {
        self.configuration = configuration
        calculation = RouteCalculation(
            limits: configuration.limits, isBackbone: configuration.areaID == .backbone)
        spfDelay = SPFDelay(parameters: configuration.spfDelay)
        random = SplitMix64(seed: configuration.seed)
        resumption = configuration.resumptionLimit.map { Resumption(deadline: now + $0) }
    }

    /// Processes an event and appends the effects, in order. `now` never goes back.
    public mutating func handle(_ event: RouterEvent, at now: Instant, effects: inout [RouterEffect]) {
        swap(&self.effects, &effects)
        defer { swap(&self.effects, &effects) }
        if !isShutDown {
            process(event, at: now)
            settle(at: now)
        }
        nextDeadline = isShutDown ? nil : earliestDeadline
    }

    private mutating func process(_ event: RouterEvent, at now: Instant) {
        switch event {
        case .interfaceUp(let configuration): interfaceUp(configuration, at: now)
        case .interfaceDown(let index):
            interfaceDown(index, reason: .linkDown, at: now)
            takeOver(from: index, at: now)
        case .packet(let interface, let source, let destination, let octets):
            receive(octets, on: interface, from: source, to: destination, at: now)
        case .timer: runTimers(at: now)
        case .advertise(let prefixes): origination.advertise(prefixes)
        case .advertiseExternal(let prefixes): origination.advertiseExternal(prefixes)
        case .stubRouter(let isStub): origination.setStubRouter(isStub)
        case .shutdown: shutDown(at: now)
        }
    }

    /// Follows up what has been noted. Each step can only make work for later ones.
    private mutating func settle(at now: Instant) {
        resolveDuplicate(at: now)
        while true {
            // A neighbor may have requested what was just originated.
            continueLoading(at: now)
            endResumption(at: now)
            guard origination.isDue(at: now) else { break }
            originateOwn(at: now)
        }
        sendFloods(at: now)
        if let deadline = calculationDeadline, deadline <= now { calculateRoutes(at: now) }
    }

    private mutating func runTimers(at now: Instant) {
        let isHelloDue = interfaces.contains { !$0.isSilent && $0.nextHello <= now }
        for index in interfaces.indices {
            // Hellos that may go by now go together, so that a router at rest wakes up once for all its ports.
            if isHelloDue { interfaces[index].advanceHello(at: now) }
            runInterfaceTimers(index, at: now)
        }
        runAging(at: now)
    }

    private var earliestDeadline: Instant? {
        var earliest = [aging.first, origination.nextDeadline, resumption?.deadline, calculationDeadline].compactMap(
            \.self
        ).min()
        for interface in interfaces {
            if let moment = interface.nextDeadline, earliest == nil || moment < earliest! { earliest = moment }
        }
        return earliest
    }

    mutating func reject(_ reason: RejectionReason) { statistics.rejections[reason, default: 0] += 1 }

    mutating func notify(_ notice: Notice) { effects.append(.notice(notice)) }
}
