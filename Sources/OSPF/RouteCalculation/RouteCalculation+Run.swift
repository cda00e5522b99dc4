public import Addressing
import ShortestPath

extension RouteCalculation {
    /// Brings the routes up to date as seen from `root`, whose own router-LSA is taken from the database as everybody
    /// else takes it. A link of its own over which no neighbour is known gives no next hop. Each route keeps at most
    /// `maximumPaths` (at least 1) next hops.
    public mutating func run(root: RouterID, neighbors: [AdjacentNeighbor], maximumPaths: Int) -> RouteTableUpdate {
        precondition(maximumPaths >= 1)
        topology.bringGraphUpToDate()
        announceRefused()
        lastWork = 0
        let old = view
        view = makeView(root: root, neighbors: neighbors, maximumPaths: maximumPaths)
        let scope = bringPathsUpToDate(since: old)
        var update = RouteTableUpdate()
        var best = BestPath()
        var detours = Detours()
        for group in prefixes.takeGroups(scope) {
            lastWork += prefixes.groups[Int(group)].list.candidates.count
            bringUpToDate(group, using: &best, &detours, into: &update)
        }
        lastWork += detours.steps
        prefixes.tell(&update)
        return update
    }

    /// Finds the shortest paths anew if they can have changed; returns which prefixes that may concern.
    private mutating func bringPathsUpToDate(since old: Viewpoint) -> PrefixTable.Scope {
        defer {
            topology.markSeen()
            hasNewInterAreaRouters = false
        }
        let isElsewhere = view.vertex != old.vertex || view.firstHops != old.firstHops
        let hasNewPaths = isElsewhere || paths.isOutdated(by: topology.graph)
        let concernsAll = view != old || topology.hasNewFlags || hasNewInterAreaRouters
        if hasNewPaths {
            statistics.fullRuns += 1
            lastWork += topology.vertexCount
            if let vertex = view.vertex {
                paths.search(topology.graph, from: vertex, firstHops: view.firstHops)
            } else {
                paths.clear()
            }
        } else if topology.graph.hasChanges {
            statistics.incrementalRuns += 1
        } else if concernsAll || prefixes.hasChanges {
            statistics.prefixRuns += 1
        } else {
            statistics.idleRuns += 1
        }
        if concernsAll { return .all }
        return hasNewPaths ? .changed(paths) : .new
    }

    private mutating func bringUpToDate(
        _ group: Int32, using best: inout BestPath, _ detours: inout Detours, into update: inout RouteTableUpdate
    ) {
        let index = Int(group)
        guard !prefixes.groups[index].members.isEmpty else { return }
        choose(prefixes.groups[index].list.candidates, using: &detours, into: &best)
        let isReachable = best.kind != nil && !best.isLocal && !best.firstHops.isEmpty
        guard isReachable else { return prefixes.setDestination(of: group, to: nil) }
        if let known = prefixes.groups[index].destination, isSame(known, best) { return }
        let destination = Destination(
            kind: best.kind!, metric: best.metric, internalMetric: best.internalMetric, announcers: best.announcers,
            nextHops: nextHops(best.firstHops))
        update.destinations.append((DestinationID(rawValue: UInt32(group)), destination))
        prefixes.setDestination(of: group, to: destination)
    }

    private func isSame(_ destination: Destination, _ best: BestPath) -> Bool {
        guard destination.kind == best.kind, destination.metric == best.metric,
            destination.internalMetric == best.internalMetric, destination.announcers == best.announcers
        else { return false }
        var place = 0
        var isSame = true
        forEachNextHop(best.firstHops) { hop in
            isSame = isSame && place < destination.nextHops.count && destination.nextHops[place] == hop
            place += 1
        }
        return isSame && place == destination.nextHops.count
    }

    /// The next hops that numbers stand for, in order.
    func nextHops(_ set: FirstHopSet) -> [NextHop] {
        var result: [NextHop] = []
        result.reserveCapacity(Swift.min(set.count, view.maximumPaths))
        forEachNextHop(set) { result.append($0) }
        return result
    }

    @inline(__always)
    private func forEachNextHop(_ set: FirstHopSet, _ body: (NextHop) -> Void) {
        var last: NextHop?
        var count = 0
        for number in set where count < view.maximumPaths {
            let hop = view.neighbors[number].nextHop
            // Two router IDs can have one address, while a neighbour changes its own.
            guard hop != last else { continue }
            body(hop)
            last = hop
            count += 1
        }
    }
}

// MARK: - The root's surroundings

extension RouteCalculation {
    private func makeView(root: RouterID, neighbors: [AdjacentNeighbor], maximumPaths: Int) -> Viewpoint {
        var view = Viewpoint(root: root, maximumPaths: maximumPaths)
        view.neighbors = neighbors.sorted {
            $0.nextHop != $1.nextHop
                ? $0.nextHop < $1.nextHop : ($0.routerID, $0.interfaceID) < ($1.routerID, $1.interfaceID)
        }
        guard let vertex = topology.vertex(named: .router(root)), topology[vertex].isPresent else { return view }
        view.vertex = vertex
        for link in topology[vertex].links {
            guard let peer = link.peer else { continue }
            for number in view.neighborNumbers(on: link.interfaceID) {
                let neighbor = view.neighbors[number]
                if !link.target.isNetwork {
                    guard neighbor.routerID == link.target.router, neighbor.interfaceID == link.neighborInterfaceID
                    else { continue }
                    view.firstHops.append(FirstHop(to: peer, cost: UInt32(link.cost), number: number))
                } else if neighbor.routerID != root, topology.hasLink(from: peer, to: .router(neighbor.routerID)),
                    let router = topology.vertex(named: .router(neighbor.routerID))
                {
                    view.firstHops.append(FirstHop(to: router, cost: UInt32(link.cost), number: number))
                    guard neighbor.routerID == link.target.router else { continue }
                    view.attachedNetworks.append(FirstHop(to: peer, cost: UInt32(link.cost), number: number))
                }
            }
        }
        return view
    }
}

extension Viewpoint {
    /// The numbers of the neighbours on an interface.
    fileprivate func neighborNumbers(on interface: UInt32) -> Range<Int> {
        var low = 0
        var high = neighbors.count
        while low < high {
            let middle = low + (high - low) / 2
            if neighbors[middle].interface < interface { low = middle + 1 } else { high = middle }
        }
        let end = neighbors[low...].firstIndex { $0.interface != interface } ?? neighbors.count
        return low..<end
    }
}
