public import Addressing
public import Timing

/// An IPv4 range that the node assigns to itself from a pool that all nodes share. No server assigns ranges: the link-state
/// database has those of the others, and of two nodes with the same range, the one with the lower router ID chooses another
/// (similar to RFC 7695).
public struct SelfAssignedRange: Sendable {
    /// A change of the range.
    public enum Change: Equatable, Sendable {
        /// It was assigned.
        case assigned(IPv4Prefix)
        /// It was released, because a node with a higher router ID has it too.
        case yielded(IPv4Prefix, to: RouterID)
        /// It was released, because it overlaps a subnet that this machine is connected to.
        case releasedForObstacle(IPv4Prefix, Obstacle)
        /// No range of the pool is free: each is in use in the mesh, or reached without it.
        case exhausted
        /// The whole pool lies in a prefix that this machine reaches without the mesh.
        case covered(IPv4Prefix)
    }

    /// A prefix that this machine reaches without the mesh.
    public struct Obstacle: Hashable, Sendable {
        public var prefix: IPv4Prefix
        /// How the machine reaches it, as the end of a sentence: `, which this machine is connected to`.
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
    /// Why the last attempt to assign a range failed, as text; `nil` if it did not, or there was none.
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

    /// Checks whether other nodes have the same range, and assigns one if there is none or it was released. Nothing is
    /// assigned while the mesh is not known (`mayAssign` is false) or the obstacles are not known (`nil`). A range that
    /// overlaps a subnet that this machine is connected to is released; other obstacles only prevent a range from being
    /// assigned. After each conflict, the node waits longer before it gives its range up again (``YieldBackoff``).
    ///
    /// `own` is our router ID, and `seed` determines where in the pool the search starts. `claimants` returns the other
    /// routers that announce exactly a prefix, `used` all prefixes that are taken. `connected` are the subnets of this
    /// machine, `obstacles` its routes of other programs.
    public mutating func review(
        as own: RouterID, seed: UInt64, at now: Instant, mayAssign: Bool, claimants: (IPv4Prefix) -> [RouterID],
        used: () -> [IPv4Prefix], connected: [Obstacle] = [], obstacles: [Obstacle]? = []
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
            changes.append(.yielded(held, to: winner))
        }
        // The machine may have got an address of the subnet after the range was assigned.
        if let held = prefix, let obstacle = connected.first(where: { $0.prefix.overlaps(held) }) {
            prefix = nil
            changes.append(.releasedForObstacle(held, obstacle))
        }
        guard prefix == nil, mayAssign, let obstacles = obstacles.map({ connected + $0 }) else { return changes }
        let cover = obstacles.first {
            $0.prefix.length <= pool.base.length && $0.prefix.contains(pool.base.address)
        }
        if let cover {
            let text = "the pool \(pool.base) lies in \(cover.prefix)\(cover.reason); take another pool"
            if problem != text { changes.append(.covered(cover.prefix)) }
            problem = text
            return changes
        }
        prefix = pool.choose(seed: seed, avoiding: used() + avoided + obstacles.map(\.prefix))
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
