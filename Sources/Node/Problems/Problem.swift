public import Timing

/// Something that an operator should know about.
public struct Problem: Hashable, Sendable {
    public var kind: Kind
    /// What has the problem, for example a neighbor, a port, an address or a variable; empty for the node itself.
    public var subject: String
    /// What is wrong, and why.
    public var text: String
    /// What to do about it; `nil` if ``text`` says that, or it depends on the cause.
    public var remedy: String?
    /// Since when the problem exists; `nil` until ``ProblemTable/dated(_:at:)`` sets it, unless it was found with a time.
    public var since: Instant?
    /// Whether its cause is logged where it occurs, so that the review does not log the problem as well.
    var isLoggedAtItsSource: Bool

    /// The kinds of problems. Each is a label of `kubermesh_problems`.
    public enum Kind: String, Hashable, Sendable, CaseIterable, Comparable {
        /// There is no port to derive an identity from.
        case noIdentity
        /// Initial database synchronization is not complete.
        case synchronization
        /// A timer was late by seconds: the agent's process did not run, or was busy.
        case stopped
        /// The kernel's routes cannot be read or written.
        case kernel
        /// Routes cannot be installed: the kernel refuses them or their next-hop groups, or a limit is reached.
        case refusedRoutes
        /// The kernel refuses a next hop.
        case refusedNextHop
        /// The kernel refuses an address, or another machine has it.
        case refusedAddress
        /// A kernel setting is wrong and cannot be set.
        case setting
        /// A multicast group of OSPF cannot be joined on a port.
        case membership
        /// `lo` is down.
        case loopbackDown
        /// No neighbor is Full although initial database synchronization is over.
        case isolated
        /// A port of the mesh, up or down, was removed from the machine.
        case vanishedPort
        /// A port with an active rule has carrier and cannot be used, or was in use until it got a master or seemed to belong
        /// to another network.
        case unusablePort
        /// A port has carrier and no neighbor.
        case silentPort
        /// A neighbor sends hellos, but they do not list this node (Init).
        case oneWayNeighbor
        /// A neighbor sends hellos, but its kernel does not answer echo requests any more.
        case unresponsiveNeighbor
        /// BFD is configured, and there is no session with a neighbor that is Up.
        case bfd
        /// The cable to a neighbor loses packets.
        case lossyCable
        /// Packets as large as the link's MTU do not arrive at a neighbor.
        case packetSize
        /// The round trip over a cable is far longer than over others of its kind.
        case slowCable
        /// A port receives damaged packets.
        case damagedPackets
        /// A link runs at a lower speed than before.
        case linkSpeed
        /// A cable goes down and comes back again and again.
        case flappingCable
        /// A router comes without a valid key: its packets are refused, or accepted where keys are not required.
        case unauthenticRouter
        /// No key is valid for sending.
        case authenticationKey
        /// Keys have times, and the clock is not set.
        case clockNotSet
        /// The database exchange with a neighbor makes no progress.
        case stalledExchange
        /// A segment has no designated router.
        case noDesignatedRouter
        /// The two ends of a link do not agree on MTU, timers, area, area type, instance or link type, or have one link-local
        /// address.
        case mismatch
        /// Another router has this node's router ID.
        case duplicateRouterID
        /// Two other routers have the same router ID.
        case duplicateRouterIDElsewhere
        /// Another node has as its own an address of this node (unless self-assigned) or of a VIP that this node announces.
        case duplicateAddress
        /// Several nodes announce a prefix that should belong to one.
        case duplicatePrefix
        /// The node cannot assign itself an IPv4 range.
        case ipv4Range
        /// A limit of the router is reached.
        case limit
        /// The CNI file cannot be written, or waits for a pod range or for the Node.
        case podNetwork
        /// The configuration file is not valid, or is gone; the earlier configuration stays in use.
        case configuration
        /// The state cannot be saved.
        case unsaved
        /// A service has the address of a machine, or services have more addresses than a node announces.
        case serviceAddress
        /// The service proxy does not work.
        case serviceProxy
        /// Packets in transit to services on other nodes do not bypass the service proxy of this node.
        case proxyBypass

        /// The order of lists: that of the cases above.
        public static func < (left: Kind, right: Kind) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self)! }

        /// Whether the node's routes are not reliable while there is such a problem.
        public var preventsReadiness: Bool {
            switch self {
            case .noIdentity, .synchronization, .kernel, .refusedRoutes, .duplicateRouterID: true
            default: false
            }
        }

        /// Whether the causes of all such problems are logged where they occur.
        var isLoggedAtItsSource: Bool {
            switch self {
            case .synchronization, .stopped, .kernel, .refusedAddress, .setting, .membership, .mismatch,
                .duplicateAddress,
                .duplicatePrefix, .ipv4Range, .limit, .configuration, .unsaved, .serviceProxy:
                true
            default: false
            }
        }
    }

    public init(
        _ kind: Kind, _ subject: String = "", _ text: String, remedy: String? = nil, since: Instant? = nil,
        isLoggedAtItsSource: Bool = false
    ) {
        self.isLoggedAtItsSource = isLoggedAtItsSource || kind.isLoggedAtItsSource
        self.kind = kind
        self.subject = subject
        self.text = text
        self.remedy = remedy
        self.since = since
    }

    /// What is wrong and what to do, in one line.
    public var line: String { remedy.map { "\(text); \($0)" } ?? text }
}

/// The problems and their times: the one list for status, metrics and readiness.
public struct ProblemTable: Sendable {
    /// What two findings of one problem have in common. The text may differ, as it may contain times and counts.
    private struct Key: Hashable {
        var kind: Problem.Kind
        var subject: String

        init(_ problem: Problem) {
            kind = problem.kind
            subject = problem.subject
        }
    }

    /// The problems at the last review, by kind, at most ``mostOfAKind`` of each.
    public private(set) var all: [Problem] = []
    /// What is wrong with the configuration file. Kept here, because no state of the node shows it.
    var configuration: [Problem] = []
    /// The last time that this process did not run or was busy: by how much a timer was late, and when that was noticed.
    var stop: (duration: Duration, end: Instant)?
    /// The problems at the last review, each with the text and the start that the first review found.
    private var known: [Key: Problem] = [:]
    /// Why the node was not ready at the last review; empty if it was ready, `nil` before the first review.
    private var notReady: [String]?
    /// What readiness depended on when it was last compared (``invalidate(ifDifferent:)``).
    private var readiness: Readiness?
    private var lastReview: Instant?
    /// When a port or a neighbor last changed.
    private var lastChange: Instant?
    /// Whether a review is due at once, however short ago the last one was.
    private var mustReview = false

    /// The time between reviews if nothing makes one due at once: the minimum, because a review looks at every port and every
    /// neighbor, and the maximum, after which a problem that only time brings is found. In between it is the time since a port
    /// or a neighbor last changed: most problems count only when they last, with the default dead interval for up to 12 s.
    private static let shortest = Duration.seconds(5)
    private static let longest = Duration.seconds(30)
    /// The maximum number of listed problems of one kind: one cause may concern thousands of prefixes.
    public static let mostOfAKind = 8

    /// When the next review is due even if nothing happens; `.zero` is at once. `nil` before the first review.
    var nextReview: Instant? {
        if mustReview { return .zero }
        return lastReview.map { last in
            last + (lastChange.map { min(max(last - $0, Self.shortest), Self.longest) } ?? Self.longest)
        }
    }

    /// How long a review that is not due at once may wait for an event with which it is done. A node with neighbors has one
    /// within a hello interval, so that reviews at rest do not wake the process.
    private static let patience = Duration.seconds(2)

    /// When the next review must happen even without an event; `.zero` is at once.
    var latestReview: Instant? { nextReview.map { $0 == .zero ? .zero : $0 + Self.patience } }

    /// Makes a review due now.
    mutating func invalidate() { mustReview = true }

    /// A port or a neighbor has changed: makes a review due now, and others soon.
    mutating func noteChange(at now: Instant) {
        mustReview = true
        lastChange = now
    }

    /// What readiness depends on. When it changes, a review is due at once, so that the log has the right time.
    struct Readiness: Hashable, Sendable {
        var isSynchronized: Bool
        var hasKernelError: Bool
        var hasRefusedRoutes: Bool
        var hasDuplicateRouterID: Bool
    }

    /// Makes a review due if readiness may have changed.
    mutating func invalidate(ifDifferent new: Readiness) {
        if readiness != new { mustReview = true }
        readiness = new
    }

    /// Whether a review is due.
    func isDue(at now: Instant) -> Bool { mustReview || lastReview.map { now - $0 >= Self.shortest } ?? true }

    /// The found problems, each with the time since when it exists.
    func dated(_ found: [Problem], at now: Instant) -> [Problem] {
        found.map { problem in
            var problem = problem
            problem.since = known[Key(problem)]?.since ?? problem.since ?? now
            return problem
        }
    }

    /// At most ``mostOfAKind`` problems of each kind, and one more problem with the number of those left out; by kind.
    static func bounded(_ found: [Problem]) -> [Problem] {
        var result: [Problem] = []
        for (kind, list) in Dictionary(grouping: found, by: \.kind).sorted(by: { $0.key < $1.key }) {
            result += list.prefix(mostOfAKind)
            let rest = list.dropFirst(mostOfAKind)
            guard !rest.isEmpty else { continue }
            result.append(
                Problem(kind, "more", "and \(rest.count) more like this", since: rest.compactMap(\.since).min()))
        }
        return result
    }

    /// The log lines about problems that are new or gone, bounded like a list of problems. Those that are logged at their
    /// source have none.
    private func lines(
        about problems: [Problem], _ level: LogLevel, _ text: (Problem) -> String
    ) -> [LogLine] {
        Self.bounded(problems.filter { !$0.isLoggedAtItsSource }).map { LogLine(level: level, message: text($0)) }
    }

    /// Records the problems of a review. Returns the log lines about new ones and those that are gone, and about changes of readiness.
    mutating func update(_ found: [Problem], at now: Instant) -> [LogLine] {
        lastReview = now
        mustReview = false
        let dated = dated(found, at: now)
        let keys = Set(dated.map { Key($0) })
        var lines = lines(about: dated.filter { known[Key($0)] == nil }, .warning, \.line)
        lines += self.lines(
            about: known.filter { !keys.contains($0.key) }.map(\.value).sorted {
                ($0.kind, $0.subject) < ($1.kind, $1.subject)
            }, .notice
        ) {
            "no longer: \($0.text)"
        }
        all = Self.bounded(dated)
        // The text of the first review stays, so that the log line about the end repeats that about the start.
        known = Dictionary(
            dated.map { problem in (Key(problem), known[Key(problem)] ?? problem) },
            uniquingKeysWith: { first, _ in first })
        let reasons = dated.filter(\.kind.preventsReadiness).map(\.text)
        if let notReady, notReady.isEmpty != reasons.isEmpty {
            lines.append(
                reasons.isEmpty
                    ? LogLine(level: .notice, message: "ready; resolved: \(notReady.joined(separator: "; "))")
                    : LogLine(level: .warning, message: "not ready: \(reasons.joined(separator: "; "))"))
        }
        notReady = reasons
        return lines
    }
}
