internal import Addressing
internal import OSPF
internal import ShortestPath

/// The distances between all vertices of an area, and what follows from them about the use of links.
struct AllDistances {
    /// The routers, by their place in rows and columns.
    let routers: [RouterID]
    private let area: AreaGraph
    private let vertices: [Vertex]
    /// By router, then by vertex number; `unreached` where there is no way.
    private let distances: [UInt32]
    private let vertexBound: Int

    private static let unreached = UInt32.max

    init(_ area: AreaGraph) {
        self.area = area
        routers = area.routers.keys.sorted()
        vertices = routers.map { area.routers[$0]! }
        vertexBound = area.graph.vertexBound
        var all: [UInt32] = []
        all.reserveCapacity(routers.count * vertexBound)
        var paths = ShortestPaths()
        for vertex in vertices {
            paths.search(area.graph, from: vertex, firstHops: [])
            for number in 0..<vertexBound {
                all.append(paths.distance(to: Vertex(rawValue: UInt32(number))) ?? Self.unreached)
            }
        }
        distances = all
    }

    /// The distance between the routers at two places; `nil` if there is no way.
    func distance(_ from: Int, _ to: Int) -> UInt32? {
        let value = distances[from * vertexBound + Int(vertices[to].rawValue)]
        return value == Self.unreached ? nil : value
    }

    /// The routers in parts within which all reach each other, the largest part first, each in order. A router that forwards no
    /// transit traffic may be in reach of several parts; it is in the largest of them.
    func parts() -> [[RouterID]] {
        var part = [Int?](repeating: nil, count: routers.count)
        var parts: [[RouterID]] = []
        // Transit routers first: others do not connect what they reach.
        let order =
            routers.indices.filter { area.graph.isTransit(vertices[$0]) }
            + routers.indices.filter { !area.graph.isTransit(vertices[$0]) }
        var members: [[Int]] = []
        for start in order where part[start] == nil {
            members.append([])
            for other in routers.indices where part[other] == nil && (other == start || distance(start, other) != nil) {
                part[other] = members.count - 1
                members[members.count - 1].append(other)
            }
        }
        parts = members.map { $0.map { routers[$0] } }
        return parts.sorted { $0.count != $1.count ? $0.count > $1.count : $0[0] < $1[0] }
    }
}
