public import Kubernetes
public import NIOCore
internal import Timing

/// Assigns addresses of pools to services: takes part in a leader election and, while this node is the leader, carries out the
/// requests of a ``PoolLeadership``. Every agent with pools has one.
///
/// A node that holds the lease is the leader as soon as its requests from an earlier leadership, if any, are over.
public final class PoolController: Sendable {
    /// The default name of the lease.
    public static let leaseName = "kubermesh-address-pools"
    /// How long a stop waits for outstanding requests.
    private static let stopLimit = TimeAmount.seconds(1)

    private let client: APIClient
    private let options: PoolOptions
    private let node: String
    private let notify: @Sendable (String) -> Void
    private let state: NIOLoopBoundBox<State>

    /// A class, so that it is changed in place; on the loop only.
    private final class State {
        /// The candidate; `nil` before the first complete list of services.
        var holder: LeaseHolder?
        /// Whether this node holds the lease, as the candidate last reported.
        var holdsLease = false
        /// Whether it was logged that this node assigns addresses, and not yet that it no longer does.
        var isLogged = false
        /// `nil` while this node is not the leader.
        var leadership: PoolLeadership?
        /// Changes when a leadership starts or ends, to recognize responses to requests of an earlier one.
        var number = 0
        /// Outstanding requests of this and earlier leaderships.
        var outstanding = 0
        /// Fires at ``PoolLeadership/deadline``.
        var timer: Scheduled<Void>?
        /// The kind of the last logged failure of a request for the lease, so that an outage is logged once. `nil` again when
        /// this node becomes or stops being the holder.
        var loggedLeaseFailure: RequestFailure.Kind?
        /// The number of lists that the watch had started at its last report.
        var lists = 0
        var isStopping = false
        /// Succeeds when no request is outstanding; `nil` unless stopping.
        var allRequestsDone: EventLoopPromise<Void>?
    }

    /// Makes a controller that does nothing yet. `node` names this node in the lease and in Events; `notify` is called on the
    /// client's loop with lines for the log.
    public init(
        _ client: APIClient, options: PoolOptions, node: String, notify: @escaping @Sendable (String) -> Void
    ) {
        self.client = client
        self.options = options
        self.node = node
        self.notify = notify
        state = .makeBoxSendingValue(State(), eventLoop: client.loop)
    }

    /// Whether this node is the leader, for which holding the lease is not enough (see ``PoolController``). Read it on the
    /// client's loop, on which all other members are used too.
    public var isLeading: Bool { state.value.leadership != nil }

    /// Handles a report of the watch of all services. This node becomes a candidate when the first list is complete.
    ///
    /// When the watch starts another list, the leadership starts again as well. The API server may have been restored from a
    /// backup: then its objects are older than the known ones, and a leadership ignores older versions.
    public func receive(_ changes: Changes<Service>, _ watch: WatchState) {
        guard !state.value.isStopping else { return }
        if watch.isSynced, state.value.holder == nil { startElection() }
        if state.value.lists != watch.lists, state.value.leadership != nil {
            stepDown()
            begin()
        }
        state.value.lists = watch.lists
        if !changes.isEmpty { step(.changed(updated: changes.updated, deleted: changes.deleted)) }
    }

    /// Stops, and releases the lease so that another node can take over at once. Waits for outstanding requests first,
    /// because the next leader must not start before they are over. If they take longer than ``stopLimit``, the lease is
    /// not released, and expires after the client was shut down. The future always succeeds, after at most twice that limit.
    public func stop() -> EventLoopFuture<Void> {
        let current = state.value
        guard let holder = current.holder, !current.isStopping else { return client.loop.makeSucceededVoidFuture() }
        let wasElected = current.holdsLease
        current.isStopping = true
        end()
        guard wasElected else {
            _ = holder.release()
            return client.loop.makeSucceededVoidFuture()
        }
        let promise = client.loop.makePromise(of: Void.self)
        let timeout = client.loop.scheduleTask(in: Self.stopLimit) { promise.fail(ChannelError.operationUnsupported) }
        current.allRequestsDone = promise
        if current.outstanding == 0 { promise.succeed() }
        let over = client.loop.makePromise(of: Void.self)
        // For the outstanding requests and the release together: the API server may not answer the release.
        let limit = client.loop.scheduleTask(in: Self.stopLimit * 2) { over.succeed() }
        promise.futureResult.flatMap { holder.release() }.whenComplete { _ in
            timeout.cancel()
            limit.cancel()
            over.succeed()
        }
        return over.futureResult
    }
}

// Leadership.
extension PoolController {
    private func startElection() {
        // Unique for every start, so that a new process does not take the lease of a killed one for its own: requests of the
        // killed process may still be under way.
        let identity = "\(node)_\(String(UInt64.random(in: .min ... .max), radix: 16))"
        let holder = LeaseHolder(
            options.lease, identity: identity, times: options.times, client: client,
            fail: { [self] failure in leaseFailed(failure) },
            denied: { [self] in
                notify("address pools: the lease cannot be watched, so a takeover may take longer: \($0)")
            }
        ) { [self] holdsLease in
            state.value.holdsLease = holdsLease
            state.value.loggedLeaseFailure = nil
            if holdsLease { begin() } else { end() }
        }
        state.value.holder = holder
        holder.start()
    }

    private func leaseFailed(_ failure: RequestFailure) {
        // Without an HTTP status, there was no usable response, which the watches already report.
        guard failure.code != nil, state.value.loggedLeaseFailure != failure.kind else { return }
        state.value.loggedLeaseFailure = failure.kind
        let right =
            failure.isForbidden
            ? ", which requires \"get\", \"list\", \"watch\", \"create\" and \"patch\" on leases in its namespace" : ""
        notify("address pools: cannot acquire or renew the lease \(options.lease)\(right): \(failure)")
    }

    /// Starts a leadership if this node holds the lease and no request of an earlier leadership is outstanding. Called again
    /// whenever such a request is over.
    private func begin() {
        let current = state.value
        guard current.holdsLease, current.leadership == nil, current.outstanding == 0, !current.isStopping else {
            return
        }
        current.number += 1
        current.leadership = PoolLeadership(pools: options.pools, loadBalancerClass: options.loadBalancerClass)
        if !current.isLogged { notify("address pools: this node assigns the addresses of services") }
        current.isLogged = true
        step(.start)
    }

    /// Ends the leadership because this node does not hold the lease any more, or stops.
    private func end() {
        guard state.value.isLogged else { return }
        stepDown()
        state.value.isLogged = false
        notify("address pools: this node no longer assigns addresses")
    }

    /// Ends the leadership, if there is one. Responses to its requests are ignored.
    private func stepDown() {
        let current = state.value
        current.leadership = nil
        current.number += 1
        current.timer?.cancel()
        current.timer = nil
    }

    /// Passes an event to the leadership and carries out its actions.
    private func step(_ event: PoolLeadership.Event) {
        var random = SystemRandomNumberGenerator()
        guard let actions = state.value.leadership?.handle(event, at: .now, random: &random) else { return }
        for action in actions {
            switch action {
            case .notice(let text): notify("address pools: \(text)")
            case .send(let request): send(request)
            }
        }
        let current = state.value
        current.timer?.cancel()
        current.timer = current.leadership?.deadline.map { deadline in
            client.loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: deadline.nanoseconds))) { [self] in
                step(.clock)
            }
        }
    }

    private func send(_ request: PoolLeadership.Request) {
        let number = state.value.number
        state.value.outstanding += 1
        carryOut(request).hop(to: client.loop).whenComplete { [self] result in
            let current = state.value
            current.outstanding -= 1
            if current.outstanding == 0 { current.allRequestsDone?.succeed() }
            guard current.number == number else { return begin() }
            switch result {
            case .success(let event): step(event)
            case .failure(let error): step(.failed(request, error as? RequestFailure ?? .unreachable("\(error)")))
            }
        }
    }

    private func carryOut(_ request: PoolLeadership.Request) -> EventLoopFuture<PoolLeadership.Event> {
        switch request {
        case .list: return client.list(Service.self).map { .listed($0) }
        case .read(let key):
            return client.get(Service.self, key).map { .read(key, $0) }.flatMapErrorThrowing { error in
                guard (error as? RequestFailure)?.isNotFound == true else { throw error }
                return .read(key, nil)
            }
        case .write(let service, let addresses):
            // A write may take 5 s, and must be over before another candidate can acquire the lease. With the default times,
            // a write starts at least 1 s (`renewal` / 10) before this node stops being the holder, and others can acquire the
            // lease 5 s (`duration` - `renewal`) after that. Checked for every write, because the loop may have been blocked,
            // so that the timer that ends the leadership has not fired yet.
            guard state.value.holder?.isHolder(for: options.times.renewal / 10) == true else {
                return client.loop.submit { throw RequestFailure.unreachable("the lease is about to expire") }
            }
            return client.setIngress(addresses, of: service).map { .written($0) }
        case .createEvent(let service, let event):
            let object = NewEvent(
                about: .init(service), reason: event.reason, message: event.message, isWarning: event.isWarning,
                isUnique: event.isUnique, at: .now, host: node)
            return client.create(object).map { _ in .eventCreated }
        }
    }
}
