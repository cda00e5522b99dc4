public import Addressing
public import Links
public import Linux
public import OSPF
public import Routing
public import Timing

/// Keeps the kernel's routes equal to the router's, whatever other processes change: joins the ``FIB``, the kernel and its
/// notifications. To be used on the event loop:
///
///     let installer = try RouteInstaller(configuration: …)      // takes over what an earlier run left
///     loop.register(installer.descriptor) { … installer.readNotifications() … }
///     installer.update(update)                                  // from the router
///     installer.handle(event)                                   // from ``KernelMonitor``
///     more = installer.install(at: now)                         // does the work; again soon if there is more
///     installer.nextDeadline                                    // when to call ``install(at:limit:)`` without news
///     installer.sweep()                                         // once the router has converged
public final class RouteInstaller {
    /// What should be in the kernel and what is believed to be there.
    public private(set) var fib: FIB
    /// When ``install(at:limit:)`` is wanted even without news, to try again what failed.
    public private(set) var nextDeadline: Instant?
    /// The last reason why the kernel could not be read or written at all; `nil` if it could.
    public private(set) var lastError: SystemError?
    /// Changes by other processes.
    public private(set) var counters = Counters()
    /// The descriptor to watch; call ``readNotifications()`` when it is readable.
    public var descriptor: CInt { monitor.descriptor }
    /// How much was sent to the kernel.
    public var kernelCounters: KernelFIB.Counters { kernel.counters }

    /// Changes by other processes.
    public struct Counters: Hashable, Sendable {
        /// Routes of ours that another process removed or replaced.
        public var foreignRouteDeletions: UInt64 = 0
        /// Next-hop objects of ours that another process removed or changed.
        public var foreignNextHopChanges: UInt64 = 0
        /// How often the kernel dropped notifications.
        public var overflows: UInt64 = 0
    }

    private let kernel: KernelFIB
    private let monitor: RouteMonitor
    private var retryDelay = RouteInstaller.shortestRetry

    private static let shortestRetry = Duration.milliseconds(100)
    private static let longestRetry = Duration.seconds(30)
    /// After news of links, until next hops are read again to be sure.
    private static let calm = Duration.seconds(1)
    /// Rounds of planning, doing and looking again in one call; what is not right then waits for the retry.
    private static let rounds = 4

    /// Opens sockets in the calling thread's network namespace and takes over what an earlier run left. Kernels without
    /// next-hop objects get plain multipath routes. A small `receiveBuffer` (octets) is for tests.
    public init(
        configuration: KernelFIBConfiguration = KernelFIBConfiguration(), fib: FIB.Configuration = FIB.Configuration(),
        receiveBuffer: CInt = 4 << 20
    ) throws(SystemError) {
        kernel = try KernelFIB(configuration: configuration)
        // Subscribed before the reading, so that nothing falls between the two.
        monitor = try RouteMonitor(
            configuration: configuration, nextHopIDs: fib.nextHopIDs, ownPort: kernel.port, receiveBuffer: receiveBuffer
        )
        var fib = fib
        if !kernel.supportsNextHopObjects { fib.mode = .multipath }
        self.fib = FIB(configuration: fib)
        self.fib.adopt(try kernel.read())
    }

    /// Stores the routes that the router wants; ``install(at:limit:)`` installs them.
    public func update(_ update: RouteTableUpdate) { fib.update(update) }

    /// Handles changes of links.
    public func handle(_ event: KernelEvent) {
        switch event {
        case .link(let link) where link.isUsable: fib.linkUsable(link.index)
        case .link(let link): fib.linkLost(link.index)
        case .linkRemoved(let link): fib.linkLost(link.index, isGone: true)
        case .resynchronized: fib.reread(.nextHops)
        case .address, .addressRemoved, .defaultRoute, .defaultRouteRemoved, .routerAdvertised, .settingsChanged: break
        }
    }

    /// Handles changes of our routes by other processes. Call ``install(at:limit:)`` afterwards.
    public func readNotifications() {
        do {
            for event in try monitor.read() { take(event) }
        } catch {
            lastError = error
            fib.reread(.everything)
        }
    }

    private func take(_ event: RouteEvent) {
        switch event {
        case .routeDeleted(let prefix):
            if fib.routeDeleted(prefix) { counters.foreignRouteDeletions += 1 }
        case .routeLost:
            // Its next hop is gone, for which there is no notification.
            fib.reread(.nextHops)
        case .foreignRouteRemoved(let prefix):
            fib.foreignRouteRemoved(prefix)
        case .nextHopsChanged:
            counters.foreignNextHopChanges += 1
            fib.reread(.nextHops)
        case .overflow:
            counters.overflows += 1
            fib.reread(.everything)
        }
    }

    /// Brings the kernel to what is wanted. Looks at `limit` routes at most, so that a huge update leaves time for hellos;
    /// whether there is more to do, soon.
    public func install(at now: Instant, limit: Int = 4096) -> Bool {
        if let deadline = nextDeadline, deadline <= now {
            nextDeadline = nil
            retryDelay = min(retryDelay * 2, Self.longestRetry)
            fib.retry()
            if fib.isDoubtful { fib.reread(.nextHops) }
        }
        do {
            for _ in 0..<Self.rounds {
                if fib.rereading != .nothing { fib.reconcile(try kernel.read(fib.rereading)) }
                let changes = fib.changes(limit: limit)
                let failures = try kernel.apply(changes)
                for (index, failure) in failures { fib.failed(changes[index], failure) }
                guard failures.isEmpty else { continue }
                if fib.isDirty { return true }
                break
            }
            lastError = nil
        } catch {
            lastError = error
            fib.reread(.everything)
        }
        scheduleRetry(at: now)
        return fib.isDirty && fib.rereading == .nothing
    }

    private func scheduleRetry(at now: Instant) {
        let mustRetry = fib.hasFailures || fib.rereading != .nothing
        if !mustRetry { retryDelay = Self.shortestRetry }
        guard mustRetry || fib.isDoubtful else {
            nextDeadline = nil
            return
        }
        let deadline = now + (mustRetry ? retryDelay : Self.calm)
        nextDeadline = min(nextDeadline ?? deadline, deadline)
    }

    /// The router has converged: removes what an earlier run left and the router does not want.
    public func sweep() throws(SystemError) {
        fib.sweep()
        try kernel.removeStrays()
    }

    /// Has everything read again.
    public func reread() { fib.reread(.everything) }

    /// Changes the preferred source of all routes of its family, which must be an address of this machine already. Repeat it
    /// after the address was removed and added again, because the kernel then clears it on all routes.
    public func setPreferredSource(_ source: IPv6Address) {
        guard source.ipv4 == nil else { return setPreferredSourceIPv4(source.ipv4) }
        kernel.configuration.preferredSource = source
        fib.rewriteRoutes()
    }

    /// The same for IPv4; `nil` leaves it to the kernel.
    public func setPreferredSourceIPv4(_ source: IPv4Address?) {
        kernel.configuration.preferredSourceIPv4 = source
        fib.rewriteRoutes()
    }

    /// Whether the kernel holds a prefix as the router wants it; `nil` if the router does not want it.
    public func state(of prefix: IPv6Prefix) -> RouteState? { fib.state(of: prefix) }

    /// Removes all routes and next hops that carry our protocol number; how many.
    @discardableResult
    public func cleanUp() throws(SystemError) -> (routes: Int, nextHops: Int) {
        let result = try kernel.cleanUp()
        fib.reread(.everything)
        return result
    }
}
