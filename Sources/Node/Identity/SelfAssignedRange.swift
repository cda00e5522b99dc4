public import Addressing
public import Timing

/// An IPv4 range that the node assigns to itself from a pool that all nodes share. No server assigns ranges: the link-state
/// database has those of the others, and of two nodes with the same range, the one with the lower router ID chooses another
/// (similar to RFC 7695).
public struct SelfAssignedRange: Sendable {
    /// What a review has changed or found, for the log.
    public enum Change: Equatable, Sendable {
        /// A range was assigned.
        case assigned(IPv4Prefix)
        /// The range was released, because a node with a higher router ID has it too.
        case yielded(IPv4Prefix, to: RouterID)
        /// The range was released, because it overlaps a subnet that this machine is connected to.
        case releasedForObstacle(IPv4Prefix, Obstacle)
        /// No range of the pool is free: each overlaps a prefix in use in the mesh, or an obstacle.
        case exhausted
        /// The whole pool lies in a prefix that this machine reaches without the mesh.
        case covered(IPv4Prefix)
    }

    /// A prefix that this machine reaches without the mesh: a subnet that it is connected to, or the destination of another
    /// program's route. A new range overlaps none.
    public struct Obstacle: Hashable, Sendable {
        public var prefix: IPv4Prefix
        /// How the machine reaches it: a clause that follows the prefix in a text, `, which this machine is connected to`.
        public var reason: String
        public init(prefix: IPv4Prefix, reason: String) {
            self.prefix = prefix
            self.reason = reason
        }
    }

    /// The purpose (``IPv4Ranges/purposes``), also the name of the file that the range is saved in.
    public let purpose: String
    /// The pool that the range is assigned from.
    public let pool: PrefixPool
    /// The range; `nil` if there is none.
    public private(set) var prefix: IPv4Prefix?
    /// Whether the last search found no free range in the pool.
    public private(set) var isPoolExhausted = false
    /// Why the last attempt to assign a range failed, as text; `nil` if it succeeded, even if the range was released since, or
    /// there was none.
    public private(set) var problem: String?
    private var backoff = YieldBackoff()

    /// When the next review is due even if nothing changes; `nil` if none is.
    public private(set) var nextReview: Instant?

    /// Starts with the range of an earlier run if it is in the pool.
    public init(purpose: String, pool: PrefixPool, saved: IPv4Prefix?) {
        self.purpose = purpose
        self.pool = pool
        prefix = saved.flatMap { pool.contains($0) ? $0 : nil }
    }

    /// Releases the range if a node with a higher router ID has it too, or if it overlaps a subnet that this machine is
    /// connected to. Then assigns one if there is none, unless `mayAssign` is false (before initial database synchronization is
    /// over) or `obstacles` is `nil` (not known). After a range was released for another node, ``YieldBackoff`` determines when
    /// the next one may be; while that is too early, a review changes nothing.
    ///
    /// `own` is our router ID, and `seed` determines where in the pool the search starts. `claimants` returns the other
    /// reachable routers that announce exactly this prefix as their own, `used` the prefixes in use in the mesh
    /// (``PrefixPool/choose(seed:avoiding:)``). `connected` are the subnets that this machine is connected to, `obstacles` the
    /// destinations of other programs' routes.
    public mutating func review(
        as own: RouterID, seed: UInt64, at now: Instant, mayAssign: Bool, claimants: (IPv4Prefix) -> [RouterID],
        used: () -> [IPv4Prefix], connected: [Obstacle] = [], obstacles: [Obstacle]? = []
    ) -> [Change] {
        nextReview = nil
        var changes: [Change] = []
        var avoided: [IPv4Prefix] = []
        // The machine may have been connected to the subnet after the range was assigned.
        if let held = prefix, let obstacle = connected.first(where: { $0.prefix.overlaps(held) }) {
            prefix = nil
            changes.append(.releasedForObstacle(held, obstacle))
        }
        if let held = prefix, let winner = claimants(held).max(), winner > own {
            guard backoff.mayYield(at: now) else {
                nextReview = backoff.earliest
                return []
            }
            backoff.yielded(at: now)
            avoided = [held]
            prefix = nil
            changes.append(.yielded(held, to: winner))
        }
        guard prefix == nil, mayAssign, let allObstacles = obstacles.map({ connected + $0 }) else { return changes }
        let cover = allObstacles.first {
            $0.prefix.length <= pool.base.length && $0.prefix.contains(pool.base.address)
        }
        if let cover {
            let text = "the pool \(pool.base) lies in \(cover.prefix)\(cover.reason); take another pool"
            if problem != text { changes.append(.covered(cover.prefix)) }
            problem = text
            return changes
        }
        prefix = pool.choose(seed: seed, avoiding: used() + avoided + allObstacles.map(\.prefix))
        guard let prefix else {
            if !isPoolExhausted { changes.append(.exhausted) }
            isPoolExhausted = true
            problem = "no /\(pool.length) is free in the pool \(pool.base); make the pool larger on all nodes"
            return changes
        }
        isPoolExhausted = false
        problem = nil
        return changes + [.assigned(prefix)]
    }
}
