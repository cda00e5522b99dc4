import ShortestPath

extension Topology {
    /// Replaces the links of a vertex, and records all vertices whose edges with it may change. ``updateGraph()``
    /// updates the edges once for all changes. The work is n log n in the links of the vertex, regardless of the
    /// contents of the LSAs: forged ones may have a thousand networks list one router that has a million links.
    mutating func setLinks(of vertex: Vertex, to links: [Link]) {
        let index = Int(vertex.rawValue)
        let name = nodes[index].name
        verticesWithOutdatedEdges.insert(vertex)
        // First the old links: the links back from the other ends have no peer any more.
        for group in groups(of: index) {
            guard let peer = nodes[index].links[group].first(where: { $0.peer != nil })?.peer else { continue }
            verticesWithOutdatedEdges.insert(peer)
            for place in range(of: name, in: peer) { nodes[Int(peer.rawValue)].links[place].peer = nil }
        }
        nodes[index].links = Self.sortedWithoutDuplicates(links)
        for group in groups(of: index) {
            let target = nodes[index].links[group.lowerBound].target
            guard let peer = self.vertex(named: target), peer != vertex, connect(index, group, with: peer) else {
                continue
            }
            verticesWithOutdatedEdges.insert(peer)
        }
    }

    /// Whether `vertex` has a link to `target` that both ends announce.
    func hasLink(from vertex: Vertex, to target: Name) -> Bool {
        range(of: target, in: vertex).contains { self[vertex].links[$0].peer != nil }
    }

    /// Connects the links in `group`, which are those of a vertex to `peer`, with the links of `peer` back to the vertex.
    /// Returns whether any link is announced by both ends.
    ///
    /// Between routers the interface IDs must mirror each other. RFC 2328 §16.1 (2b) accepts any link back. But of two
    /// parallel cables, one may be known to one end only, and packets sent into it would be lost.
    private mutating func connect(_ index: Int, _ group: Range<Int>, with peer: Vertex) -> Bool {
        let vertex = Vertex(rawValue: UInt32(index))
        let other = Int(peer.rawValue)
        let back = range(of: nodes[index].name, in: peer)
        guard !back.isEmpty else { return false }
        if nodes[index].name.isNetwork || nodes[other].name.isNetwork {
            for place in group { nodes[index].links[place].peer = peer }
            for place in back { nodes[other].links[place].peer = vertex }
            return true
        }
        var isConnected = false
        for place in group {
            // What the link back looks like, with the lowest cost, so that the search finds it whatever its cost is.
            var mirrored = nodes[index].links[place]
            mirrored.target = nodes[index].name
            swap(&mirrored.interfaceID, &mirrored.neighborInterfaceID)
            mirrored.cost = 0
            let found = nodes[other].links[back].partitioningIndex { !Link.precedes($0, mirrored) }
            guard found < back.upperBound, nodes[other].links[found].interfaceID == mirrored.interfaceID,
                nodes[other].links[found].neighborInterfaceID == mirrored.neighborInterfaceID
            else { continue }
            nodes[index].links[place].peer = peer
            nodes[other].links[found].peer = vertex
            isConnected = true
        }
        return isConnected
    }

    /// One edge to each peer, with the cost of the cheapest link.
    func edges(of vertex: Vertex) -> [Edge] {
        var edges: [Edge] = []
        for link in self[vertex].links {
            guard let peer = link.peer else { continue }
            if let last = edges.last, last.target == peer {
                edges[edges.count - 1].cost = min(last.cost, link.cost)
            } else {
                edges.append(Edge(to: peer, cost: link.cost))
            }
        }
        return edges
    }

    /// Sorts the links. Of links with the same target and interface IDs, keeps the first, which is the cheapest.
    private static func sortedWithoutDuplicates(_ links: [Link]) -> [Link] {
        var result: [Link] = []
        result.reserveCapacity(links.count)
        for link in links.sorted(by: Link.precedes) {
            if let last = result.last, last.target == link.target, last.interfaceID == link.interfaceID,
                last.neighborInterfaceID == link.neighborInterfaceID
            {
                continue
            }
            result.append(link)
        }
        return result
    }

    /// The ranges of links with the same target. Links are sorted by target.
    private func groups(of index: Int) -> [Range<Int>] {
        let links = nodes[index].links
        var result: [Range<Int>] = []
        var start = 0
        for place in links.indices where place + 1 == links.count || links[place + 1].target != links[start].target {
            result.append(start..<place + 1)
            start = place + 1
        }
        return result
    }

    /// The range of the links of `vertex` to `target`.
    private func range(of target: Name, in vertex: Vertex) -> Range<Int> {
        let links = self[vertex].links
        let start = links.partitioningIndex { !($0.target < target) }
        return start..<links[start...].partitioningIndex { target < $0.target }
    }
}
