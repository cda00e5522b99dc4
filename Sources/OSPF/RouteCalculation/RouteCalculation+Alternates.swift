import Addressing
import OSPFPacket
import ShortestPath

// Loop-free alternates (RFC 5286): to which other neighbor a router can send packets at once when the next hop of their
// destination is lost, while all other routers still use their old routes.
//
// S is this router, E the neighbor on the path to the destination D, and N another neighbor. N is used only if it is loop-free,
// D(N, D) < D(N, S) + D(S, D), and one of these holds:
//
// - node-protecting: D(N, D) < D(N, E) + D(E, D). No shortest path from N leads through E. If E is on a segment, none leads
//   through the segment either, because D(N, E) is at most the distance from N to the segment.
// - downstream: D(N, D) < D(S, D), or both are equal and N has the lower router ID.
//
// So no repair loops, whichever single link, segment or router fails, and although all routers beside it repair at once. A
// packet on its old path, or sent to a downstream alternate, comes nearer to D with every step (by distance, then by router ID).
// Once it is sent to a node-protecting alternate, it does not meet what has failed any more. An alternate that only protects
// from the failure of the link would not be safe: when E fails, two neighbors of E could send packets to each other.

/// A neighbor as a way out of the root.
struct Way: Equatable, Sendable {
    var vertex: Vertex
    var routerID: RouterID
    /// The cost of the link to the neighbor.
    var cost: UInt32
    /// The index of the neighbor among the roots of ``RouteCalculation/neighborDistances``; `nil` if there are too many.
    var row: Int?
    /// Whether packets may be sent through the neighbor: it forwards transit traffic, and neither end of the link has the
    /// largest cost, by which a router asks not to be used (RFC 6987).
    var takesTransit: Bool
}

extension RouteCalculation {
    /// The maximum number of neighbors whose distances are calculated.
    static let maximumAlternates = 64

    /// Finds the ways of a view, by the numbers of their exits.
    func makeWays(_ view: LocalView, links: [(number: Int, peer: Vertex, link: Topology.Link)]) -> [Way?] {
        guard let root = view.vertex else { return [] }
        var ways = [Way?](repeating: nil, count: view.exits.count)
        // Exits that more than one link leads to; only contradictory LSAs make some.
        var isAmbiguous = [Bool](repeating: false, count: view.exits.count)
        for (number, peer, link) in links {
            guard let neighbor = view.exits[number].neighbor,
                let vertex = topology.vertex(named: .router(neighbor.routerID))
            else { continue }
            if ways[number] != nil { isAmbiguous[number] = true }
            let back = topology[vertex].links.lazy.filter { $0.peer == (link.target.isNetwork ? peer : root) }
            let isAvoided =
                back.allSatisfy { $0.cost == .max } || link.cost == .max && topology.graph.isTransit(root)
            ways[number] = Way(
                vertex: vertex, routerID: neighbor.routerID, cost: UInt32(link.cost),
                takesTransit: topology.graph.isTransit(vertex) && !isAvoided)
        }
        var rows: [Vertex: Int] = [:]
        for number in ways.indices {
            if isAmbiguous[number] { ways[number] = nil }
            guard let vertex = ways[number]?.vertex else { continue }
            if rows[vertex] == nil, rows.count < Self.maximumAlternates { rows[vertex] = rows.count }
            ways[number]?.row = rows[vertex]
        }
        return ways
    }

    /// Updates the distances from the neighbors. Returns whether all destinations may have other alternates.
    mutating func updateNeighborDistances() -> Bool {
        var roots: [Vertex] = []
        for way in view.ways {
            if let way, way.row == roots.count { roots.append(way.vertex) }
        }
        let searches = neighborDistances.update(topology.graph, roots: roots)
        lastWork += searches * topology.vertexCount
        guard searches > 0, let root = view.vertex else { return false }
        return neighborDistances.hasChanged(root)
            || view.ways.contains { $0.map { neighborDistances.hasChanged($0.vertex) } ?? false }
    }

    /// The best alternate to the only next hop of a path to a destination with these candidates; `nil` if there is none. There
    /// are none to inter-area routes and to external ones that depend on them, or that have a forwarding address.
    func alternate(to best: BestPath, _ candidates: [Candidate]) -> NextHop? {
        guard !view.ways.isEmpty, let kind = best.kind, kind != .interArea, best.forwardingAddresses.isEmpty,
            let number = best.firstHops.first(where: { _ in true }),
            view.maximumPaths == 1 || best.firstHops.count == 1,
            let primary = view.ways[number], let root = view.vertex, let offers = offers(best, candidates)
        else { return nil }
        let distance = kind == .externalType2 ? best.internalMetric : best.metric
        guard distance >= primary.cost else { return nil }
        // Of the way from the next neighbor on.
        let rest = distance - primary.cost
        var result: (rank: (Int, UInt32), hop: NextHop)?
        for (other, way) in view.ways.enumerated() {
            // An alternate over the same port does not survive the loss of the port.
            guard let way, let row = way.row,
                view.exits[other].nextHop.interface != view.exits[number].nextHop.interface,
                let back = neighborDistances.distance(fromRoot: row, to: root),
                let found = self.distance(from: way, row, to: offers, of: kind)
            else { continue }
            guard way.takesTransit || found.isOwn else { continue }
            guard found.isOwn || found.length < back + distance else { continue }
            let around = neighborDistances.distance(fromRoot: row, to: primary.vertex).map { $0 + rest }
            let protectsNode =
                way.vertex != primary.vertex && (found.isOwn || around.map { found.length < $0 } ?? true)
            let isDownstream =
                found.isOwn || (found.length, way.routerID) < (distance, view.root)
            guard protectsNode || isDownstream else { continue }
            let rank = (protectsNode ? 0 : 1, way.cost + found.length)
            if result.map({ rank < $0.rank }) ?? true { result = (rank, view.exits[other].nextHop) }
        }
        return result?.hop
    }

    /// The candidates that a router chooses from when it has the kind of path `best`; `nil` if a neighbor may choose from
    /// others, or depends on more than the distances to them.
    private func offers(_ best: BestPath, _ candidates: [Candidate]) -> [Candidate]? {
        let all = candidates.prefix { $0.kind <= best.kind! }
        // Some path of a better kind is unreachable from here, and perhaps not from the neighbor.
        guard let first = all.first, first.kind == best.kind else { return nil }
        guard best.kind != .intraArea else { return all.filter { topology[$0.announcer].isPresent } }
        let isSimple = all.allSatisfy {
            $0.forwardingAddress.isUnspecified && topology[$0.announcer].flags.contains(.external)
        }
        guard isSimple else { return nil }
        if best.kind == .externalType1 { return Array(all) }
        guard !all.contains(where: { $0.metric < best.metric }) else { return nil }
        return all.filter { $0.metric == best.metric }
    }

    /// The distance from a neighbor to the nearest of some candidates, in the measure by which routers compare their paths;
    /// `isOwn` if the prefix is the neighbor's own, so that it forwards the packets to no other router.
    private func distance(
        from way: Way, _ row: Int, to offers: [Candidate], of kind: PathKind
    ) -> (length: UInt32, isOwn: Bool)? {
        var least: UInt32?
        for offer in offers {
            if kind == .intraArea, offer.announcer == way.vertex { return (offer.metric, true) }
            guard let reached = neighborDistances.distance(fromRoot: row, to: offer.announcer) else { continue }
            let length = kind == .externalType2 ? reached : reached + offer.metric
            least = Swift.min(least ?? length, length)
        }
        return least.map { ($0, false) }
    }
}
