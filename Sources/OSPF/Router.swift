public import Addressing
import OSPFPacket
public import Timing

/// An OSPFv3 router as a value (RFC 5340): it processes events and returns effects. It has no socket, reads no clock
/// and shares nothing, so the agent, the simulator and the tests run the same code.
///
/// ``handle(_:at:effects:)`` processes an event in two steps: first the event itself (``process``), then its consequences
/// in a fixed order (``settle``). Deadlines of interfaces and neighbors, which are few, are scanned; those of LSAs, which
/// are many, are in queues.
public struct Router: Sendable {
    /// The configuration at the start, except for a router ID that had to be changed.
    public internal(set) var configuration: RouterConfiguration
    /// When ``RouterEvent/timer`` is wanted next; `nil` if no timer is running.
    public private(set) var nextDeadline: Instant?
    /// The current routes.
    public internal(set) var routeTable = RouteTable()
    /// The counters.
    public internal(set) var statistics = RouterStatistics()

    var interfaces = InterfaceTable()
    var database = LinkStateDatabase()
    /// When LSAs need action because of their age: others' LSAs when they reach MaxAge, our own when they must be refreshed,
    /// and flushed ones when they may be removed.
    var aging = DeadlineQueue<DatabaseKey>()
    /// Our own LSAs, as they should be.
    var origination = Origination()
    /// The resumption of an earlier run, while it is under way.
    var resumption: Resumption?
    /// The names of all ports that were up, by interface ID. They are announced.
    var portNames: [UInt32: String] = [:]
    /// When our grace-LSAs are flushed; `nil` if there are none, or before the end of the resumption.
    var graceEnd: Instant?
    var calculation: RouteCalculation
    /// Whether prefixes, or paths to AS boundary routers of other areas, changed since the last calculation. If nothing else
    /// did, the next calculation needs no shortest paths and does not wait for ``spfDelay``.
    var prefixesChanged = false
    /// What has changed since the last calculation.
    var uncalculatedChanges = DatabaseChanges()
    /// What had changed before the last calculation that changed routes.
    public internal(set) var calculatedChanges = DatabaseChanges()
    /// When the next calculation is due after changes that shortest paths depend on.
    var spfDelay: SPFDelay
    /// No calculation starts before this moment. After each calculation, other work gets as much time as the
    /// calculation took, as estimated from its steps, but at most 1 s.
    var calculationPauseEnd = Instant.zero
    /// Signs that another router has our router ID, or that others share one.
    var duplicates = DuplicateDetection()
    var random: SplitMix64
    /// The prefixes that several routers claimed at the last calculation. A notice was sent for each.
    var notifiedDuplicatePrefixes: [DuplicatePrefix] = []
    /// Whether the router has shut down gracefully: it has flushed its LSAs and sent hellos that list nobody. From then on it
    /// ignores all events.
    public internal(set) var isShutDown = false
    /// The limits that were reached.
    var limits = ReachedLimits()
    /// During an event, the caller's array (``handle(_:at:effects:)``); empty between events.
    var effects: [RouterEffect] = []

    /// This router's ID.
    public var routerID: RouterID { configuration.routerID }

    /// Makes a router without interfaces. It does nothing until the first event.
    public init(configuration: RouterConfiguration, at now: Instant) {
        self.configuration = configuration
        calculation = RouteCalculation(
            limits: configuration.limits, isBackbone: configuration.areaID == .backbone)
        spfDelay = SPFDelay(parameters: configuration.spfDelay)
        random = SplitMix64(seed: configuration.seed)
        resumption = configuration.resumptionLimit.map { Resumption(deadline: now + $0) }
    }

    /// Processes an event and appends its effects to `effects`, in the order in which to carry them out. `now` must not
    /// decrease from one call to the next.
    public mutating func handle(_ event: RouterEvent, at now: Instant, effects: inout [RouterEffect]) {
        // The caller's array is used for the duration of the call, so that none is allocated.
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
        case .neighborLiveness(let interface, let address, let isAlive, let isListed):
            setLiveness(of: address, on: interface, isAlive: isAlive, isListed: isListed, at: now)
        case .timer: runTimers(at: now)
        case .advertise(let prefixes): origination.advertise(prefixes)
        case .advertiseExternal(let prefixes): origination.advertiseExternal(prefixes)
        case .announceRestart(let reason): announceRestart(reason, at: now)
        case .stubRouter(let isStub): origination.setStubRouter(isStub)
        case .shutdown: shutDown(at: now)
        }
    }

    /// Processes the consequences of an event. Requests and originations can cause each other, so they are repeated until
    /// neither is left; every other step can cause work only for later ones.
    private mutating func settle(at now: Instant) {
        resolveDuplicate(at: now)
        while true {
            // An origination may have ended our request for an LSA of ours that a neighbor has from an earlier run.
            continueLoading(at: now)
            endResumption(at: now)
            endGrace(at: now)
            guard origination.isDue(at: now) else { break }
            originateOwn(at: now)
        }
        sendFloods(at: now)
        if let deadline = calculationDeadline, deadline <= now { calculateRoutes(at: now) }
    }

    private mutating func runTimers(at now: Instant) {
        let isHelloDue = interfaces.contains { !$0.isSilent && $0.nextHello <= now }
        for index in interfaces.indices {
            // If one hello is due, those of other interfaces that may be sent now are sent as well, so that an idle router
            // wakes up once for all its interfaces.
            if isHelloDue { interfaces[index].advanceHello(at: now) }
            runInterfaceTimers(index, at: now)
        }
        runAging(at: now)
    }

    private var earliestDeadline: Instant? {
        var earliest = [
            aging.first, origination.nextDeadline, resumption?.deadline, graceEnd, calculationDeadline,
        ].compactMap(\.self).min()
        for interface in interfaces {
            if let moment = interface.nextDeadline, earliest == nil || moment < earliest! { earliest = moment }
        }
        return earliest
    }

    mutating func reject(_ reason: RejectionReason) { statistics.rejections[reason, default: 0] += 1 }

    mutating func notify(_ notice: Notice) { effects.append(.notice(notice)) }
}
