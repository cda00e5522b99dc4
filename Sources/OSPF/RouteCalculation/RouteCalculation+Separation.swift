public import Addressing
import ShortestPath

extension RouteCalculation {
    /// The reachable routers, as of the last run, that the others could not reach if `router` forwarded nothing: all
    /// but those of the largest part into which the mesh would split. In order.
    public func routersSeparated(without router: RouterID) -> [RouterID] {
        guard let removed = topology.vertex(named: .router(router)) else { return [] }
        let vertices = topology.nodes.indices.map { Vertex(rawValue: UInt32($0)) }.filter {
            $0 != removed && topology.graph.contains($0) && paths.distance(to: $0) != nil
        }
        // Searches start at transit vertices. A vertex that forwards no transit traffic belongs to the part of any of
        // its neighbors.
        let starts = vertices.filter(topology.graph.isTransit) + vertices.filter { !topology.graph.isTransit($0) }
        var isSeen = [Bool](repeating: false, count: topology.nodes.count)
        isSeen[Int(removed.rawValue)] = true
        var parts: [[RouterID]] = []
        for start in starts where !isSeen[Int(start.rawValue)] {
            isSeen[Int(start.rawValue)] = true
            var waiting = [start]
            var part: [RouterID] = []
            while let vertex = waiting.popLast() {
                if !topology[vertex].name.isNetwork { part.append(topology[vertex].name.router) }
                guard topology.graph.isTransit(vertex) else { continue }
                for edge in topology.graph.edges(of: vertex) where !isSeen[Int(edge.target.rawValue)] {
                    isSeen[Int(edge.target.rawValue)] = true
                    waiting.append(edge.target)
                }
            }
            parts.append(part)
        }
        guard let largest = parts.indices.max(by: { parts[$0].count < parts[$1].count }) else { return [] }
        parts.remove(at: largest)
        return parts.joined().sorted()
    }
}
