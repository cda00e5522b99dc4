internal import Addressing
internal import OSPF

/// The shape of a mesh: who is connected to whom, before costs and qualities.
public enum Topology: Hashable, Sendable, CustomStringConvertible {
    /// Each node connected to the next.
    case line(Int)
    /// The ends of a line connected.
    case ring(Int)
    /// Node 0 connected to all others.
    case star(Int)
    /// Every node with every other.
    case fullMesh(Int)
    /// Rows and columns.
    case grid(width: Int, height: Int)
    /// Each node connected to an earlier one, chosen at random.
    case tree(Int)
    /// A tree with this many further cables between random nodes; cables may be parallel.
    case random(nodes: Int, extra: Int)
    /// `degree` cables at each node, rounded down to an even number and at least 2, to random others.
    case regular(nodes: Int, degree: Int)
    /// All on one segment.
    case lan(Int)
    /// Segments in a row, each of which shares one node with the next, and cables between random nodes.
    case lans(segments: Int, nodesEach: Int, cables: Int)

    /// How many nodes it has.
    public var nodeCount: Int {
        switch self {
        case .line(let count), .ring(let count), .star(let count), .fullMesh(let count), .tree(let count),
            .lan(let count), .random(let count, _), .regular(let count, _):
            count
        case .grid(let width, let height): width * height
        case .lans(let segments, let nodesEach, _): segments * (nodesEach - 1) + 1
        }
    }

    /// The nodes on each link. Two nodes mean a cable unless ``isSegment(_:)``.
    func links(_ random: inout RandomSource) -> [[Int]] {
        switch self {
        case .line(let count): return (1..<count).map { [$0 - 1, $0] }
        case .ring(let count): return (0..<count).map { [$0, ($0 + 1) % count] }
        case .star(let count): return (1..<count).map { [0, $0] }
        case .fullMesh(let count): return (0..<count).flatMap { a in (a + 1..<count).map { [a, $0] } }
        case .grid(let width, let height):
            return (0..<width * height).flatMap { node -> [[Int]] in
                var links: [[Int]] = []
                if node % width + 1 < width { links.append([node, node + 1]) }
                if node / width + 1 < height { links.append([node, node + width]) }
                return links
            }
        case .tree(let count): return (1..<count).map { [random.below($0), $0] }
        case .random(let nodes, let extra):
            let tree = (1..<nodes).map { [random.below($0), $0] }
            return tree + (0..<extra).map { _ in Self.pair(of: nodes, &random) }
        case .regular(let nodes, let degree): return Self.regular(nodes, degree, &random)
        case .lan(let count): return [Array(0..<count)]
        case .lans(let segments, let nodesEach, let cables):
            let rows = (0..<segments).map { segment in
                Array(segment * (nodesEach - 1)...(segment + 1) * (nodesEach - 1))
            }
            return rows + (0..<cables).map { _ in Self.pair(of: nodeCount, &random) }
        }
    }

    /// Whether the link at this place of ``links(_:)`` is a segment.
    func isSegment(_ link: Int) -> Bool {
        switch self {
        case .lan: true
        case .lans(let segments, _, _): link < segments
        default: false
        }
    }

    /// Two different nodes, chosen at random.
    private static func pair(of nodes: Int, _ random: inout RandomSource) -> [Int] {
        let first = random.below(nodes)
        return [first, (first + 1 + random.below(nodes - 1)) % nodes]
    }

    /// The cables form rings through all nodes in random orders, half as many rings as the degree, so that the mesh is
    /// connected and regular.
    private static func regular(_ nodes: Int, _ degree: Int, _ random: inout RandomSource) -> [[Int]] {
        var links: [[Int]] = []
        for _ in 0..<max(1, degree / 2) {
            var order = Array(0..<nodes)
            random.shuffle(&order)
            links += order.indices.map { [order[$0], order[($0 + 1) % nodes]] }
        }
        return links
    }

    /// The shape and the size.
    public var description: String {
        switch self {
        case .line(let count): "line:\(count)"
        case .ring(let count): "ring:\(count)"
        case .star(let count): "star:\(count)"
        case .fullMesh(let count): "mesh:\(count)"
        case .grid(let width, let height): "grid:\(width)x\(height)"
        case .tree(let count): "tree:\(count)"
        case .random(let nodes, let extra): "random:\(nodes)+\(extra)"
        case .regular(let nodes, let degree): "regular:\(nodes)/\(degree)"
        case .lan(let count): "lan:\(count)"
        case .lans(let segments, let nodesEach, let cables): "lans:\(segments)x\(nodesEach)+\(cables)"
        }
    }
}

extension NetworkPlan {
    /// A mesh of good links that all have the same cost, in which each node announces an address and a range for its pods.
    /// `seed` determines the links of random topologies.
    public init(topology: Topology, seed: UInt64 = 0) {
        var random = RandomSource(seed: seed)
        let nodes = (0..<topology.nodeCount).map { node in
            NodePlan(
                routerID: RouterID(UInt32(node + 1)),
                prefixes: [
                    AdvertisedPrefix(prefix: ScenarioGenerator.hostPrefix(of: node)),
                    AdvertisedPrefix(prefix: ScenarioGenerator.podPrefix(of: node)),
                ])
        }
        let links = topology.links(&random).enumerated().map { index, members in
            let isSegment = topology.isSegment(index)
            let ends = members.map { EndPlan(node: $0, kind: isSegment ? .broadcast : .pointToPoint) }
            return LinkPlan(ends: ends, isSegment: isSegment)
        }
        self.init(nodes: nodes, links: links)
    }
}
