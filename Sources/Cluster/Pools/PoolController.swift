public import Kubernetes
public import NIOCore
internal import Timing

/// Assigns addresses of pools to services: stands for election by a lease, and while it holds that, carries out what a
/// ``PoolReign`` wants. All agents that have pools have one; at most one of them does anything.
public final class PoolController: Sendable {
    /// Which lease it is by default.
    public static let leaseName = "kubermesh-address-pools"
    /// Whoever stops waits for no longer than this for what is under way.
    private static let stopLimit = TimeAmount.seconds(1)

    private let client: APIClient
    private let options: PoolOptions
    private let node: String
    private let notify: @Sendable (String) -> Void
    private let state: NIOLoopBoundBox<State>

    /// Changed where it stands, on the loop only.
    private final class State {
        var holder: LeaseHolder?
        /// Whether the lease is held.
        var isElected = false
        /// Whether people were told that it rules.
        var isTold = false
        /// `nil` while it does not rule.
        var reign: PoolReign?
        /// Tells one reign from those before.
        var number = 0
        /// Requests under way, of this reign and earlier ones.
        var outstanding = 0
        var timer: Scheduled<Void>?
        var toldLeaseFailure: RequestFailure.Kind?
        /// How many lists the watch of services had begun when it last told something.
        var lists = 0
        var isStopping = false
        var drained: EventLoopPromise<Void>?
    }

    /// Makes one that does nothing yet. `node` is whose agent this is, for people; `notify` is called on the client's loop
    /// with what should be logged.
    public init(
        _ client: APIClient, options: PoolOptions, node: String, notify: @escaping @Sendable (String) -> Void
    ) {
        self.client = client
        self.options = options
        self.node = node
        self.notify = notify
        state = .makeBoxSendingValue(State(), eventLoop: client.loop)
    }

    /// Whether it is the one that assigns addresses. To be called on the client's loop, as all else.
    public var isRuling: Bool { state.value.reign != nil }

    /// Takes in what a watch of all services tells. Once it has told of all there are, this stands for election: nobody
    /// should rule who cannot hear.
    ///
    /// A watch that lists anew may have found an API server that was set back to a backup, in which objects are older than
    /// what is known of them. A reign believes the newer, so it begins anew as well.
    public func take(_ changes: Changes<Service>, _ watch: WatchState) {
        guard !state.value.isStopping else { return }
        if watch.isSynced, state.value.holder == nil { stand() }
        if state.value.lists != watch.lists, state.value.reign != nil {
            abdicate()
            begin()
        }
        state.value.lists = watch.lists
        if !changes.isEmpty { step(.heard(updated: changes.updated, deleted: changes.deleted)) }
    }

    /// Ends what it does, and lets the lease go, so that another may begin at once. What is under way is waited for, as
    /// nobody else may begin before it is over; not for long, though, since the lease also runs out by itself.
    public func stop() -> EventLoopFuture<Void> {
        let now = state.value
        guard let holder = now.holder, !now.isStopping else { return client.loop.makeSucceededVoidFuture() }
        let wasElected = now.isElected
        now.isStopping = true
        end()
        guard wasElected else {
            _ = holder.release()
            return client.loop.makeSucceededVoidFuture()
        }
        let promise = client.loop.makePromise(of: Void.self)
        let timeout = client.loop.scheduleTask(in: Self.stopLimit) { promise.fail(ChannelError.operationUnsupported) }
        now.drained = promise
        if now.outstanding == 0 { promise.succeed() }
        let over = client.loop.makePromise(of: Void.self)
        let limit = client.loop.scheduleTask(in: Self.stopLimit * 2) { over.succeed() }
        promise.futureResult.flatMap { holder.release() }.whenComplete { _ in
            timeout.cancel()
            limit.cancel()
            over.succeed()
        }
        return over.futureResult
    }
}

// The office.
extension PoolController {
    private func stand() {
        // Who was killed and starts again is somebody else: what the former one sent may still be under way.
        let identity = "\(node)_\(String(UInt64.random(in: .min ... .max), radix: 16))"
        let holder = LeaseHolder(
            options.lease, identity: identity, times: options.times, client: client,
            fail: { [self] failure in leaseFailed(failure) }
        ) { [self] isElected in
            state.value.isElected = isElected
            state.value.toldLeaseFailure = nil
            if isElected { begin() } else { end() }
        }
        state.value.holder = holder
        holder.start()
    }

    private func leaseFailed(_ failure: RequestFailure) {
        // That the server is not heard the watches say.
        guard failure.code != nil, state.value.toldLeaseFailure != failure.kind else { return }
        state.value.toldLeaseFailure = failure.kind
        let right =
            failure.isForbidden ? ", which takes \"get\", \"create\" and \"patch\" on leases in its namespace" : ""
        notify("address pools: the lease \(options.lease) cannot be had\(right): \(failure)")
    }

    /// Begins to rule, when nothing is under way any more of an earlier time.
    private func begin() {
        let now = state.value
        guard now.isElected, now.reign == nil, now.outstanding == 0, !now.isStopping else { return }
        now.number += 1
        now.reign = PoolReign(pools: options.pools, loadBalancerClass: options.loadBalancerClass)
        if !now.isTold { notify("address pools: this node assigns the addresses of services") }
        now.isTold = true
        step(.start)
    }

    private func end() {
        guard state.value.isTold else { return }
        abdicate()
        state.value.isTold = false
        notify("address pools: this node assigns no addresses any more")
    }

    /// Ends a reign; another may follow.
    private func abdicate() {
        let now = state.value
        now.reign = nil
        now.number += 1
        now.timer?.cancel()
        now.timer = nil
    }

    /// Hands an event to the reign and does what it wants done.
    private func step(_ event: PoolReign.Event) {
        var random = SystemRandomNumberGenerator()
        guard let actions = state.value.reign?.handle(event, at: .now, random: &random) else { return }
        for action in actions {
            switch action {
            case .notice(let text): notify("address pools: \(text)")
            case .send(let request): send(request)
            }
        }
        let now = state.value
        now.timer?.cancel()
        now.timer = now.reign?.deadline.map { deadline in
            client.loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: deadline.nanoseconds))) { [self] in
                step(.clock)
            }
        }
    }

    private func send(_ request: PoolReign.Request) {
        let number = state.value.number
        state.value.outstanding += 1
        carryOut(request).hop(to: client.loop).whenComplete { [self] result in
            let now = state.value
            now.outstanding -= 1
            if now.outstanding == 0 { now.drained?.succeed() }
            guard now.number == number else { return begin() }
            switch result {
            case .success(let event): step(event)
            case .failure(let error): step(.failed(request, error as? RequestFailure ?? .unreachable("\(error)")))
            }
        }
    }

    private func carryOut(_ request: PoolReign.Request) -> EventLoopFuture<PoolReign.Event> {
        switch request {
        case .list: return client.list(Service.self).map { .listed($0) }
        case .read(let key):
            return client.get(Service.self, key).map { .read(key, $0) }.flatMapErrorThrowing { error in
                guard (error as? RequestFailure)?.isNotFound == true else { throw error }
                return .read(key, nil)
            }
        case .write(let service, let addresses):
            // The loop may have stood still, and the lease may be over before the timer that says so could fire.
            guard state.value.holder?.isHolder(for: options.times.renewal / 10) == true else {
                return client.loop.submit { throw RequestFailure.unreachable("the lease is about to run out") }
            }
            return client.setIngress(addresses, of: service).map { .written($0) }
        case .tell(let service, let news):
            let event = NewEvent(
                about: .init(service), reason: news.reason, message: news.message, isWarning: news.isWarning, at: .now,
                host: node)
            return client.create(event).map { _ in .told }
        }
    }
}
