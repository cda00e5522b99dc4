public import Addressing
import ShortestPath

extension RouteCalculation {
    /// The routers, of those reachable in the last run, that would be cut off if `router` forwarded nothing: the mesh would
    /// split into parts, and these are the routers of all parts but the largest. In order.
    public func routersSeparated(without router: RouterID) -> [RouterID] {
        guard let removed = topology.vertex(named: .router(router)) else { return [] }
        let vertices = topology.nodes.indices.map { Vertex(rawValue: UInt32($0)) }.filter {
            $0 != removed && topology.graph.contains($0) && paths.distance(to: $0) != nil
        }
        // Searches start at transit vertices first. A vertex that forwards no transit traffic belongs to the part of a transit
        // vertex next to it; only without one, except for the removed router, is it a part of its own.
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
