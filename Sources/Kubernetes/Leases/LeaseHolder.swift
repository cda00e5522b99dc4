internal import Glibc
public import NIOCore
internal import Timing

/// Runs a ``LeaseElection`` against the API server.
public final class LeaseHolder: Sendable {
    private let client: APIClient
    private let key: ObjectKey
    private let report: @Sendable (Bool) -> Void
    private let fail: @Sendable (RequestFailure) -> Void
    /// Called with a line for the log when the API server denies access to the watch.
    private let denied: @Sendable (String) -> Void
    private let running: NIOLoopBoundBox<Running>
    /// `nil` before ``start()`` and after ``release()``.
    private let watcher: NIOLoopBoundBox<ResourceWatcher<Lease>?>

    private struct Running {
        var election: LeaseElection
        /// Calls the election at its deadline.
        var timer: Scheduled<Void>?
        /// Whether the last call of ``report`` said that we are the holder.
        var reported = false
        /// Succeeds when the release is over; `nil` before ``release()`` and once the release is over.
        var released: EventLoopPromise<Void>?
    }

    /// Makes a candidate that does nothing yet. Calls `report` on the client's loop whenever the candidate becomes the
    /// holder or stops being the holder, `fail` for every failed request except conflicts and reads of a missing lease, and
    /// `denied` with a line for the log when the API server denies access to the watch.
    public init(
        _ lease: ObjectKey, identity: String, times: LeaseElection.Times = .init(), client: APIClient,
        fail: @escaping @Sendable (RequestFailure) -> Void = { _ in },
        denied: @escaping @Sendable (String) -> Void = { _ in }, report: @escaping @Sendable (Bool) -> Void
    ) {
        self.client = client
        key = lease
        self.report = report
        self.fail = fail
        self.denied = denied
        running = .makeBoxSendingValue(
            Running(election: LeaseElection(identity: identity, times: times)), eventLoop: client.loop)
        watcher = .makeBoxSendingValue(nil, eventLoop: client.loop)
    }

    /// Starts; to be called once.
    public func start() {
        client.loop.execute { [self] in
            step(.start)
            let scope = WatchScope(namespace: key.namespace, name: key.name)
            let watcher = ResourceWatcher(Lease.self, client: client, scope: scope) { [self] in
                for lease in $0.changes.deleted { step(.removed(uid: lease.metadata.uid)) }
                for lease in $0.changes.updated { step(.observed(lease)) }
                // Other failures concern all watches, which report them.
                if $0.state.isDenied { $0.notices.forEach(denied) }
            }
            self.watcher.value = watcher
            watcher.start()
        }
    }

    /// Releases the lease, so that others need not wait until it expires. The future completes when that is done or has failed.
    public func release() -> EventLoopFuture<Void> {
        client.loop.flatSubmit { [self] in
            let promise = running.value.released ?? client.loop.makePromise()
            running.value.released = promise
            watcher.value?.stop()
            watcher.value = nil
            step(.release)
            return promise.futureResult
        }
    }

    /// Whether this candidate will be the holder when `duration` has passed, even without a renewal. Call it on the client's
    /// loop.
    public func isHolder(for duration: Duration = .zero) -> Bool {
        running.value.election.isHolder(at: .now + duration)
    }

    /// Passes an event to the election and carries out its action. Call it on the loop.
    private func step(_ event: LeaseElection.Event) {
        var random = SystemRandomNumberGenerator()
        let action = running.value.election.handle(event, at: .now, time: .now, random: &random)
        switch action {
        case nil: break
        case .read:
            carryOut(
                client.get(Lease.self, key).map { .read($0) }.flatMapErrorThrowing { error in
                    guard RequestFailure(error).isNotFound else { throw error }
                    return .read(nil)
                })
        case .create(let record):
            let body = NewLease(metadata: ["name": key.name, "namespace": key.namespace], spec: record)
            carryOut(client.create(Lease.self, body, namespace: key.namespace).map { .written($0) })
        case .update(let record, let resourceVersion):
            carryOut(
                client.patch(Lease.self, key, resourceVersion: resourceVersion, ["spec": record]).map { .written($0) })
        }
        settle()
    }

    private func carryOut(_ future: EventLoopFuture<LeaseElection.Event>) {
        future.whenComplete { [self] result in
            switch result {
            case .success(let event): step(event)
            case .failure(let error):
                let failure = RequestFailure(error)
                // A conflict only means that another candidate was faster.
                if !failure.isConflict { fail(failure) }
                step(.failed(failure))
            }
        }
    }

    /// Reports a change, completes the release and sets the timer, after every event.
    private func settle() {
        let isHolder = running.value.election.isHolder(at: .now)
        if running.value.reported != isHolder {
            running.value.reported = isHolder
            report(isHolder)
        }
        if let released = running.value.released, running.value.election.hasReleased {
            running.value.released = nil
            released.succeed()
        }
        running.value.timer?.cancel()
        running.value.timer = running.value.election.deadline(at: .now).map { deadline in
            client.loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: deadline.nanoseconds))) { [self] in
                step(.clock)
            }
        }
    }
}

private struct NewLease: Encodable {
    var apiVersion = Lease.apiVersion
    var kind = Lease.kind
    var metadata: [String: String]
    var spec: LeaseRecord
}

extension MicroTime {
    /// The wall-clock time.
    public static var now: MicroTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return MicroTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
