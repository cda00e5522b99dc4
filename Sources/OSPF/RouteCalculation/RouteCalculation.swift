public import Addressing
public import OSPFPacket

/// From a link-state database to routes (RFC 5340 §4.8, RFC 2328 §16), doing only the work that a change calls for.
///
/// It is told of every LSA whose content changed, and keeps what it needs of them in decoded form. ``run(root:neighbors:maximumPaths:)``
/// then brings the routes up to date and says what is different from the last time.
public struct RouteCalculation: Sendable {
    /// How many runs did how much.
    public private(set) var statistics = RouteCalculationStatistics()

    /// Makes a calculation over an empty database.
    public init() {}

    /// Takes note of an LSA with new content, or (`nil`) of one that is gone or has reached MaxAge. Not to be called for
    /// mere refreshes, though it would do no harm. A body that cannot be decoded counts as absent.
    public mutating func databaseChanged(_ key: LSAKey, to lsa: LSA?) {
    }

    /// Brings the routes up to date as seen from `root`, whose own router-LSA is taken from the database as everybody
    /// else takes it. A link of its own over which no neighbour is known gives no next hop. Each route keeps at most
    /// `maximumPaths` (at least 1) next hops.
    public mutating func run(root: RouterID, neighbors: [AdjacentNeighbor], maximumPaths: Int) -> RouteTableUpdate {
        RouteTableUpdate()
    }
}
