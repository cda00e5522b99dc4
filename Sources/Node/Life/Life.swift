public import Timing

/// The life cycle stages of a node. Each stage has its own data.
public enum Life: Hashable, Sendable {
    /// Not started.
    case new
    /// Started, without a port to derive an identity from.
    case waiting
    /// The identity is known. The routes that an earlier run left in the kernel are being read.
    case adopting
    /// The router exists. Its ports open when every health check has had an outcome.
    case starting(Starting)
    /// Initial database synchronization. Routes of an earlier run are kept.
    case synchronizing(Synchronizing)
    /// Initial database synchronization is complete.
    case running
    /// Like ``running``, but drained because a stop follows.
    case draining
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
        /// The latest end of the stage: every neighbor has had time for a hello and an exchange.
        public var deadline: Instant
        /// Until this time, routes of an earlier run are not changed, because an incomplete database would remove correct ones.
        public var keepRoutesUntil: Instant?
        /// The number of routes that an earlier run left in the kernel.
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

    /// When a timer ends the stage.
    var deadline: Instant? {
        switch self {
        case .new, .waiting, .adopting, .running, .draining, .stopping: nil
        case .starting(let stage): stage.portsOpenAt
        case .synchronizing(let stage): stage.deadline
        }
    }
}
