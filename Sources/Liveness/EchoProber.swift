public import Timing

/// The echoes of all neighbors: which requests to send when, and which neighbors have failed. It has no socket and reads no
/// clock. Before each ``advance(to:requests:reports:)`` the caller passes all answers that have arrived.
public struct EchoProber: Sendable {
    /// In order of neighbors. There are few, so they are searched one by one.
    private var sessions: [EchoSession] = []
    /// Whether an answer has changed the state of a neighbor since the last reports.
    private var hasChanges = false
    /// The failures of neighbors that are not asked any more, at most ``mostDeparted``, and when they were asked last.
    private var departed: [EchoTarget.Key: (failures: EchoSession.Failures, moment: Instant)] = [:]
    private var random: SplitMix64

    private static let mostDeparted = 256

    /// `seed` determines at which moments padded requests are sent.
    public init(seed: UInt64 = 0) { random = SplitMix64(seed: seed) }

    /// When ``advance(to:requests:reports:)`` is due; `nil` without a neighbor, `.zero` is at once.
    public var nextDeadline: Instant? {
        hasChanges ? .zero : sessions.lazy.map(\.nextDeadline).min()
    }

    /// Asks exactly these neighbors from now on. What is known of those that were asked before stays.
    public mutating func watch(_ targets: [EchoTarget], at now: Instant) {
        let old = sessions
        sessions = []
        for target in targets.sorted(by: { $0.key < $1.key }) {
            if var session = old.first(where: { $0.target.key == target.key }),
                session.target.generation == target.generation
            {
                if session.target != target { session.update(target, at: now) }
                sessions.append(session)
                continue
            }
            let earlier = old.first { $0.target.key == target.key }?.failures ?? departed[target.key]?.failures
            departed[target.key] = nil
            sessions.append(
                EchoSession(target, phase: random.duration(below: SizeProbe.spread), earlier: earlier, at: now))
        }
        remember(old, at: now)
        hasChanges = hasChanges || sessions.contains { $0.hasChanged }
    }

    /// Remembers the failures of neighbors that are not asked any more.
    private mutating func remember(_ old: [EchoSession], at now: Instant) {
        departed = departed.filter { now - $0.value.moment < EchoSession.relapse }
        for session in old where !sessions.contains(where: { $0.target.key == session.target.key }) {
            guard departed.count < Self.mostDeparted else { return }
            departed[session.target.key] = (session.failures, now)
        }
    }

    /// A neighbor has answered a request; `size` is that of a padded one, 0 for others.
    public mutating func answered(
        _ key: EchoTarget.Key, _ sequence: UInt16, size: Int = 0, roundTrip: Duration?, at now: Instant
    ) {
        guard let index = sessions.firstIndex(where: { $0.target.key == key }) else { return }
        if size > 0 { return sessions[index].answeredPadded(sequence, size: size) }
        sessions[index].answered(sequence, roundTrip: roundTrip, at: now)
        if sessions[index].hasChanged { hasChanges = true }
    }

    /// A request could not be sent, so its answer is not awaited.
    public mutating func notSent(_ request: EchoRequest) {
        guard let index = sessions.firstIndex(where: { $0.target.key == request.target }) else { return }
        if request.size > 0 { return sessions[index].paddedNotSent() }
        sessions[index].notSent(request.sequence)
    }

    /// Handles what is due at `now`: appends the requests to send, and what has changed about neighbors, in order of
    /// neighbors.
    public mutating func advance(to now: Instant, requests: inout [EchoRequest], reports: inout [EchoReport]) {
        for index in sessions.indices where hasChanges || sessions[index].nextDeadline <= now {
            let target = sessions[index].target
            if let sequence = sessions[index].advance(to: now) {
                requests.append(EchoRequest(target: target.key, source: target.source, sequence: sequence))
                if let (sequence, size) = sessions[index].paddedRequest(at: now) {
                    requests.append(
                        EchoRequest(target: target.key, source: target.source, sequence: sequence, size: size))
                }
            }
            if let report = sessions[index].takeReport() { reports.append(report) }
        }
        hasChanges = false
    }

    /// The figures of each neighbor.
    public var figures: [(target: EchoTarget, state: EchoState, figures: EchoFigures)] {
        sessions.map { ($0.target, $0.state, $0.figures) }
    }
}
