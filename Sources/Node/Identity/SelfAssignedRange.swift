public import Addressing
public import Timing

/// An IPv4 range that the node has taken for itself out of a pool that all nodes share. Nobody is asked: what others have
/// is seen in the link-state database, and of two nodes that took the same, the one with the lower router ID gives way
/// (in the manner of RFC 7695).
public struct SelfAssignedRange: Sendable {
    /// What happened to it.
    public enum Change: Equatable, Sendable {
        /// It was taken.
        case took(IPv4Prefix)
        /// A node with a higher router ID has it too.
        case gaveWay(IPv4Prefix, to: RouterID)
        /// Everything is in use.
        case noneLeft
        /// The whole pool lies in a prefix that this machine reaches otherwise.
        case covered(IPv4Prefix)
    }

    /// A prefix that this machine reaches otherwise than by the mesh.
    public struct Obstacle: Hashable, Sendable {
        /// The prefix.
        public var prefix: IPv4Prefix
        /// How it is reached, as the end of a sentence: `, which this machine is connected to`.
        public var reason: String
        /// Describes an obstacle.
        public init(prefix: IPv4Prefix, reason: String) {
            self.prefix = prefix
            self.reason = reason
        }
    }

    /// What it is for, in words; also the name of the file it is kept in.
    public let purpose: String
    /// Where it is taken from.
    public let pool: PrefixPool
    /// What the node has now.
    public private(set) var prefix: IPv4Prefix?
    /// Whether there was nothing left to take when it was last looked.
    public private(set) var isWanting = false
    /// Why the node has none, in words; `nil` if it has one or has not looked yet.
    public private(set) var problem: String?
    private var backoff = YieldBackoff()

    /// When to look again although nothing has changed; `nil` is not needed.
    public private(set) var nextReview: Instant?

    /// Begins with what an earlier run had, if it is still in the pool.
    public init(purpose: String, pool: PrefixPool, saved: IPv4Prefix?) {
        self.purpose = purpose
        self.pool = pool
        prefix = saved.flatMap { pool.contains($0) ? $0 : nil }
    }

    /// Looks whether others have the same, and takes another if need be. A node that does not know the mesh yet
    /// (`mayTake` is false) takes nothing, nor does one that does not know what is in its way (`obstacles` is `nil`); one that
    /// has given way lately keeps what it has for longer each time.
    public mutating func review(
        as own: RouterID, seed: UInt64, at now: Instant, mayTake: Bool, claimants: (IPv4Prefix) -> [RouterID],
        used: () -> [IPv4Prefix], obstacles: [Obstacle]? = []
    ) -> [Change] {
        nextReview = nil
        var changes: [Change] = []
        var avoided: [IPv4Prefix] = []
        if let held = prefix, let winner = claimants(held).max(), winner > own {
            guard backoff.mayYield(at: now) else {
                nextReview = backoff.earliest
                return []
            }
            backoff.yielded(at: now)
            avoided = [held]
            prefix = nil
            changes.append(.gaveWay(held, to: winner))
        }
        guard prefix == nil, mayTake, let obstacles else { return changes }
        let cover = obstacles.first {
            $0.prefix.length <= pool.base.length && $0.prefix.contains(pool.base.address)
        }
        if let cover {
            if problem == nil { changes.append(.covered(cover.prefix)) }
            problem = "the pool \(pool.base) lies in \(cover.prefix)\(cover.reason); take another pool"
            return changes
        }
        prefix = pool.choose(seed: seed, avoiding: used() + avoided + obstacles.map(\.prefix))
        guard let prefix else {
            if !isWanting { changes.append(.noneLeft) }
            isWanting = true
            problem = "nothing is left of \(pool.base) for a /\(pool.length) of this node; make the pool larger"
            return changes
        }
        isWanting = false
        problem = nil
        return changes + [.took(prefix)]
    }
}
