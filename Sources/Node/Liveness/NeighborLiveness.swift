public import Liveness
internal import Timing

/// Which neighbors are asked by echo requests whether they are alive, and what is known of them.
public struct NeighborLiveness: Sendable {
    /// The neighbors that are asked, by interface and address.
    public private(set) var targets: [EchoTarget] = []
    /// What their answers say; a neighbor that has not been reported yet is ``EchoState/untested``.
    private var states: [EchoTarget.Key: EchoState] = [:]
    /// The number of the newest neighbor that is or was asked (``EchoTarget/generation``).
    private var generation: UInt32 = 0
    /// Neighbors that were lost while they did not answer, and when; at most ``mostTargets``.
    private var lostFailed: [EchoTarget.Key: Instant] = [:]
    /// Neighbors that hear us although they do not answer: only the answers are missing, so they are not asked any more.
    private var exempt: Set<EchoTarget.Key> = []

    /// The maximum number of neighbors that are asked.
    static let mostTargets = 256
    /// A neighbor that comes back within this time after it was lost while it did not answer must answer for some time before it
    /// is used, as if it had never been gone.
    static let memory = Duration.seconds(60)

    init() {}

    /// What is known of a neighbor; `nil` if it is not asked.
    public func state(of key: EchoTarget.Key) -> EchoState? {
        targets.contains { $0.key == key } ? states[key] ?? .untested : nil
    }

    /// Whether a neighbor that failed answers again, so that it will be alive soon.
    public var isRecovering: Bool { states.values.contains(.failed(answersAgain: true)) }

    /// Whether a neighbor hears us although it does not answer.
    public func isExempt(_ key: EchoTarget.Key) -> Bool { exempt.contains(key) }

    /// Sets which neighbors there are, and which of them are to be asked. Returns whether that changes whom to ask.
    mutating func update(neighbors: Set<EchoTarget.Key>, targets wanted: [EchoTarget], at now: Instant) -> Bool {
        if !exempt.isEmpty { exempt.formIntersection(neighbors) }
        var new = Array(wanted.filter { !exempt.contains($0.key) }.prefix(Self.mostTargets))
        for index in new.indices {
            if let old = targets.first(where: { $0.key == new[index].key }) {
                (new[index].generation, new[index].hadFailed) = (old.generation, old.hadFailed)
            } else {
                generation &+= 1
                new[index].generation = generation
                let lost = lostFailed.removeValue(forKey: new[index].key)
                new[index].hadFailed = lost.map { now - $0 < Self.memory } ?? false
            }
        }
        guard new != targets else { return false }
        targets = new
        let keys = Set(new.map(\.key))
        lostFailed = lostFailed.filter { now - $0.value < Self.memory }
        for (key, state) in states where !neighbors.contains(key) && lostFailed.count < Self.mostTargets {
            if case .failed = state { lostFailed[key] = now }
        }
        states = states.filter { keys.contains($0.key) }
        return true
    }

    /// Notes a report. Returns the state before; `nil` if the neighbor is not asked any more, or the report is about an earlier
    /// one with its address.
    mutating func note(_ report: EchoReport) -> EchoState? {
        guard let before = state(of: report.target),
            targets.contains(where: { $0.key == report.target && $0.generation == report.generation })
        else { return nil }
        states[report.target] = report.state
        return before
    }

    /// A neighbor that does not answer hears us. Returns whether it is no longer asked because of that. As long as it answers
    /// now and then, that must be certain: a cable that loses packets lets some answers through.
    mutating func hearsUs(_ key: EchoTarget.Key, isCertain: Bool) -> Bool {
        guard case .failed(let answersAgain)? = state(of: key), isCertain || !answersAgain else { return false }
        exempt.insert(key)
        return true
    }

    /// All neighbors may be asked again.
    mutating func endExemptions() { exempt = [] }
}
