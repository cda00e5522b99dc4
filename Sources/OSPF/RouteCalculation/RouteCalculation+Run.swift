public import Addressing
import ShortestPath

extension RouteCalculation {
    /// Updates the routes as seen from `root`, whose own router-LSA is read from the database like that of any other
    /// router. `neighbors` are the usable ones: a link of the root over which there is none gives no next hop. A route has at
    /// most `maximumPaths` (at least 1) next hops. If `findsAlternates`, a single next hop gets a backup where there is a
    /// loop-free alternate.
    public mutating func run(
        root: RouterID, neighbors: [UsableNeighbor], maximumPaths: Int, findsAlternates: Bool = false
    ) -> RouteTableUpdate {
        precondition(maximumPaths >= 1)
        topology.updateGraph()
        announceRefused()
        lastWork = 0
        let old = view
        view = makeView(
            root: root, neighbors: neighbors, maximumPaths: maximumPaths, findsAlternates: findsAlternates)
        let scope = updatePaths(since: old)
        var update = RouteTableUpdate()
        var best = BestPath()
        var forwarding = ForwardingRoutes()
        for group in prefixes.drainGroups(scope) {
            lastWork += prefixes.groups[group].list.candidates.count
            updateDestination(group, using: &best, &forwarding, into: &update)
        }
        lastWork += forwarding.steps
        prefixes.collectChanges(into: &update)
        return update
    }

    /// Runs the shortest-path search if paths may have changed. Returns which groups of prefixes must be calculated.
    private mutating func updatePaths(since old: LocalView) -> PrefixTable.Scope {
        defer {
            topology.markSeen()
            hasNewInterAreaRouters = false
        }
        // Whether the paths begin elsewhere than in the last run.
        let startsDiffer = view.vertex != old.vertex || view.firstHops != old.firstHops
        let hasNewPaths = startsDiffer || paths.isOutdated(by: topology.graph)
        let hasNewAlternates = updateNeighborDistances()
        // Whether routes may change that depend on no changed path.
        let mayAffectAllGroups =
            view != old || hasNewAlternates || topology.hasNewRouterProperties || hasNewInterAreaRouters
        if hasNewPaths {
            statistics.fullRuns += 1
            lastWork += topology.vertexCount
            if let vertex = view.vertex {
                // Our router-LSA may still have a link that is lost, if it was originated a moment ago (MinLSInterval).
                paths.search(
                    topology.graph, from: vertex, firstHops: view.firstHops, startsAtFirstHops: true)
            } else {
                paths.clear()
            }
        } else if topology.graph.hasChanges {
            statistics.incrementalRuns += 1
        } else if mayAffectAllGroups || prefixes.hasChanges {
            statistics.prefixRuns += 1
        } else {
            statistics.idleRuns += 1
        }
        if mayAffectAllGroups { return .all }
        return hasNewPaths || neighborDistances.hasChanges ? .changed(paths, neighborDistances) : .new
    }

    /// Calculates the destination of a group. The arguments are reused for all groups of a run.
    private mutating func updateDestination(
        _ group: GroupNumber, using best: inout BestPath, _ forwarding: inout ForwardingRoutes,
        into update: inout RouteTableUpdate
    ) {
        guard !prefixes.groups[group].members.isEmpty else { return }
        choose(prefixes.groups[group].list.candidates, using: &forwarding, into: &best)
        let isReachable = best.kind != nil && !best.isLocal && best.hasNextHops
        guard isReachable else { return prefixes.setDestination(of: group, to: nil) }
        let candidates = prefixes.groups[group].list.candidates
        let backup = alternate(to: best, candidates)
        let isAnycast = isAnycast(best, candidates)
        if let known = prefixes.groups[group].destination, known.backup == backup, known.isAnycast == isAnycast,
            isSame(known, best)
        {
            return
        }
        let destination = Destination(
            kind: best.kind!, metric: best.metric, internalMetric: best.internalMetric, announcers: best.announcers,
            nextHops: nextHops(best), backup: backup, isAnycast: isAnycast)
        update.destinations.append((group.destinationID, destination))
        prefixes.setDestination(of: group, to: destination)
    }

    /// Whether several routers announce a path of the kind that is the best.
    private func isAnycast(_ best: BestPath, _ candidates: [Candidate]) -> Bool {
        // Behind area border routers is the same destination, whichever of them leads there.
        guard candidates.count > 1, best.kind != .interArea else { return false }
        var first: RouterID?
        for candidate in candidates where candidate.kind == best.kind {
            let router = topology[candidate.announcer].name.router
            if let first, first != router { return true }
            first = router
        }
        return false
    }

    /// Whether a destination would be the same with this path. Usually so, and found without making a list of next hops.
    private func isSame(_ destination: Destination, _ best: BestPath) -> Bool {
        guard destination.kind == best.kind, destination.metric == best.metric,
            destination.internalMetric == best.internalMetric, destination.announcers == best.announcers
        else { return false }
        guard best.forwardingAddresses.isEmpty else { return destination.nextHops == nextHops(best) }
        var place = 0
        var isSame = true
        forEachNextHop(best.firstHops) { hop in
            isSame = isSame && place < destination.nextHops.count && destination.nextHops[place] == hop
            place += 1
        }
        return isSame && place == destination.nextHops.count
    }

    /// The next hops of a path, in order.
    private func nextHops(_ best: BestPath) -> [NextHop] {
        guard !best.forwardingAddresses.isEmpty else { return nextHops(best.firstHops) }
        let all = Set(best.firstHops.map { view.exits[$0].nextHop }).union(best.forwardingAddresses)
        return Array(all.sorted().prefix(view.maximumPaths))
    }

    /// The next hops of a set, in order.
    func nextHops(_ set: FirstHopSet) -> [NextHop] {
        var result: [NextHop] = []
        result.reserveCapacity(Swift.min(set.count, view.maximumPaths))
        forEachNextHop(set) { result.append($0) }
        return result
    }

    /// The exits are sorted by next hop, so ascending numbers give next hops in order. Two exits with one next hop follow each
    /// other (``Exit/precedes(_:_:)``), and count once.
    @inline(__always)
    private func forEachNextHop(_ set: FirstHopSet, _ body: (NextHop) -> Void) {
        var last: NextHop?
        var count = 0
        for number in set where count < view.maximumPaths {
            let hop = view.exits[number].nextHop
            guard hop != last else { continue }
            body(hop)
            last = hop
            count += 1
        }
    }
}

// MARK: - Neighbors and links of the root

extension RouteCalculation {
    /// Finds the first hops of the root: combines its links in the database with its usable neighbors.
    private func makeView(
        root: RouterID, neighbors: [UsableNeighbor], maximumPaths: Int, findsAlternates: Bool
    ) -> LocalView {
        var view = LocalView(root: root, maximumPaths: maximumPaths)
        view.exits = neighbors.map(Exit.init)
        view.exits.sort(by: Exit.precedes)
        guard let vertex = topology.vertex(named: .router(root)), topology[vertex].isPresent else { return view }
        view.vertex = vertex
        addExitsOntoLinks(to: &view)
        var links: [(number: Int, peer: Vertex, link: Topology.Link)] = []
        for link in topology[vertex].links {
            guard let peer = link.peer else { continue }
            for number in view.exitNumbers(on: link.interfaceID) {
                let cost = UInt32(link.cost)
                guard let neighbor = view.exits[number].neighbor else {
                    // The exit onto the link itself, for the prefixes of its network.
                    guard link.target.isNetwork else { continue }
                    view.attachedNetworks.append(FirstHop(to: peer, cost: cost, number: number))
                    continue
                }
                if !link.target.isNetwork {
                    guard neighbor.routerID == link.target.router, neighbor.interfaceID == link.neighborInterfaceID
                    else { continue }
                    view.firstHops.append(FirstHop(to: peer, cost: cost, number: number))
                    links.append((number, peer, link))
                } else if let router = self.router(neighbor, on: peer, root: root) {
                    view.firstHops.append(FirstHop(to: router, cost: cost, number: number))
                    links.append((number, peer, link))
                }
            }
        }
        if findsAlternates { view.ways = makeWays(view, links: links) }
        return view
    }

    /// Adds an exit onto the link of each interface to a network, for destinations on the link itself, if the link has a usable
    /// neighbor that ``router(_:on:root:)`` finds. Without such a neighbor, our interface may be cut off from the network.
    private func addExitsOntoLinks(to view: inout LocalView) {
        var onLink: [Exit] = []
        for link in topology[view.vertex!].links where link.target.isNetwork {
            guard let peer = link.peer, !onLink.contains(where: { $0.nextHop.interface == link.interfaceID }),
                view.exitNumbers(on: link.interfaceID).contains(where: { number in
                    view.exits[number].neighbor.map { router($0, on: peer, root: view.root) != nil } ?? false
                })
            else { continue }
            onLink.append(Exit(onLink: link.interfaceID))
        }
        guard !onLink.isEmpty else { return }
        view.exits += onLink
        view.exits.sort(by: Exit.precedes)
    }

    /// The vertex of a neighbor, if the neighbor is not the root and both it and the network-LSA announce its link to the
    /// network.
    private func router(_ neighbor: UsableNeighbor, on network: Vertex, root: RouterID) -> Vertex? {
        guard neighbor.routerID != root, topology.hasLink(from: network, to: .router(neighbor.routerID)) else {
            return nil
        }
        return topology.vertex(named: .router(neighbor.routerID))
    }
}

extension LocalView {
    /// The numbers of the exits of an interface.
    fileprivate func exitNumbers(on interface: UInt32) -> Range<Int> {
        let start = exits.partitioningIndex { $0.nextHop.interface >= interface }
        return start..<exits[start...].partitioningIndex { $0.nextHop.interface > interface }
    }
}
