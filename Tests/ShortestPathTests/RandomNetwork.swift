import ShortestPath
import Timing

/// SplitMix64: a small generator of random numbers; a seed gives the same ones everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// A graph as plain lists, by vertex: the source of both a ``Graph`` and the oracle's result.
struct RandomNetwork {
    var kinds: [Graph.Kind] = []
    var isTransit: [Bool] = []
    var edges: [[(target: Int, cost: UInt16)]] = []

    /// Routers and networks: cables, parallel cables, one in ten with an edge in one direction only, networks with up to six
    /// edges to routers, and stub routers (`stubShare` of the routers).
    static func random(
        routers: Int, networks: Int, cables: Int, largestCost: UInt16, stubShare: Double, using random: inout SplitMix
    ) -> RandomNetwork {
        var result = RandomNetwork()
        for index in 0..<routers + networks {
            result.kinds.append(index < routers ? .router : .network)
            result.isTransit.append(index >= routers || Double.random(in: 0..<1, using: &random) >= stubShare)
            result.edges.append([])
        }
        for _ in 0..<cables {
            let a = Int.random(in: 0..<routers, using: &random)
            let b = Int.random(in: 0..<routers, using: &random)
            guard a != b else { continue }
            result.edges[a].append((b, UInt16.random(in: 1...largestCost, using: &random)))
            if Int.random(in: 0..<10, using: &random) == 0 { continue }
            result.edges[b].append((a, UInt16.random(in: 1...largestCost, using: &random)))
        }
        for network in routers..<routers + networks {
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let router = Int.random(in: 0..<routers, using: &random)
                result.edges[router].append((network, UInt16.random(in: 1...largestCost, using: &random)))
                result.edges[network].append((router, 0))
            }
        }
        return result
    }

    /// The same as a ``Graph``. Vertices have the numbers of the lists.
    func graph() -> Graph {
        var graph = Graph()
        let vertices = kinds.map { graph.addVertex($0) }
        for (index, edges) in edges.enumerated() {
            graph.setTransit(vertices[index], isTransit[index])
            graph.setEdges(of: vertices[index], to: Self.edges(edges))
        }
        return graph
    }

    static func edges(_ edges: [(target: Int, cost: UInt16)]) -> [Edge] {
        edges.map { Edge(to: Vertex(rawValue: UInt32($0.target)), cost: $0.cost) }
    }

    /// All first hops of `root`: to each neighbor, and over each network to each router on it, numbered from 0.
    func firstHops(of root: Int) -> [FirstHop] {
        var hops: [FirstHop] = []
        func add(_ target: Int, _ cost: UInt32) {
            guard target != root else { return }
            hops.append(FirstHop(to: Vertex(rawValue: UInt32(target)), cost: cost, number: hops.count))
        }
        for edge in edges[root] {
            if kinds[edge.target] == .router {
                add(edge.target, UInt32(edge.cost))
            } else {
                for step in edges[edge.target] { add(step.target, UInt32(edge.cost) + UInt32(step.cost)) }
            }
        }
        return hops
    }
}

/// Distances and first hops, straight from their definitions: distances between all pairs by the algorithm of Floyd and
/// Warshall, and a first hop belongs to a vertex if its cost and the distance from its end add up to the distance of the
/// vertex.
struct Oracle {
    static let unreachable = Int.max / 4

    let root: Int
    let distances: [Int]
    let firstHops: [Set<Int>]

    init(_ network: RandomNetwork, root: Int, hops: [FirstHop]) {
        let count = network.kinds.count
        var matrix = Array(repeating: Array(repeating: Self.unreachable, count: count), count: count)
        for source in 0..<count {
            // A path may end at a stub router but not lead through it, unless it begins there.
            for edge in network.edges[source] where network.isTransit[source] || source == root {
                matrix[source][edge.target] = min(matrix[source][edge.target], Int(edge.cost))
            }
            matrix[source][source] = 0
        }
        for middle in 0..<count where network.isTransit[middle] {
            for source in 0..<count {
                for target in 0..<count {
                    let detour = matrix[source][middle] + matrix[middle][target]
                    if detour < matrix[source][target] { matrix[source][target] = detour }
                }
            }
        }
        self.root = root
        distances = matrix[root]
        firstHops = (0..<count).map { target in
            var set: Set<Int> = []
            guard target != root, matrix[root][target] < Self.unreachable else { return set }
            for hop in hops where Int(hop.cost) + matrix[hop.vertex.index][target] == matrix[root][target] {
                set.insert(hop.number)
            }
            return set
        }
    }

    /// A description of the first difference from `paths`; `nil` if there is none.
    func firstDifference(from paths: ShortestPaths) -> String? {
        for index in distances.indices {
            let vertex = Vertex(rawValue: UInt32(index))
            let distance = distances[index] == Self.unreachable ? nil : UInt32(distances[index])
            if paths.distance(to: vertex) != distance {
                return
                    "distance to \(index): \(String(describing: paths.distance(to: vertex))), not \(String(describing: distance))"
            }
            if Set(paths.firstHops(to: vertex)) != firstHops[index] {
                return "first hops to \(index): \(Array(paths.firstHops(to: vertex))), not \(firstHops[index].sorted())"
            }
        }
        return nil
    }
}

extension Vertex {
    var index: Int { Int(rawValue) }
}
