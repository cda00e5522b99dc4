public import Timing

/// The echoes of all neighbors: which requests to send when, and which neighbors have failed. It has no socket and reads no
/// clock. Before each ``advance(to:requests:reports:)`` the caller passes all answers that have arrived.
public struct EchoProber: Sendable {
    /// In order of neighbors. There are few, so they are searched one by one.
    private var sessions: [EchoSession] = []
    /// Whether an answer has changed the state of a neighbor since the last reports.
    private var hasChanges = false

    public init() {}

    /// When ``advance(to:requests:reports:)`` is due; `nil` without a neighbor, `.zero` is at once.
    public var nextDeadline: Instant? {
        hasChanges ? .zero : sessions.lazy.map(\.nextDeadline).min()
    }

    /// Asks exactly these neighbors from now on. What is known of those that were asked before stays.
    public mutating func watch(_ targets: [EchoTarget], at now: Instant) {
        let old = sessions
        sessions = targets.sorted { $0.key < $1.key }.map { target in
            guard var session = old.first(where: { $0.target.key == target.key }) else {
                return EchoSession(target, at: now)
            }
            if session.target != target { session.update(target, at: now) }
            return session
        }
    }

    /// A neighbor has answered a request.
    public mutating func answered(_ key: EchoTarget.Key, _ sequence: UInt16, roundTrip: Duration?, at now: Instant) {
        guard let index = sessions.firstIndex(where: { $0.target.key == key }) else { return }
        sessions[index].answered(sequence, roundTrip: roundTrip, at: now)
        if sessions[index].hasChanged { hasChanges = true }
    }

    /// A request could not be sent, so its answer is not awaited.
    public mutating func notSent(_ request: EchoRequest) {
        guard let index = sessions.firstIndex(where: { $0.target.key == request.target }) else { return }
        sessions[index].notSent(request.sequence)
    }

    /// Handles what is due at `now`: appends the requests to send, and what has changed about neighbors, in order of
    /// neighbors.
    public mutating func advance(to now: Instant, requests: inout [EchoRequest], reports: inout [EchoReport]) {
        for index in sessions.indices where hasChanges || sessions[index].nextDeadline <= now {
            let target = sessions[index].target
            if let sequence = sessions[index].advance(to: now) {
                requests.append(EchoRequest(target: target.key, source: target.source, sequence: sequence))
            }
            if let report = sessions[index].takeReport(at: now) { reports.append(report) }
        }
        hasChanges = false
    }

    /// The figures of each neighbor.
    public var figures: [(target: EchoTarget, state: EchoState, figures: EchoFigures)] {
        sessions.map { ($0.target, $0.state, $0.figures) }
    }
}
