import ShortestPath
import Testing

struct ShortestPathsTests {
    /// Searches one random network from three roots in turn, with the same `ShortestPaths`, and compares with the oracle.
    private func check(
        seed: UInt64, routers: Int, networks: Int, cables: Int, largestCost: UInt16, stubShare: Double = 0.1
    ) {
        var random = SplitMix(seed: seed)
        let network = RandomNetwork.random(
            routers: routers, networks: networks, cables: cables, largestCost: largestCost, stubShare: stubShare,
            using: &random)
        let graph = network.graph()
        var paths = ShortestPaths()
        for _ in 0..<3 {
            let root = Int.random(in: 0..<routers, using: &random)
            let hops = network.firstHops(of: root)
            paths.search(graph, from: Vertex(rawValue: UInt32(root)), firstHops: hops)
            let difference = Oracle(network, root: root, hops: hops).firstDifference(from: paths)
            #expect(difference == nil, "seed \(seed), root \(root)")
        }
    }

    @Test func pathsAgreeWithTheOracleIfManyAreEqual() {
        for seed in 0..<150 as Range<UInt64> {
            check(seed: seed, routers: 24, networks: 8, cables: 30, largestCost: 3)
        }
    }

    @Test func pathsAgreeWithTheOracleInSparseGraphs() {
        for seed in 1000..<1100 as Range<UInt64> {
            check(seed: seed, routers: 30, networks: 5, cables: 22, largestCost: 20, stubShare: 0.3)
        }
    }

    @Test func pathsAgreeWithTheOracleUpToTheLargestCost() {
        for seed in 2000..<2060 as Range<UInt64> {
            check(seed: seed, routers: 20, networks: 6, cables: 40, largestCost: 65535)
        }
    }

    /// More than 64 first hops need more than one word per set.
    @Test func pathsAgreeWithTheOracleBeyond64FirstHops() {
        for seed in 3000..<3020 as Range<UInt64> {
            check(seed: seed, routers: 12, networks: 4, cables: 900, largestCost: 2)
        }
    }

    @Test func zeroCostStepsFromNetworksAreSettledFirst() {
        // Two paths of cost 2 to router 3: over router 1 (1 + 1), and over network 4 (2 + 0). Router 2, behind router 3, must
        // have the first hops of both.
        var network = RandomNetwork()
        network.kinds = [.router, .router, .router, .router, .network]
        network.isTransit = Array(repeating: true, count: 5)
        network.edges = [
            [(1, 1), (4, 2)], [(0, 1), (3, 1)], [(3, 1)], [(1, 1), (2, 1), (4, 2)], [(0, 0), (3, 0)],
        ]
        let hops = network.firstHops(of: 0)
        var paths = ShortestPaths()
        paths.search(network.graph(), from: Vertex(rawValue: 0), firstHops: hops)
        #expect(paths.distance(to: Vertex(rawValue: 3)) == 2)
        #expect(paths.firstHops(to: Vertex(rawValue: 3)) == FirstHopSet([0, 1]))
        #expect(paths.firstHops(to: Vertex(rawValue: 2)) == FirstHopSet([0, 1]))
    }

    @Test func parallelEdgesAreSeparateFirstHops() {
        var graph = Graph()
        let a = graph.addVertex(.router)
        let b = graph.addVertex(.router)
        let c = graph.addVertex(.router)
        graph.setEdges(of: a, to: [Edge(to: b, cost: 5), Edge(to: b, cost: 5), Edge(to: b, cost: 6)])
        graph.setEdges(of: b, to: [Edge(to: c, cost: 1)])
        var paths = ShortestPaths()
        paths.search(
            graph, from: a,
            firstHops: [
                FirstHop(to: b, cost: 5, number: 70), FirstHop(to: b, cost: 5, number: 3),
                FirstHop(to: b, cost: 6, number: 4),
            ])
        #expect(paths.firstHops(to: c) == FirstHopSet([3, 70]))
        #expect(paths.firstHops(to: a).isEmpty)
        #expect(paths.distance(to: a) == 0)
    }

    /// An edge of the root that is no first hop counts for distances, but gives no first hop.
    @Test func anEdgeWithoutFirstHopCountsForDistanceOnly() {
        var graph = Graph()
        let a = graph.addVertex(.router)
        let b = graph.addVertex(.router)
        graph.setEdges(of: a, to: [Edge(to: b, cost: 5)])
        var paths = ShortestPaths()
        paths.search(graph, from: a, firstHops: [])
        #expect(paths.distance(to: b) == 5)
        #expect(paths.firstHops(to: b).isEmpty)
    }

    @Test func stubRoutersAreReachedButNoPathLeadsThroughThem() {
        // a – b – c, where b is a stub router. Searched from a, then from b.
        var graph = Graph()
        let a = graph.addVertex(.router)
        let b = graph.addVertex(.router)
        let c = graph.addVertex(.router)
        graph.setEdges(of: a, to: [Edge(to: b, cost: 1)])
        graph.setEdges(of: b, to: [Edge(to: a, cost: 1), Edge(to: c, cost: 1)])
        graph.setTransit(b, false)
        var paths = ShortestPaths()
        paths.search(graph, from: a, firstHops: [])
        #expect(paths.distance(to: b) == 1)
        #expect(paths.distance(to: c) == nil)
        paths.search(graph, from: b, firstHops: [])
        #expect(paths.distance(to: c) == 1)
        graph.setTransit(b, true)
        paths.search(graph, from: a, firstHops: [])
        #expect(paths.distance(to: c) == 2)
    }

    @Test func distancesBeyondTheRangeAreUnreachable() {
        // A chain of 39,999 edges at the largest cost is longer than 2³¹. Distances up to 2³¹ − 2¹⁶ − 1 are exact
        // (`Search.farthest`).
        var graph = Graph()
        let chain = (0..<40_000).map { _ in graph.addVertex(.router) }
        for (from, to) in zip(chain, chain.dropFirst()) { graph.setEdges(of: from, to: [Edge(to: to, cost: 65535)]) }
        var paths = ShortestPaths()
        paths.search(graph, from: chain[0], firstHops: [FirstHop(to: chain[1], cost: 65535, number: 0)])
        #expect(paths.distance(to: chain[32_000]) == 2_097_120_000)
        #expect(paths.firstHops(to: chain[32_000]) == FirstHopSet([0]))
        #expect(paths.distance(to: chain[39_999]) == nil)
        #expect(paths.firstHops(to: chain[39_999]).isEmpty)
        // The next search is not affected. 9 × 65535 = 589,815.
        paths.search(graph, from: chain[39_990], firstHops: [])
        #expect(paths.distance(to: chain[39_999]) == 589_815)
        #expect(paths.distance(to: chain[0]) == nil)
    }
}
