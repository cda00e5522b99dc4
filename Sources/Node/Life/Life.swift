public import Timing

/// Where a node stands between start and stop. Each stage carries what belongs to it alone.
public enum Life: Hashable, Sendable {
    /// The node was made and has not been started.
    case new
    /// There is no port to take an identity from yet.
    case waiting
    /// The node knows who it is, and reads what an earlier run left in the kernel.
    case adopting
    /// The router is there; its ports stay closed until the health checks have reported once.
    case starting(Starting)
    /// Adjacencies form and databases are exchanged; routes of an earlier run are kept.
    case synchronizing(Synchronizing)
    /// Initial database synchronization is complete.
    case running
    /// As ``running``, but drained, as a stop follows.
    case draining
    /// The agent is about to end.
    case stopping

    /// What belongs to ``Life/starting(_:)``.
    public struct Starting: Hashable, Sendable {
        /// When ports open at the latest.
        public var portsOpenAt: Instant
        /// Routes of an earlier run that the kernel holds.
        public var adoptedRoutes: Int
    }

    /// What belongs to ``Life/synchronizing(_:)``.
    public struct Synchronizing: Hashable, Sendable {
        /// When it ends at the latest: there has been time enough for every neighbour to speak.
        public var deadline: Instant
        /// Until when the routes of an earlier run stay as they are: what is half known must not take away what was whole.
        public var keepRoutesUntil: Instant?
        /// Routes of an earlier run that the kernel held.
        public var adoptedRoutes: Int
    }

    /// Whether the router runs and its ports are open.
    public var isRouting: Bool {
        switch self {
        case .synchronizing, .running, .draining: true
        case .new, .waiting, .adopting, .starting, .stopping: false
        }
    }

    /// Whether initial database synchronization is complete.
    public var isSynchronized: Bool {
        switch self {
        case .running, .draining: true
        case .new, .waiting, .adopting, .starting, .synchronizing, .stopping: false
        }
    }

    /// When the stage ends by the clock.
    var deadline: Instant? {
        switch self {
        case .new, .waiting, .adopting, .running, .draining, .stopping: nil
        case .starting(let stage): stage.portsOpenAt
        case .synchronizing(let stage): stage.deadline
        }
    }
}
