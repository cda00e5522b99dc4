import Addressing
import OSPFPacket
import ShortestPath

/// Calculates routes from the link-state database (RFC 5340 §4.8, RFC 2328 §16), with work in proportion to the change.
///
/// ``databaseChanged(_:to:)`` receives every LSA whose contents changed. The calculation stores what it needs of an LSA
/// in decoded form. ``run(root:neighbors:maximumPaths:)`` updates the routes and returns the differences from the last
/// run.
public struct RouteCalculation: Sendable {
    /// The numbers of runs, by the work that they did.
    public internal(set) var statistics = RouteCalculationStatistics()

    /// The area's routers and networks.
    var topology = Topology()
    /// The announcers and the destinations of prefixes.
    var prefixes: PrefixTable
    /// The paths to AS boundary routers that border routers announce, by the boundary router's vertex.
    var interAreaRouters: [Vertex: [InterAreaRouter]] = [:]
    /// Whether ``interAreaRouters`` changed since the last run.
    var hasNewInterAreaRouters = false
    /// The contribution of each LSA, so that it can be removed.
    var contributions: [LSAKey: Contribution] = [:]
    /// What routers announce about themselves; a router may have several Router Information LSAs.
    var information: [RouterID: [(key: LSAKey, hostname: String?, smallestMTU: UInt32?)]] = [:]

    /// Steps of the last run: vertices, announcements looked at, lengths of prefixes tried for forwarding addresses.
    var lastWork = 0
    /// The shortest paths of the last run, and the view from which they were calculated.
    var paths = ShortestPaths()
    var view = LocalView()

    /// Whether the area is the backbone. In the backbone, no path to an AS boundary router is preferred because of its
    /// area.
    let isBackbone: Bool

    /// Gives this calculation storage of its own.
    mutating func detach() {
        topology.detach()
        prefixes.detach()
        contributions.detach()
        information.detach()
        paths.detach()
    }

    /// Makes a calculation over an empty database.
    public init(limits: RouterLimits = RouterLimits(), isBackbone: Bool = true) {
        self.isBackbone = isBackbone
        prefixes = PrefixTable(limits: limits)
    }
}

/// The input of a run besides the database: the root, its neighbors and its links.
struct LocalView: Equatable, Sendable {
    /// The router that calculates, and its vertex if it has a router-LSA.
    var root = RouterID.none
    var vertex: Vertex?
    /// The exits of the root, sorted by next hop. A first hop's number is its index here.
    var exits: [Exit] = []
    var firstHops: [FirstHop] = []
    /// The networks that the root is attached to, with the cost and the exit onto the link.
    var attachedNetworks: [FirstHop] = []
    var maximumPaths = 1
}

/// A first hop out of the root: a neighbor, or the link of an interface itself.
struct Exit: Equatable, Sendable {
    var nextHop: NextHop
    /// `nil` where the destination itself is on the link.
    var neighbor: UsableNeighbor?

    init(_ neighbor: UsableNeighbor) {
        nextHop = neighbor.nextHop
        self.neighbor = neighbor
    }

    init(onLink interface: UInt32) { nextHop = NextHop(onLink: interface) }

    /// By next hop first. Two router IDs can have one address while a neighbor changes its router ID.
    static func precedes(_ left: Exit, _ right: Exit) -> Bool {
        if left.nextHop != right.nextHop { return left.nextHop < right.nextHop }
        guard let one = left.neighbor, let other = right.neighbor else { return false }
        return (one.routerID, one.interfaceID) < (other.routerID, other.interfaceID)
    }
}

/// The distance from an area border router to an AS boundary router, as the former announces it (RFC 5340 §4.4.3.5).
struct InterAreaRouter: Equatable, Sendable {
    var key: LSAKey
    var border: Vertex
    var metric: UInt32
}

/// The contribution of an LSA. It retains the vertices that it refers to.
enum Contribution: Sendable {
    case router(Vertex)
    case network(Vertex)
    case intraArea(Vertex, [LSAPrefix])
    /// Inter-area-prefix- and AS-external-LSAs: one prefix, one candidate.
    case prefix(IPv6Prefix, Candidate)
    case interAreaRouter(border: Vertex, boundary: Vertex)
    case information
}
