public import Timing

/// Elects a leader by a lease: the holder renews it, and another candidate acquires it once it was released or has not been
/// renewed for its duration. A pure state machine like ``Reflector``: one event in, at most one request out.
///
/// Timestamps of other nodes are not trusted. A lease has expired when *this* node has seen it unchanged for its whole
/// duration, and a holder stops acting well before that; clocks need only run at about the same speed. If there is no lease,
/// it may have been deleted a moment ago without its holder knowing. So whoever creates the lease acts only after that
/// holder must have stopped. A holder that reads another identity in the lease stops at once.
///
/// Other candidates watch the lease (`.observed`, `.removed`) and send requests only when it has expired or become free. Without
/// a working watch, that is also so, but what they know of the lease is older, so that they notice later that it is free.
public struct LeaseElection: Sendable {
    /// An input.
    public enum Event: Sendable {
        case start
        /// The lease was read; `nil` if there is none.
        case read(Lease?)
        /// It was written.
        case written(Lease)
        /// The watch has reported a state of the lease.
        case observed(Lease)
        /// The watch has reported that the lease with this UID was deleted.
        case removed(uid: String)
        /// Reading or writing failed.
        case failed(RequestFailure)
        /// The deadline has come.
        case clock
        /// Release the lease and stop for good.
        case release
    }

    /// A request that the caller must send.
    public enum Action: Hashable, Sendable {
        /// Read the lease.
        case read
        case create(LeaseRecord)
        /// Update the lease if it still has this version.
        case update(LeaseRecord, resourceVersion: String)
    }

    /// The times of an election. Each must be well below the one before, as in other Kubernetes components, whose defaults
    /// these are.
    public struct Times: Hashable, Sendable {
        /// `leaseDurationSeconds`: other candidates wait this long for a renewal. Whole seconds.
        public var duration = Duration.seconds(15)
        /// How long a holder acts after it has sent its last successful renewal.
        public var renewal = Duration.seconds(10)
        /// The interval between renewals. The holder tries again earlier after a failure.
        public var retry = Duration.seconds(2)

        /// The defaults.
        public init() {}
    }

    /// The name of this candidate, as in `holderIdentity`.
    public let identity: String
    private let times: Times
    /// The lease as last read or written, and when it was first seen with these contents; `nil` if there is none, or its
    /// contents are not known.
    private var observed: (lease: Lease, at: Instant)?
    /// When the request under way was sent; `nil` if there is none.
    private var sentAt: Instant?
    /// When this candidate stops being the holder unless it renews the lease; `nil` if it does not have the lease.
    private var heldUntil: Instant?
    /// A lease that we created is not acted on before this; see ``LeaseElection``.
    private var actsFrom: Instant?
    /// Whether we sent a request to create the lease and, since then, have neither written the lease nor read one that is not
    /// ours.
    private var hasCreated = false
    /// When to read or renew the lease next, unless a request is under way.
    private var nextAttempt = Instant.zero
    /// Whether `.release` was handled.
    private var isLeaving = false
    /// Whether the request to release the lease was sent: only one is.
    private var hasSentRelease = false

    /// Makes a candidate that does nothing yet. `identity` must be unique.
    public init(identity: String, times: Times = Times()) {
        self.identity = identity
        self.times = times
    }

    /// Whether this candidate has the lease and may act.
    public func isHolder(at now: Instant) -> Bool { holds(at: now) && actsFrom.map { $0 <= now } ?? true }

    /// Whether this candidate has the lease, even if it must not act yet.
    private func holds(at now: Instant) -> Bool { heldUntil.map { now < $0 } ?? false && !isLeaving }

    /// Whether this candidate has stopped for good, and the request to release the lease, if any, has succeeded or failed.
    public var hasReleased: Bool { isLeaving && sentAt == nil }

    /// The holder of the lease as last read or written; empty if there is none, or it is not known.
    public var holder: String { observed?.lease.record.holderIdentity ?? "" }

    /// When to call with `.clock`; `nil` if never.
    public func deadline(at now: Instant) -> Instant? {
        guard !isLeaving else { return nil }
        let changes = holds(at: now) ? [heldUntil, actsFrom].compactMap(\.self).filter { now < $0 } : []
        return (changes + (sentAt == nil ? [nextAttempt] : [])).min()
    }

    /// Handles one event. `time` is the wall-clock time to write into the lease.
    public mutating func handle(
        _ event: Event, at now: Instant, time: MicroTime, random: inout some RandomNumberGenerator
    ) -> Action? {
        switch event {
        case .start: return send(.read, at: now)
        case .read(nil):
            sentAt = nil
            observed = nil
            guard !isLeaving else { return nil }
            hasCreated = true
            return send(.create(claim(of: nil, time)), at: now)
        case .read(let lease?):
            sentAt = nil
            observe(lease, at: now)
            return isLeaving ? release(at: now, time) : claimIfFree(lease, at: now, time, &random)
        case .written(let lease):
            // The holder of a deleted lease may have renewed it until now. Unless that was us, wait until that holder stops.
            if hasCreated, !isHolder(at: now) { actsFrom = now + times.renewal }
            hasCreated = false
            if let sentAt, lease.record.holderIdentity == identity { heldUntil = sentAt + times.renewal }
            sentAt = nil
            observe(lease, at: now)
            nextAttempt = now + times.retry
            // This may be the response to a renewal that was under way at the release.
            return isLeaving ? release(at: now, time) : nil
        case .observed(let lease):
            // The answer to a request under way is newer. The watch may also be behind our own writes.
            guard !isLeaving, sentAt == nil else { return nil }
            if let known = observed?.lease.metadata, lease.metadata.isOlder(than: known) { return nil }
            // If this is the lease before the one that we created, that one still counts as created.
            let hadCreated = hasCreated
            observe(lease, at: now)
            hasCreated = hadCreated
            if !holds(at: now) { waitUntilFree(lease, at: now, &random) }
            return nil
        case .removed(let uid):
            guard let known = observed?.lease.metadata, known.uid == uid, !isLeaving, sentAt == nil, !holds(at: now)
            else {
                return nil
            }
            observed = nil
            nextAttempt = now + .random(in: .zero...times.retry, using: &random)
            return nil
        case .failed(let failure):
            sentAt = nil
            // The lease has changed or is gone: read it before the next write.
            if failure.isConflict || failure.isNotFound { observed = nil }
            guard !isLeaving else {
                // The renewal under way at the release has failed.
                if hasSentRelease { return nil }
                return failure.isConflict ? send(.read, at: now) : release(at: now, time)
            }
            // If we were waiting to act, the wait starts again with the next lease.
            if failure.isNotFound, !isHolder(at: now) { heldUntil = nil }
            wait(after: failure, at: now, &random)
            return nil
        case .clock:
            guard !isLeaving, sentAt == nil, nextAttempt <= now else { return nil }
            guard holds(at: now), let lease = observed?.lease else { return send(.read, at: now) }
            return send(update(lease, time), at: now)
        case .release:
            guard !isLeaving else { return nil }
            isLeaving = true
            return sentAt == nil ? release(at: now, time) : nil
        }
    }
}

extension LeaseElection {
    /// Notes that a request is under way.
    private mutating func send(_ action: Action, at now: Instant) -> Action {
        sentAt = now
        return action
    }

    /// Sets the time of the next attempt after a failure: soon for the holder, because a time-out may have taken most of the time
    /// until ``heldUntil``, and soon if the lease has changed or is gone; else seldom, because many candidates fail alike.
    private mutating func wait(
        after failure: RequestFailure, at now: Instant, _ random: inout some RandomNumberGenerator
    ) {
        let hasChanged = failure.isConflict || failure.isNotFound
        let longest = holds(at: now) ? times.retry / 2 : hasChanged ? times.retry : times.duration
        nextAttempt = now + .random(in: longest / 4...longest, using: &random)
    }

    /// Sets the next attempt to the time at which the lease of another candidate has expired, or to now if it is free already: in
    /// either case at random, so that one candidate is first and the others hear of it. A lease may name a long time, and its
    /// state may be outdated, so it is read now and then.
    private mutating func waitUntilFree(
        _ lease: Lease, at now: Instant, _ random: inout some RandomNumberGenerator
    ) {
        guard !isFree(lease), let since = observed?.at else {
            nextAttempt = now + .random(in: .zero...times.retry / 4, using: &random)
            return
        }
        let expiry = min(since + duration(of: lease), now + times.duration * 4)
        nextAttempt = max(expiry, now) + .random(in: .zero...times.retry, using: &random)
    }

    private func isFree(_ lease: Lease) -> Bool {
        lease.record.holderIdentity.isEmpty || lease.record.holderIdentity == identity
    }

    /// How long a lease lasts after a renewal. Anybody may have written the number; a candidate must neither claim the lease at
    /// once nor wait forever.
    private func duration(of lease: Lease) -> Duration {
        .seconds(min(max(lease.record.leaseDurationSeconds, 1), 3600))
    }

    /// Stores the lease, and when it was first seen with these contents. Notes that we do not hold it if it is not ours.
    private mutating func observe(_ lease: Lease, at now: Instant) {
        if lease.record.holderIdentity != identity {
            heldUntil = nil
            hasCreated = false
        }
        if let observed, observed.lease.record == lease.record {
            self.observed = (lease, observed.at)
        } else {
            observed = (lease, now)
        }
    }

    /// Claims the lease if it is ours, released or expired; waits otherwise.
    private mutating func claimIfFree(
        _ lease: Lease, at now: Instant, _ time: MicroTime, _ random: inout some RandomNumberGenerator
    ) -> Action? {
        guard isFree(lease) || observed.map({ now - $0.at >= duration(of: lease) }) ?? false else {
            waitUntilFree(lease, at: now, &random)
            return nil
        }
        return send(update(lease, time), at: now)
    }

    private func update(_ lease: Lease, _ time: MicroTime) -> Action {
        .update(claim(of: lease.record, time), resourceVersion: lease.metadata.resourceVersion)
    }

    /// The record with which we hold the lease, in place of `old`.
    private func claim(of old: LeaseRecord?, _ time: MicroTime) -> LeaseRecord {
        var record = LeaseRecord()
        let isOurs = old?.holderIdentity == identity
        record.holderIdentity = identity
        record.leaseDurationSeconds = Int(times.duration.components.seconds)
        record.renewTime = "\(time)"
        record.acquireTime = isOurs ? old?.acquireTime ?? "" : "\(time)"
        // The API has 32 bits for the number of transitions.
        record.leaseTransitions = min((old?.leaseTransitions ?? 0), Int(Int32.max) - 1) + (isOurs || old == nil ? 0 : 1)
        return record
    }

    /// Gives up the lease; `nil` if we did not have it.
    private mutating func release(at now: Instant, _ time: MicroTime) -> Action? {
        heldUntil = nil
        guard !hasSentRelease, let lease = observed?.lease, lease.record.holderIdentity == identity else { return nil }
        hasSentRelease = true
        var record = lease.record
        record.holderIdentity = ""
        record.leaseDurationSeconds = 1  // the API rejects 0
        record.renewTime = "\(time)"
        return send(.update(record, resourceVersion: lease.metadata.resourceVersion), at: now)
    }
}
