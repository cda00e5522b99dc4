public import Addressing
public import OSPF
public import Timing

/// Keeps the kernel's routes as the router wants them, even if other programs change them: the ``FIB`` plans, the installer
/// decides when to plan, when to read the kernel and when to try again. One request is under way at a time:
///
///     installer.update(update)                         // the routes that the router wants
///     var request = installer.next(at: now)            // the next request to the kernel; nil for none
///     request = installer.receive(outcome, at: now)    // its outcome; there may be another request
///     installer.nextDeadline                           // when to call next(at:) without an event
public struct FIBInstaller: Sendable {
    /// A request to the kernel.
    public enum Request: Hashable, Sendable {
        /// Read our objects and routes from the kernel.
        case read(FIB.ReadExtent)
        /// Make these changes, in order.
        case apply([FIBChange])
    }

    /// The outcome of a ``Request``.
    public enum Outcome: Sendable {
        /// The objects and routes in the kernel.
        case read(KernelRoutes)
        /// The changes were tried, each whether or not others failed; those that failed, by their index in the request.
        case applied(failures: [(index: Int, failure: FIBFailure)])
        /// The kernel could not be read or written at all, and why.
        case unreachable(String)
    }

    /// Counters of changes by other programs and of lost notifications.
    public struct Counters: Hashable, Sendable {
        /// How often another program removed or replaced a route of ours.
        public var foreignRouteDeletions: UInt64 = 0
        /// How often another program removed or changed a next-hop object of ours, or made or removed one that looks like ours.
        public var foreignNextHopChanges: UInt64 = 0
        /// How often the kernel dropped notifications.
        public var overflows: UInt64 = 0
    }

    /// The request that is under way. `round` is the number of earlier rounds since the last pause.
    private enum Work: Sendable {
        case none
        case adopting
        case reading(round: Int)
        case applying([FIBChange], round: Int)
    }

    /// The wanted state, and the model of the kernel's state.
    public private(set) var fib: FIB
    /// When to call ``next(at:)`` even without an event, to retry what failed, to verify next hops or to make changes that wait;
    /// `nil` if there is nothing of that. After an adoption that failed: when to call ``adoptFromKernel()`` again.
    public var nextDeadline: Instant? {
        guard let end = localDelay.deadline else { return retryDeadline }
        return retryDeadline.map { min($0, end) } ?? end
    }
    /// Why the kernel could not be read or written at the last attempt; `nil` if the attempt succeeded, and before the first.
    public private(set) var lastError: String?
    /// Changes by other programs and lost notifications, since the installer was made.
    public private(set) var counters = Counters()
    /// The maximum number of routes examined for one request, so that a huge update leaves time for hellos.
    public var limit = 4096

    private var work = Work.none
    private var localDelay = LocalDelay()
    /// When to retry what failed or to verify next hops.
    private var retryDeadline: Instant?
    /// Whether something happened while the kernel was being read, so that the result may be out of date.
    private var isReadingOutdated = false
    private var retryDelay = FIBInstaller.shortestRetry

    /// The delay before what failed is tried again: the shortest, doubled with each attempt that fails, up to the longest.
    private static let shortestRetry = Duration.milliseconds(100)
    private static let longestRetry = Duration.seconds(30)
    /// The delay after the loss of a link until next hops are read again for verification: by then, the kernel has removed
    /// what it removes with a link, and flaps are mostly over.
    private static let verificationDelay = Duration.seconds(1)
    /// The maximum number of rounds of planning, changing and reading without a pause. Remaining errors wait for the
    /// retry.
    private static let maximumRounds = 4

    /// Makes an installer whose model of the kernel is empty; see ``adoptFromKernel()``.
    public init(_ configuration: FIB.Configuration = FIB.Configuration()) { fib = FIB(configuration: configuration) }

    /// Requests the state that an earlier run left in the kernel. The outcome is adopted: routes that the router has neither
    /// wanted nor rejected are kept until ``sweep()``. Returns `nil` while a request is under way.
    public mutating func adoptFromKernel() -> Request? {
        guard !isBusy else { return nil }
        work = .adopting
        return .read(.everything)
    }

    /// Applies an update of the router's routes.
    public mutating func update(_ update: RouteTableUpdate) {
        let isSameReach = localDelay.awaitsRoutes && fib.keepsReach(update)
        if fib.update(update) { localDelay.received(isSameReach: isSameReach) }
    }

    /// Makes exactly these service routes wanted (``FIB/setServiceRoutes(_:)``).
    public mutating func setServiceRoutes(_ prefixes: Set<IPv6Prefix>) { fib.setServiceRoutes(prefixes) }

    /// A link can carry packets, or no longer. If `isGone`, it was removed and its index may be reused.
    public mutating func link(_ index: UInt32, isUsable: Bool, isGone: Bool = false, at now: Instant) {
        isReadingOutdated = isReadingOutdated || isReading
        if isUsable {
            if fib.lostLinks.contains(index) { localDelay.end() }
            fib.linkUsable(index)
        } else {
            let isSettled = !fib.isDirty
            localDelay.lost(fib.linkLost(index, isGone: isGone), isSettled: isSettled, at: now)
        }
    }

    /// Handles a change that the installer did not make, or the loss of notifications. Returns whether it should be logged as a
    /// change by another program.
    @discardableResult
    public mutating func receive(_ event: RouteEvent) -> Bool {
        isReadingOutdated = isReadingOutdated || isReading
        localDelay.end()
        switch event {
        case .routeDeleted(let prefix):
            guard fib.routeDeleted(prefix) else { return false }
            counters.foreignRouteDeletions += 1
            return true
        case .routeLost:
            // Its next hops are gone. The kernel does not notify their removal.
            fib.requireRead(.nextHops)
        case .serviceRouteDeleted(let prefix):
            guard fib.serviceRouteDeleted(prefix) else { return false }
            counters.foreignRouteDeletions += 1
            return true
        case .serviceRouteLost(let prefix): fib.serviceRouteDeleted(prefix)
        case .foreignRouteRemoved(let prefix):
            fib.foreignRouteRemoved(prefix)
        case .nextHopsChanged:
            counters.foreignNextHopChanges += 1
            fib.requireRead(.nextHops)
            return true
        case .overflow:
            counters.overflows += 1
            fib.requireRead(.everything)
        }
        return false
    }

    /// Makes the installer read at least this much of the kernel before it requests the next changes.
    public mutating func requireRead(_ extent: FIB.ReadExtent) { fib.requireRead(extent) }

    /// Ends the adoption: from now on, stale routes and objects of an earlier run are removed. Called after initial database
    /// synchronization.
    public mutating func sweep() {
        localDelay.end()
        fib.sweep()
    }

    /// An attribute of all routes, such as the preferred source, has changed: all routes must be written again.
    public mutating func rewriteRoutes() {
        localDelay.end()
        fib.rewriteRoutes()
    }

    /// Gives this copy its own storage of all that is large, so that the next change of the original need not copy it.
    public mutating func detach() { fib.detach() }

    /// Whether a request is under way.
    public var isBusy: Bool { if case .none = work { false } else { true } }

    /// Whether changes can be planned at once, for example the next slice of a huge update.
    public var hasMore: Bool {
        !isBusy && fib.isDirty && !isHolding && fib.requiredRead == .nothing && lastError == nil
    }

    /// Whether changes of routes wait for the end of the local delay.
    private var isHolding: Bool { localDelay.deadline != nil && fib.dirtyServiceRoutes.isEmpty }

    /// The next request; `nil` if there is none, one is under way, or the kernel was unreachable and the retry is not due.
    public mutating func next(at now: Instant) -> Request? {
        guard !isBusy else { return nil }
        localDelay.expire(at: now)
        if lastError != nil, let deadline = retryDeadline, now < deadline { return nil }
        if let deadline = retryDeadline, deadline <= now {
            retryDeadline = nil
            retryDelay = min(retryDelay * 2, Self.longestRetry)
            fib.retry()
            if fib.needsVerification { fib.requireRead(.nextHops) }
        }
        return plan(round: 0, at: now)
    }

    /// Records the outcome of the request under way. Returns the next request, if any.
    public mutating func receive(_ outcome: Outcome, at now: Instant) -> Request? {
        let finished = work
        work = .none
        switch (finished, outcome) {
        case (.adopting, .read(let kernel)):
            (lastError, retryDeadline, retryDelay) = (nil, nil, Self.shortestRetry)
            fib.adopt(kernel)
            rereadIfOutdated()
            return nil
        case (.adopting, .unreachable(let reason)):
            lastError = reason
            retryDeadline = now + retryDelay
            retryDelay = min(retryDelay * 2, Self.longestRetry)
            return nil
        case (.reading(let round), .read(let kernel)):
            lastError = nil
            fib.reconcile(kernel)
            guard rereadIfOutdated() else { return plan(round: round, at: now) }
            return round + 1 < Self.maximumRounds ? plan(round: round + 1, at: now) : finish(at: now)
        case (.applying(let changes, let round), .applied(let failures)):
            lastError = nil
            for (index, failure) in failures { fib.failed(changes[index], failure) }
            // Without failures, the next slice of a huge update waits, so that other work is done first.
            guard !failures.isEmpty, round + 1 < Self.maximumRounds else { return finish(at: now) }
            return plan(round: round + 1, at: now)
        case (.reading, .unreachable(let reason)), (.applying, .unreachable(let reason)):
            lastError = reason
            fib.requireRead(.everything)
            retryDeadline = nil
            return finish(at: now)
        case (.none, _), (.adopting, .applied), (.reading, .applied), (.applying, .read):
            preconditionFailure("the outcome of another request")
        }
    }

    /// Whether the kernel is being read.
    private var isReading: Bool {
        switch work {
        case .adopting, .reading: true
        case .none, .applying: false
        }
    }

    /// Requests another read if something happened during the last one, whose result may be out of date. Returns whether it
    /// does.
    @discardableResult
    private mutating func rereadIfOutdated() -> Bool {
        defer { isReadingOutdated = false }
        if isReadingOutdated { fib.requireRead(.everything) }
        return isReadingOutdated
    }

    /// The next request: a read if the model is not reliable, else changes; `nil` if there is nothing to do now.
    private mutating func plan(round: Int, at now: Instant) -> Request? {
        if fib.requiredRead != .nothing {
            work = .reading(round: round)
            return .read(fib.requiredRead)
        }
        if isHolding { return finish(at: now) }
        let changes = fib.changes(limit: limit)
        guard !changes.isEmpty else { return finish(at: now) }
        work = .applying(changes, round: round)
        return .apply(changes)
    }

    /// Ends a series of requests, and sets when to try again or to verify.
    private mutating func finish(at now: Instant) -> Request? {
        let mustRetry = fib.hasFailures || fib.requiredRead != .nothing
        if !mustRetry { retryDelay = Self.shortestRetry }
        if mustRetry || fib.needsVerification {
            let deadline = now + (mustRetry ? retryDelay : Self.verificationDelay)
            retryDeadline = min(retryDeadline ?? deadline, deadline)
        } else {
            retryDeadline = nil
        }
        return nil
    }
}
