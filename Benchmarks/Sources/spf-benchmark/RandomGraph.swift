import ShortestPath
import Timing

/// A random graph in which every vertex has four edges: two cycles through all vertices, each in an order of its own.
/// Both directions of an edge cost the same, 1–100. The same seed gives the same graph.
struct RandomGraph {
    struct Edge {
        var from: Int
        var to: Int
        var cost: UInt16
    }

    let vertices: Int
    let edges: [Edge]

    init(vertices: Int, seed: UInt64) {
        self.vertices = vertices
        var random = SplitMix64(state: seed)
        var edges: [Edge] = []
        for _ in 0..<2 {
            let order = (0..<vertices).shuffled(using: &random)
            for place in 0..<vertices {
                let (a, b) = (order[place], order[(place + 1) % vertices])
                let cost = UInt16.random(in: 1...100, using: &random)
                edges += [Edge(from: a, to: b, cost: cost), Edge(from: b, to: a, cost: cost)]
            }
        }
        self.edges = edges
    }

    /// The graph as the router has it, and the ways out of vertex 0.
    func build() -> (graph: Graph, firstHops: [FirstHop]) {
        var leaving: [[ShortestPath.Edge]] = Array(repeating: [], count: vertices)
        for edge in edges {
            leaving[edge.from].append(ShortestPath.Edge(to: Vertex(rawValue: UInt32(edge.to)), cost: edge.cost))
        }
        var graph = Graph()
        let numbers = leaving.map { _ in graph.addVertex(.router) }
        for (vertex, edges) in zip(numbers, leaving) { graph.setEdges(of: vertex, to: edges) }
        let firstHops = leaving[0].enumerated().map { number, edge in
            FirstHop(to: edge.target, cost: UInt32(edge.cost), number: number)
        }
        return (graph, firstHops)
    }
}

struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
