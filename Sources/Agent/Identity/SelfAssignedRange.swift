internal import Addressing
internal import OSPF
internal import Timing

/// An IPv4 range that the node has taken for itself out of a pool that all nodes share. Nobody is asked: what others have
/// is seen in the link-state database, and of two nodes that took the same, the one with the lower router ID gives way
/// (in the manner of RFC 7695).
struct SelfAssignedRange: Sendable {
    /// What happened to it.
    enum Change: Equatable {
        case took(IPv4Prefix)
        /// A node with a higher router ID has it too.
        case gaveWay(IPv4Prefix, to: RouterID)
        /// Everything is in use.
        case noneLeft
    }

    /// What it is for, in words; also the name of the file it is kept in.
    let purpose: String
    let pool: PrefixPool
    /// What the node has now.
    private(set) var prefix: IPv4Prefix?
    /// Whether there was nothing left to take when it was last looked.
    private(set) var isWanting = false
    private var backoff = YieldBackoff()

    /// When to look again although nothing has changed; `nil` is not needed.
    private(set) var nextReview: Instant?

    /// Begins with what an earlier run had, if it is still in the pool.
    init(purpose: String, pool: PrefixPool, saved: IPv4Prefix?) {
        self.purpose = purpose
        self.pool = pool
        prefix = saved.flatMap { pool.contains($0) ? $0 : nil }
    }

    /// Looks whether others have the same, and takes another if need be. A node that does not know the mesh yet
    /// (`mayTake` is false) takes nothing; one that has given way lately keeps what it has for longer each time.
    mutating func review(
        as own: RouterID, seed: UInt64, at now: Instant, mayTake: Bool, claimants: (IPv4Prefix) -> [RouterID],
        used: () -> [IPv4Prefix]
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
        guard prefix == nil, mayTake else { return changes }
        prefix = pool.choose(seed: seed, avoiding: used() + avoided)
        if let prefix {
            isWanting = false
            changes.append(.took(prefix))
        } else if !isWanting {
            isWanting = true
            changes.append(.noneLeft)
        }
        return changes
    }
}
