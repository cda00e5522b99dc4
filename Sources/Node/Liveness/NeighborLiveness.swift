public import Liveness

/// Which neighbors are asked by echo requests whether they are alive, and what is known of them.
public struct NeighborLiveness: Sendable {
    /// The neighbors that are asked, by interface and address.
    public private(set) var targets: [EchoTarget] = []
    /// What their answers say; a neighbor that has not been reported yet is ``EchoState/untested``.
    private var states: [EchoTarget.Key: EchoState] = [:]
    /// The part of the latest requests that was lost, in percent, of neighbors of which it is notable.
    private var losses: [EchoTarget.Key: Int] = [:]
    /// Neighbors that hear us although they do not answer: only the answers are missing, so they are not asked any more.
    private var exempt: Set<EchoTarget.Key> = []

    /// The maximum number of neighbors that are asked.
    static let mostTargets = 256

    init() {}

    /// What is known of a neighbor; `nil` if it is not asked.
    public func state(of key: EchoTarget.Key) -> EchoState? {
        targets.contains { $0.key == key } ? states[key] ?? .untested : nil
    }

    /// The part of the latest requests to a neighbor that was lost, in percent; 0 if that is normal.
    public func loss(of key: EchoTarget.Key) -> Int { losses[key] ?? 0 }

    /// Whether a neighbor that failed answers again, so that it will be alive soon.
    public var isRecovering: Bool { states.values.contains(.failed(answersAgain: true)) }

    /// Whether a neighbor hears us although it does not answer.
    public func isExempt(_ key: EchoTarget.Key) -> Bool { exempt.contains(key) }

    /// Sets which neighbors there are, and which of them are to be asked. Returns whether that changes whom to ask.
    mutating func update(neighbors: Set<EchoTarget.Key>, targets wanted: [EchoTarget]) -> Bool {
        if !exempt.isEmpty { exempt.formIntersection(neighbors) }
        let new = Array(wanted.filter { !exempt.contains($0.key) }.prefix(Self.mostTargets))
        guard new != targets else { return false }
        targets = new
        let keys = Set(new.map(\.key))
        states = states.filter { keys.contains($0.key) }
        losses = losses.filter { keys.contains($0.key) }
        return true
    }

    /// Notes a report. Returns the state before; `nil` if the neighbor is not asked any more.
    mutating func note(_ report: EchoReport) -> EchoState? {
        guard let before = state(of: report.target) else { return nil }
        states[report.target] = report.state
        losses[report.target] = report.loss > 0 ? report.loss : nil
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
