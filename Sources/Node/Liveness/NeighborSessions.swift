public import Addressing
public import BFD

/// The sessions of BFD with neighbors, and what is known of them.
public struct NeighborSessions: Sendable {
    /// The neighbors with which there is to be a session.
    public private(set) var targets: [SessionTarget] = []
    /// The last reports about them.
    private var reports: [NeighborAddress: SessionReport] = [:]
    /// Why there is no session with some of them.
    private var obstacles: [NeighborAddress: String] = [:]
    /// Neighbors whose sessions were Up.
    private var established: Set<NeighborAddress> = []
    /// Whether the shell must be told again, because a file with a key may have changed.
    var mustWatchAgain = false
    /// Whether it was said that intervals are longer than configured.
    var saidIntervals = false

    init() {}

    /// Whether there is to be a session with a neighbor.
    public func has(_ key: NeighborAddress) -> Bool { targets.contains { $0.key == key } }

    /// What was last reported of the session with a neighbor; `nil` without a session.
    public func report(of key: NeighborAddress) -> SessionReport? {
        has(key) ? reports[key] ?? SessionReport(key, .down) : nil
    }

    /// Why there is no session with a neighbor.
    public func obstacle(of key: NeighborAddress) -> String? { obstacles[key] }

    /// Whether the session with a neighbor was ever Up.
    public func wasUp(_ key: NeighborAddress) -> Bool { established.contains(key) }

    /// Sets with whom there are to be sessions. Returns whether that changes anything.
    mutating func update(_ new: [SessionTarget]) -> Bool {
        guard new != targets || mustWatchAgain else { return false }
        mustWatchAgain = false
        targets = new
        let keys = Set(new.map(\.key))
        reports = reports.filter { keys.contains($0.key) }
        obstacles = obstacles.filter { keys.contains($0.key) }
        established.formIntersection(keys)
        return true
    }

    /// Notes a report. Returns the one before; `nil` if there is no session with the neighbor any more.
    mutating func note(_ report: SessionReport) -> SessionReport? {
        guard let before = self.report(of: report.target) else { return nil }
        reports[report.target] = report
        if report.state == .up { established.insert(report.target) }
        return before
    }

    /// Notes why there is no session with some neighbors. Returns what is new.
    mutating func note(_ new: [NeighborAddress: String]) -> [NeighborAddress: String] {
        let known = obstacles
        obstacles = new.filter { has($0.key) }
        return obstacles.filter { known[$0.key] != $0.value }
    }
}

/// News of the sessions.
public enum BFDReport: Hashable, Sendable {
    /// A session has changed.
    case session(SessionReport)
    /// With these neighbors there is no session, and why.
    case obstacles([NeighborAddress: String])
    /// Intervals shorter than ``SessionParameters/shortestOrdinaryInterval`` were raised to it, because the thread has no real-time
    /// priority.
    case intervalsRaised

    /// Of reports about the same subject, the last one says how things are.
    public enum Subject: Hashable, Sendable {
        case session(NeighborAddress)
        case obstacles
        case intervals
    }

    /// What the report is about.
    public var subject: Subject {
        switch self {
        case .session(let report): .session(report.target)
        case .obstacles: .obstacles
        case .intervalsRaised: .intervals
        }
    }
}
