public import Timing

/// Something that somebody should look at.
public struct Problem: Hashable, Sendable {
    /// What kind of problem it is.
    public var kind: Kind
    /// Who or what has it: a neighbour, a port, an address, a prefix, a variable; empty for the node itself.
    public var subject: String
    /// What is wrong, and why.
    public var text: String
    /// What to do about it; `nil` where ``text`` says that too.
    public var remedy: String?
    /// Since when.
    public var since: Instant

    /// The kinds of problems. Each is a label of `kubermesh_problems`.
    public enum Kind: String, Hashable, Sendable, CaseIterable, Comparable {
        /// There is no port to take an identity from.
        case noIdentity
        /// Initial database synchronization is not complete.
        case synchronization
        /// The agent's process did not run for a while.
        case stopped
        /// The kernel's routes cannot be read or written.
        case kernel
        /// The kernel refuses routes.
        case refusedRoutes
        /// The kernel refuses an address, or another machine has it.
        case refusedAddress
        /// A setting of the kernel is not as it should be.
        case setting
        /// The multicast groups of a port cannot be joined.
        case membership
        /// `lo` is down.
        case loopbackDown
        /// No neighbour is Full.
        case isolated
        /// A port that was in use is gone from the machine.
        case vanishedPort
        /// A port has carrier, and no router is heard on it.
        case silentPort
        /// A neighbour is heard and does not hear this node (Init).
        case oneWayNeighbor
        /// A segment has no designated router.
        case noDesignatedRouter
        /// The two ends of a link do not agree on MTU, timers, area, instance or type.
        case mismatch
        /// Another router has this node's router ID.
        case duplicateRouterID
        /// Two other routers have the same router ID.
        case duplicateRouterIDElsewhere
        /// Another node has this node's own address.
        case duplicateAddress
        /// Several nodes announce a prefix that should belong to one.
        case duplicatePrefix
        /// The node cannot take an IPv4 range.
        case ipv4Range
        /// A bound was reached.
        case limit
        /// The file for container runtimes cannot be written.
        case podNetwork
        /// The configuration file as it was last seen is not in use.
        case configuration
        /// What the node should remember cannot be saved.
        case unsaved
        /// A service has an address that it cannot have.
        case serviceAddress
        /// The service proxy does not deliver.
        case serviceProxy

        /// In the order in which they are listed.
        public static func < (left: Kind, right: Kind) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self)! }

        /// Whether the node's routes cannot be relied on while there is such a problem.
        public var preventsReadiness: Bool {
            switch self {
            case .noIdentity, .synchronization, .kernel, .refusedRoutes, .duplicateRouterID: true
            default: false
            }
        }

        /// Whether what leads to it is logged where it happens, so that it need not be logged as a problem too.
        var isLoggedAtItsSource: Bool {
            switch self {
            case .synchronization, .stopped, .kernel, .refusedAddress, .setting, .membership, .mismatch,
                .duplicateAddress,
                .duplicatePrefix, .ipv4Range, .limit, .podNetwork, .configuration, .unsaved, .serviceProxy:
                true
            default: false
            }
        }
    }

    /// Describes a problem.
    public init(_ kind: Kind, _ subject: String = "", _ text: String, remedy: String? = nil, since: Instant = .zero) {
        self.kind = kind
        self.subject = subject
        self.text = text
        self.remedy = remedy
        self.since = since
    }

    /// What is wrong and what to do, in one line.
    public var line: String { remedy.map { "\(text); \($0)" } ?? text }
}

/// The problems there are, with since when: the one list that status, metrics and readiness are made of.
public struct ProblemTable: Sendable {
    private struct Key: Hashable {
        var kind: Problem.Kind
        var subject: String
    }

    /// The problems by kind and subject, as they were last found.
    public private(set) var all: [Problem] = []
    /// Why the configuration file is not in use.
    var configuration: [String] = []
    /// Why something could not be saved.
    var unsaved: String?
    /// The last time that this process did not run, with its end.
    var stop: (duration: Duration, end: Instant)?
    private var since: [Key: Instant] = [:]
    private var wasReady: Bool?
    private var lastReview: Instant?
    private var mustReview = false

    /// The least and the longest time between two looks.
    private static let shortest = Duration.seconds(2)
    private static let longest = Duration.seconds(15)
    /// Problems of one kind that are listed; of more, how many there are.
    public static let mostOfAKind = 8

    /// When to look although nothing has happened.
    var nextReview: Instant? { mustReview ? .zero : lastReview.map { $0 + Self.longest } }

    /// Has the problems looked for at once.
    mutating func invalidate() { mustReview = true }

    /// Whether to look for problems now.
    func isDue(at now: Instant) -> Bool { mustReview || lastReview.map { now - $0 >= Self.shortest } ?? true }

    /// The problems found, each with since when it is there.
    func dated(_ found: [Problem], at now: Instant) -> [Problem] {
        found.map { problem in
            var problem = problem
            problem.since = since[Key(kind: problem.kind, subject: problem.subject)] ?? now
            return problem
        }
    }

    /// Takes in what problems there are now; what is to be said of those that are new or over, and of readiness.
    mutating func update(_ found: [Problem], at now: Instant) -> [LogLine] {
        lastReview = now
        mustReview = false
        let dated = dated(found, at: now)
        var lines: [LogLine] = []
        let keys = Set(dated.map { Key(kind: $0.kind, subject: $0.subject) })
        for problem in dated where since[Key(kind: problem.kind, subject: problem.subject)] == nil {
            guard !problem.kind.isLoggedAtItsSource else { continue }
            lines.append(LogLine(level: .warning, message: problem.line))
        }
        for problem in all where !keys.contains(Key(kind: problem.kind, subject: problem.subject)) {
            guard !problem.kind.isLoggedAtItsSource else { continue }
            lines.append(LogLine(level: .notice, message: "resolved: \(problem.text)"))
        }
        all = dated
        since = Dictionary(
            dated.map { (Key(kind: $0.kind, subject: $0.subject), $0.since) }, uniquingKeysWith: { first, _ in first })
        let reasons = dated.filter(\.kind.preventsReadiness).map(\.text)
        if let wasReady, wasReady != reasons.isEmpty {
            lines.append(
                reasons.isEmpty
                    ? LogLine(level: .notice, message: "ready")
                    : LogLine(level: .warning, message: "not ready: \(reasons.joined(separator: "; "))"))
        }
        wasReady = reasons.isEmpty
        return lines
    }
}
