public import Timing

/// The life cycle stages of a node. Each stage has its own data.
public enum Life: Hashable, Sendable {
    /// Not started.
    case new
    /// Started, without a port to derive an identity from.
    case waiting
    /// The identity is known. The routes that an earlier run left in the kernel are being read.
    case adopting
    /// The router exists. Its ports open when every health check of a VIP has had an outcome or its checker has stalled, and
    /// all requests to add addresses to `lo` or to remove them have outcomes; after 250 ms at the latest.
    case starting(Starting)
    /// Initial database synchronization. Routes of an earlier run are kept at first.
    case synchronizing(Synchronizing)
    /// Initial database synchronization is complete, or was given up.
    case running
    /// Like ``running``, but drained because a stop follows.
    case draining
    /// Like ``running``, but neighbors are asked to hold their links, because the process ends and another one follows. Ends when
    /// they have acknowledged that; at `until` at the latest.
    case announcingRestart(until: Instant)
    /// The process is about to end.
    case stopping

    /// The data of ``Life/starting(_:)``.
    public struct Starting: Hashable, Sendable {
        /// The latest time to open the ports.
        public var portsOpenAt: Instant
        /// The number of routes that an earlier run left in the kernel.
        public var adoptedRoutes: Int
    }

    /// The data of ``Life/synchronizing(_:)``.
    public struct Synchronizing: Hashable, Sendable {
        /// The latest end of the stage: two dead intervals after its start, time for a hello and an exchange.
        public var deadline: Instant
        /// Until this time, one dead interval after the start of the stage, routes of an earlier run are not changed, because
        /// an incomplete database would remove correct ones. An exchange under way extends it up to ``deadline``. `nil` if
        /// there are no such routes, or they are not kept any more.
        public var keepRoutesUntil: Instant?
        /// The number of routes that an earlier run left in the kernel.
        public var adoptedRoutes: Int
        /// The wait for an unchanged database while routes of an earlier run are kept; `nil` before the router is synchronized,
        /// and without such routes.
        var settling: Settling?
    }

    /// The wait for an unchanged database after the router is synchronized. The LSAs of one change in the mesh, such as a new
    /// designated router after our restart, arrive one after another; between them, correct routes are missing.
    struct Settling: Hashable, Sendable {
        private var checksum: UInt32
        private var lastChange: Instant
        private let end: Instant

        /// The time without a change after which the database counts as unchanged. Up to the fifth instance, a router waits
        /// at most 40 ms between two instances of an LSA (`OriginationThrottle`).
        private static let interval = Duration.milliseconds(100)
        /// The longest wait, for a mesh in which something changes all the time.
        private static let longest = Duration.seconds(1)

        init(checksum: UInt32, at now: Instant) {
            self.checksum = checksum
            lastChange = now
            end = now + Self.longest
        }

        /// When the wait is over if the database does not change.
        var deadline: Instant { min(lastChange + Self.interval, end) }

        /// Notes the checksum of the database.
        mutating func note(_ checksum: UInt32, at now: Instant) {
            guard checksum != self.checksum else { return }
            self.checksum = checksum
            lastChange = now
        }
    }

    /// Whether the router runs and its ports are open.
    public var isRouting: Bool {
        switch self {
        case .synchronizing, .running, .draining, .announcingRestart: true
        case .new, .waiting, .adopting, .starting, .stopping: false
        }
    }

    /// Whether initial database synchronization is complete, or was given up; `false` again while the node stops.
    public var isSynchronized: Bool {
        switch self {
        case .running, .draining, .announcingRestart: true
        case .new, .waiting, .adopting, .starting, .synchronizing, .stopping: false
        }
    }

    /// When a timer may end the stage. Not ``Synchronizing/keepRoutesUntil``, which an exchange under way extends.
    var deadline: Instant? {
        switch self {
        case .new, .waiting, .adopting, .running, .draining, .stopping: nil
        case .announcingRestart(let until): until
        case .starting(let stage): stage.portsOpenAt
        case .synchronizing(let stage): stage.settling.map { min($0.deadline, stage.deadline) } ?? stage.deadline
        }
    }
}
