import ShortestPath
import Testing

struct GraphTests {
    @Test func edgesAreReturnedAsTheyWereSet() {
        var graph = Graph()
        let router = graph.addVertex(.router)
        let other = graph.addVertex(.router)
        let network = graph.addVertex(.network)
        let edges = [Edge(to: other, cost: 65535), Edge(to: network, cost: 1), Edge(to: other, cost: 7)]
        let isChange = graph.setEdges(of: router, to: edges)
        #expect(isChange)
        #expect(graph.edges(of: router) == edges)
        let isRepetitionAChange = graph.setEdges(of: router, to: edges)
        #expect(!isRepetitionAChange)
        graph.setEdges(of: network, to: [Edge(to: router, cost: 0)])
        #expect(graph.edges(of: network) == [Edge(to: router, cost: 0)])
        #expect(graph.kind(of: network) == .network)
    }

    /// An edge from a router costs at least 1; only edges from networks cost 0.
    @Test func anEdgeOfCostZeroFromARouterCostsOne() {
        var graph = Graph()
        let router = graph.addVertex(.router)
        let other = graph.addVertex(.router)
        let network = graph.addVertex(.network)
        graph.setEdges(of: router, to: [Edge(to: other, cost: 0), Edge(to: network, cost: 0)])
        #expect(graph.edges(of: router) == [Edge(to: other, cost: 1), Edge(to: network, cost: 1)])
    }

    /// Nothing of the removed vertex is left in the new one.
    @Test func numbersOfRemovedVerticesAreReused() {
        var graph = Graph()
        let first = graph.addVertex(.router)
        let second = graph.addVertex(.router)
        graph.setEdges(of: first, to: [Edge(to: second, cost: 1)])
        graph.setTransit(first, false)
        graph.removeVertex(first)
        #expect(!graph.contains(first))
        let third = graph.addVertex(.network)
        #expect(third == first)
        #expect(graph.edges(of: third).isEmpty)
        #expect(graph.isTransit(third))
        #expect(graph.vertexBound == 2)
    }

    /// Replaces edge lists at random, thousands of times, and compares with plain arrays.
    @Test func edgesStayRightThroughThousandsOfChanges() {
        var random = SplitMix(seed: 1)
        var graph = Graph()
        var lists: [[Edge]] = []
        for _ in 0..<200 {
            _ = graph.addVertex(.router)
            lists.append([])
        }
        for _ in 0..<5000 {
            let vertex = Int.random(in: 0..<200, using: &random)
            let count = Int.random(in: 0..<40, using: &random)
            let edges = (0..<count).map { _ in
                Edge(
                    to: Vertex(rawValue: UInt32.random(in: 0..<200, using: &random)),
                    cost: UInt16.random(in: 1...65535, using: &random))
            }
            graph.setEdges(of: Vertex(rawValue: UInt32(vertex)), to: edges)
            graph.setTransit(Vertex(rawValue: UInt32(vertex)), Bool.random(using: &random))
            lists[vertex] = edges
        }
        for (index, edges) in lists.enumerated() {
            #expect(graph.edges(of: Vertex(rawValue: UInt32(index))) == edges)
        }
    }
}

struct FirstHopSetTests {
    /// The set is stored in words of 64 bits.
    @Test func aFirstHopSetHoldsNumbersInSeveralWords() {
        var set = FirstHopSet([200, 0, 63, 64])
        #expect(Array(set) == [0, 63, 64, 200])
        #expect(set.count == 4)
        #expect(set.contains(64) && !set.contains(65) && !set.contains(1000) && !set.contains(-1))
        set.removeAll()
        #expect(set.isEmpty)
        #expect(set == FirstHopSet())
        #expect(set.hashValue == FirstHopSet().hashValue)
        #expect(set != FirstHopSet([200]))
    }
}
