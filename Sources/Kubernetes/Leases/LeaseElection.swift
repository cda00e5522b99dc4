public import Timing

/// Chooses one of several by a lease: who holds it renews it, who does not takes it when it was not renewed for as long as it
/// says. A pure state machine like ``Reflector``: one event in, at most one request out.
///
/// Clocks of others are not believed. A lease has run out when *this* node has seen it unchanged for its whole duration, and
/// whoever holds one gives up well before the others may think so; clocks need only run about equally fast. A lease that is
/// not there may have been deleted a moment ago, and its holder not know it yet: whoever creates it acts only when that
/// holder must have given up. Whoever reads that somebody else holds the lease gives up at once.
public struct LeaseElection: Sendable {
    /// What happened.
    public enum Event: Sendable {
        /// It is to begin.
        case start
        /// The lease was read; `nil` if there is none.
        case read(Lease?)
        /// It was written.
        case written(Lease)
        /// Reading or writing failed.
        case failed(RequestFailure)
        /// The deadline has come.
        case clock
        /// It is to let go, and not to come back.
        case release
    }

    /// What to do.
    public enum Action: Hashable, Sendable {
        /// Read the lease.
        case read
        /// Make it.
        case create(LeaseRecord)
        /// Write it, unless it has another version by now.
        case update(LeaseRecord, resourceVersion: String)
    }

    /// How long things take. Each must be well below the one before.
    public struct Times: Hashable, Sendable {
        /// How long a lease is left to a holder that is not heard.
        public var duration = Duration.seconds(15)
        /// How long a holder goes on without a successful renewal.
        public var renewal = Duration.seconds(10)
        /// How long between two tries.
        public var retry = Duration.seconds(2)

        /// As usual in Kubernetes.
        public init() {}
    }

    /// Who stands for election.
    public let identity: String
    private let times: Times
    private var observed: (lease: Lease, at: Instant)?
    /// When the request under way was sent; `nil` if there is none.
    private var sentAt: Instant?
    /// `nil` while it was never held, or was let go.
    private var heldUntil: Instant?
    /// Not before this is it acted on; see ``LeaseElection``.
    private var actsFrom: Instant?
    /// Whether a request was sent to create the lease, and nothing was heard since that shows what became of it.
    private var hasCreated = false
    private var tryAt = Instant.zero
    private var isLeaving = false

    /// Makes a candidate that does nothing yet. `identity` must be one of a kind.
    public init(identity: String, times: Times = Times()) {
        self.identity = identity
        self.times = times
    }

    /// Whether it may do what the lease is for.
    public func isHolder(at now: Instant) -> Bool { holds(at: now) && actsFrom.map { $0 <= now } ?? true }

    /// Whether the lease is held, whether or not it may be acted on.
    private func holds(at now: Instant) -> Bool { heldUntil.map { now < $0 } ?? false && !isLeaving }

    /// Whether it was told to let go, and has done what it could.
    public var hasLetGo: Bool { isLeaving && sentAt == nil }

    /// Who holds the lease, as far as is known; empty if nobody does.
    public var holder: String { observed?.lease.record.holderIdentity ?? "" }

    /// When to call with `.clock`; `nil` if never.
    public func deadline(at now: Instant) -> Instant? {
        guard !isLeaving else { return nil }
        let changes = holds(at: now) ? [heldUntil, actsFrom].compactMap(\.self).filter { now < $0 } : []
        return (changes + (sentAt == nil ? [tryAt] : [])).min()
    }

    /// Takes one event in. `time` is what the clock on the wall says, for people who read the lease.
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
            return isLeaving ? nil : claimIfFree(lease, at: now, time, &random)
        case .written(let lease):
            // Until now somebody else may have renewed the lease that was deleted. Who held it himself is that somebody.
            if hasCreated, !isHolder(at: now) { actsFrom = now + times.renewal }
            hasCreated = false
            if let sentAt, lease.record.holderIdentity == identity { heldUntil = sentAt + times.renewal }
            sentAt = nil
            observe(lease, at: now)
            tryAt = now + times.retry
            // Perhaps this was a renewal that was under way when it was told to let go.
            return isLeaving ? letGo(at: now, time) : nil
        case .failed(let failure):
            sentAt = nil
            if failure.isConflict || failure.isNotFound { observed = nil }
            // Who was waiting to act waits anew once the lease is there again.
            if failure.isNotFound, !isHolder(at: now) { heldUntil = nil }
            wait(at: now, &random)
            return nil
        case .clock:
            guard !isLeaving, sentAt == nil, tryAt <= now else { return nil }
            guard holds(at: now), let lease = observed?.lease else { return send(.read, at: now) }
            return send(update(lease, time), at: now)
        case .release:
            guard !isLeaving else { return nil }
            isLeaving = true
            return sentAt == nil ? letGo(at: now, time) : nil
        }
    }
}

extension LeaseElection {
    private mutating func send(_ action: Action, at now: Instant) -> Action {
        sentAt = now
        return action
    }

    private mutating func wait(at now: Instant, _ random: inout some RandomNumberGenerator) {
        tryAt = now + .random(in: times.retry...times.retry * 2.2, using: &random)
    }

    /// Notes what the lease says, and since when it has said that.
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

    private mutating func claimIfFree(
        _ lease: Lease, at now: Instant, _ time: MicroTime, _ random: inout some RandomNumberGenerator
    ) -> Action? {
        let record = lease.record
        let duration = Duration.seconds(min(max(record.leaseDurationSeconds, 1), 3600))
        let isFree = record.holderIdentity.isEmpty || record.holderIdentity == identity
        guard isFree || observed.map({ now - $0.at >= duration }) ?? false else {
            wait(at: now, &random)
            return nil
        }
        return send(update(lease, time), at: now)
    }

    private func update(_ lease: Lease, _ time: MicroTime) -> Action {
        .update(claim(of: lease.record, time), resourceVersion: lease.metadata.resourceVersion)
    }

    private func claim(of old: LeaseRecord?, _ time: MicroTime) -> LeaseRecord {
        var record = LeaseRecord()
        let isOurs = old?.holderIdentity == identity
        record.holderIdentity = identity
        record.leaseDurationSeconds = Int(times.duration.components.seconds)
        record.renewTime = "\(time)"
        record.acquireTime = isOurs ? old?.acquireTime ?? "" : "\(time)"
        record.leaseTransitions = min((old?.leaseTransitions ?? 0), Int(Int32.max) - 1) + (isOurs || old == nil ? 0 : 1)
        return record
    }

    private mutating func letGo(at now: Instant, _ time: MicroTime) -> Action? {
        heldUntil = nil
        guard let lease = observed?.lease, lease.record.holderIdentity == identity else { return nil }
        var record = lease.record
        record.holderIdentity = ""
        record.leaseDurationSeconds = 1
        record.renewTime = "\(time)"
        return send(.update(record, resourceVersion: lease.metadata.resourceVersion), at: now)
    }
}
