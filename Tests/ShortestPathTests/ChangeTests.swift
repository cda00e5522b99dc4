import ShortestPath
import Testing

struct ChangeTests {
    /// The links of a root that is a stub router count for its own paths, so their changes do, too.
    @Test func aChangedLinkOfAStubRootOutdatesThePaths() {
        var graph = Graph()
        let root = graph.addVertex(.router)
        let other = graph.addVertex(.router)
        graph.setTransit(root, false)
        graph.setEdges(of: root, to: [Edge(to: other, cost: 1)])
        var paths = ShortestPaths()
        let hops = [FirstHop(to: other, cost: 3817, number: 0)]
        paths.search(graph, from: root, firstHops: hops)
        #expect(paths.distance(to: other) == 1 && paths.firstHops(to: other).isEmpty)
        graph.clearChanges()
        graph.setEdges(of: root, to: [Edge(to: other, cost: 3817)])
        let isOutdated = paths.isOutdated(by: graph)
        #expect(isOutdated)
        paths.search(graph, from: root, firstHops: hops)
        #expect(paths.distance(to: other) == 3817 && paths.firstHops(to: other) == FirstHopSet([0]))
    }

    /// Whether the root forwards for others affects none of its own paths.
    @Test func aChangeOfTheRootsTransitOutdatesNoPath() {
        var graph = Graph()
        let root = graph.addVertex(.router)
        let other = graph.addVertex(.router)
        graph.setEdges(of: root, to: [Edge(to: other, cost: 1)])
        graph.setEdges(of: other, to: [Edge(to: root, cost: 1)])
        var paths = ShortestPaths()
        paths.search(graph, from: root, firstHops: [])
        graph.clearChanges()
        graph.setTransit(root, false)
        graph.setTransit(other, false)
        let isOutdated = paths.isOutdated(by: graph)
        #expect(!isOutdated, "no path leads through the other router")
    }

    /// Changes one graph hundreds of times. If the paths are said to be up to date, a new search must find the same; otherwise
    /// exactly those vertices whose distance or first hops differ must be said to have changed.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func exactlyTheChangedVerticesAreReported(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var network = RandomNetwork.random(
            routers: 30, networks: 6, cables: 45, largestCost: seed < 4 ? 3 : 40, stubShare: 0.1, using: &random)
        if seed % 2 == 1 { network.isTransit[0] = false }
        var graph = network.graph()
        let root = Vertex(rawValue: 0)
        let all = network.kinds.indices.map { Vertex(rawValue: UInt32($0)) }
        // A third of the root's first hops are left out. The root's edges count for distances all the same.
        var hops = network.firstHops(of: 0).filter { $0.number % 3 != Int(seed / 4) }
        var paths = ShortestPaths()
        paths.search(graph, from: root, firstHops: hops)
        graph.clearChanges()
        var upToDateSteps = 0
        for step in 0..<600 {
            for _ in 0..<Int.random(in: 1...2, using: &random) { change(&network, &graph, using: &random) }
            let newHops = network.firstHops(of: 0).filter { $0.number % 3 != Int(seed / 4) }
            let old = all.map { (paths.distance(to: $0), paths.firstHops(to: $0)) }
            if newHops == hops && !paths.isOutdated(by: graph) {
                upToDateSteps += 1
                var fresh = ShortestPaths()
                fresh.search(graph, from: root, firstHops: hops)
                for vertex in all {
                    #expect(paths.distance(to: vertex) == fresh.distance(to: vertex), "seed \(seed), step \(step)")
                    #expect(paths.firstHops(to: vertex) == fresh.firstHops(to: vertex), "seed \(seed), step \(step)")
                }
            } else {
                hops = newHops
                paths.search(graph, from: root, firstHops: hops)
                for (vertex, old) in zip(all, old) {
                    let isSame = old == (paths.distance(to: vertex), paths.firstHops(to: vertex))
                    #expect(paths.hasChanged(vertex) == !isSame, "seed \(seed), step \(step)")
                }
            }
            graph.clearChanges()
        }
        // Each of the two cases must occur in at least a tenth of the 600 steps.
        #expect(upToDateSteps > 60 && upToDateSteps < 540)
    }

    /// Toggles a stub router, adds an edge, removes one, changes a cost, or only changes the order of edges.
    private func change(_ network: inout RandomNetwork, _ graph: inout Graph, using random: inout SplitMix) {
        let vertex = Int.random(in: 0..<network.kinds.count, using: &random)
        let isRouter = network.kinds[vertex] == .router
        let target = Int.random(in: 0..<30, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where isRouter:
            network.isTransit[vertex].toggle()
            graph.setTransit(Vertex(rawValue: UInt32(vertex)), network.isTransit[vertex])
        case 1 where target != vertex:
            let cost = isRouter ? UInt16.random(in: 1...40, using: &random) : 0
            network.edges[vertex].append((target, cost))
        case 2 where network.edges[vertex].count > 2:
            network.edges[vertex].remove(at: Int.random(in: 0..<network.edges[vertex].count, using: &random))
        case 3 where isRouter && !network.edges[vertex].isEmpty:
            let edge = Int.random(in: 0..<network.edges[vertex].count, using: &random)
            network.edges[vertex][edge].cost = UInt16.random(in: 1...40, using: &random)
        default:
            network.edges[vertex].sort { ($0.target, $0.cost) < ($1.target, $1.cost) }
        }
        graph.setEdges(of: Vertex(rawValue: UInt32(vertex)), to: RandomNetwork.edges(network.edges[vertex]))
    }
}
