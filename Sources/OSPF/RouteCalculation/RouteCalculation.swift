import Addressing
import OSPFPacket
import ShortestPath

/// Calculates routes from the link-state database (RFC 5340 §4.8, RFC 2328 §16), with work in proportion to the change.
///
/// ``databaseChanged(_:to:)`` receives every LSA whose contents changed. The calculation stores what it needs of an LSA
/// in decoded form. ``run(root:neighbors:maximumPaths:)`` updates the routes and returns the differences from the last
/// run.
public struct RouteCalculation: Sendable {
    /// How many runs there were, by the work that they did.
    public internal(set) var statistics = RouteCalculationStatistics()

    /// The area's routers and networks.
    var topology = Topology()
    /// The announcers and the destinations of prefixes.
    var prefixes: PrefixTable
    /// The paths to AS boundary routers that area border routers announce, by the AS boundary router's vertex.
    var interAreaRouters: [Vertex: [InterAreaRouter]] = [:]
    /// Whether ``interAreaRouters`` changed since the last run.
    var hasNewInterAreaRouters = false
    /// What each LSA has contributed to the tables of this value, so that it can be removed from them.
    var contributions: [LSAKey: Contribution] = [:]
    /// What routers announce about themselves; a router may have several Router Information LSAs.
    var information: [RouterID: [Information]] = [:]
    /// The last names of routers that announce none any more, at most ``mostFormerNames``: to tell who left.
    var formerNames: [RouterID: String] = [:]
    static let mostFormerNames = 1024

    /// The work of the last run in steps: vertices, announcements examined, prefix lengths tried for forwarding addresses.
    var lastWork = 0
    /// The shortest paths of the last run, and the view from which they were calculated.
    var paths = ShortestPaths()
    /// The distances from the neighbors that may be alternates, at the last run.
    var neighborDistances = DistanceTable()
    var view = LocalView()

    /// Whether the area is the backbone. RFC 2328 §16.4.1 prefers paths to AS boundary routers inside an area only in areas
    /// other than the backbone.
    let isBackbone: Bool

    /// Copies the storage if another calculation shares it; see `Detach.swift` in `Addressing`.
    mutating func detach() {
        topology.detach()
        prefixes.detach()
        contributions.detach()
        information.detach()
        formerNames.detach()
        paths.detach()
        neighborDistances.detach()
    }

    /// Makes a calculation over an empty database.
    public init(limits: RouterLimits = RouterLimits(), isBackbone: Bool = true) {
        self.isBackbone = isBackbone
        prefixes = PrefixTable(limits: limits)
    }
}

/// What one Router Information LSA of a router announces.
struct Information: Sendable {
    var key: LSAKey
    var hostname: String?
    var smallestMTU: UInt32?
    var portNames: [RouterInformationLSA.PortName]
}

/// The input of a run besides the database: the root, its neighbors and its links.
struct LocalView: Equatable, Sendable {
    /// The router that calculates, and its vertex if it has a router-LSA.
    var root = RouterID.none
    var vertex: Vertex?
    /// The exits of the root, sorted by next hop. Numbers of first hops are indices in this list.
    var exits: [Exit] = []
    /// The first hops to the root's neighbors, for the shortest-path search.
    var firstHops: [FirstHop] = []
    /// The networks onto whose links the root has exits: each with the cost of the link and the number of the exit. They are
    /// not for the search, but for the prefixes of the networks.
    var attachedNetworks: [FirstHop] = []
    var maximumPaths = 1
    /// The neighbors by the numbers of their exits; empty if no alternates are wanted.
    var ways: [Way?] = []
}

/// A way out of the root: to a neighbor, or onto the link of an interface.
struct Exit: Equatable, Sendable {
    var nextHop: NextHop
    /// `nil` where the destination itself is on the link.
    var neighbor: UsableNeighbor?

    init(_ neighbor: UsableNeighbor) {
        nextHop = neighbor.nextHop
        self.neighbor = neighbor
    }

    init(onLink interface: UInt32) { nextHop = NextHop(onLink: interface) }

    /// By next hop first, then by router ID: two neighbors can have one address while a router changes its router ID.
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

/// What an LSA has contributed to a ``RouteCalculation``. It has a reference (``Topology/retain(_:)``) to each of its vertices.
enum Contribution: Sendable {
    case router(Vertex)
    case network(Vertex)
    /// Intra-area-prefix- and IPv4-prefix-LSAs: prefixes of a router or network.
    case intraArea(Vertex, [LSAPrefix])
    /// Inter-area-prefix- and AS-external-LSAs: one prefix, one candidate.
    case prefix(IPv6Prefix, Candidate)
    /// An entry of ``RouteCalculation/interAreaRouters``.
    case interAreaRouter(border: Vertex, boundary: Vertex)
    /// An entry of ``RouteCalculation/information``.
    case information
}
