import Addressing
import OSPFPacket
import ShortestPath
internal import Timing

/// The area's routers and transit networks as a graph, from router- and network-LSAs.
///
/// A vertex exists while some LSA refers to it: as its originator, or because prefixes are attached to it. Only links
/// that both ends announce become edges (RFC 2328 §16.1 (2b)): a link to a router without LSA is kept, but is no edge.
struct Topology: Sendable {
    /// Identifies a vertex: a router, or a network by its designated router and that router's interface ID.
    struct Name: Hashable, Comparable, Sendable {
        var isNetwork: Bool
        var router: RouterID
        var interfaceID: UInt32

        static func router(_ router: RouterID) -> Name { Name(isNetwork: false, router: router, interfaceID: 0) }
        static func network(_ designatedRouter: RouterID, interfaceID: UInt32) -> Name {
            Name(isNetwork: true, router: designatedRouter, interfaceID: interfaceID)
        }

        static func < (left: Name, right: Name) -> Bool {
            (left.isNetwork ? 1 : 0, left.router, left.interfaceID)
                < (right.isNetwork ? 1 : 0, right.router, right.interfaceID)
        }
    }

    /// A link as the LSA of one end describes it.
    struct Link: Equatable, Sendable {
        var target: Name
        /// The interface IDs of the two ends. A network has none, and does not announce those of its routers.
        var interfaceID: UInt32 = 0
        var neighborInterfaceID: UInt32 = 0
        var cost: UInt16 = 0
        /// The other end, while that describes the link too.
        var peer: Vertex?
    }

    /// A vertex with all that is known of it.
    struct Node: Sendable {
        var name: Name
        /// The number of LSAs that refer to it.
        var references = 0
        /// The router-LSAs of a router, in the order of their link state IDs.
        var routerLSAs: [(linkStateID: UInt32, body: RouterLSA)] = []
        /// Whether there is a router- or network-LSA for it.
        var isPresent = false
        /// The bits of the router-LSA.
        var flags: RouterLSA.Flags = []
        /// Sorted by target and interface IDs, no two alike.
        var links: [Link] = []
    }

    var graph = Graph()
    /// By vertex number; those not in the graph mean nothing.
    var nodes: [Node] = []
    private var vertices: [Name: Vertex] = [:]
    /// Routers whose links do not follow from their router-LSAs yet.
    private var outdated: Set<Vertex> = []
    /// Vertices whose edges do not follow from their links yet.
    var disconnected: Set<Vertex> = []

    /// Whether bits of routers changed since ``markSeen()``.
    private(set) var hasNewFlags = false

    /// How many vertices there are.
    var vertexCount: Int { vertices.count }

    /// The vertex of that name, if some LSA refers to it.
    func vertex(named name: Name) -> Vertex? { vertices[name] }

    subscript(vertex: Vertex) -> Node { nodes[Int(vertex.rawValue)] }

    /// Gives this topology storage of its own.
    mutating func detach() {
        nodes.detach()
        vertices.detach()
        graph.detach()
    }

    /// Forgets that anything is new.
    mutating func markSeen() {
        graph.clearChanges()
        hasNewFlags = false
    }

    /// The vertex of that name, with one more reference.
    mutating func retain(_ name: Name) -> Vertex {
        let vertex: Vertex
        if let known = vertices[name] {
            vertex = known
        } else {
            vertex = graph.addVertex(name.isNetwork ? .network : .router)
            vertices[name] = vertex
            let index = Int(vertex.rawValue)
            if index == nodes.count { nodes.append(Node(name: name)) } else { nodes[index] = Node(name: name) }
        }
        nodes[Int(vertex.rawValue)].references += 1
        return vertex
    }

    /// Undoes one ``retain(_:)``. The last one removes the vertex.
    mutating func release(_ vertex: Vertex) {
        let index = Int(vertex.rawValue)
        nodes[index].references -= 1
        guard nodes[index].references == 0 else { return }
        assert(nodes[index].links.isEmpty)
        vertices[nodes[index].name] = nil
        disconnected.remove(vertex)
        graph.removeVertex(vertex)
    }

    /// Sets or removes (`nil`) one of the router-LSAs of a router; together they count as one (RFC 5340 §4.8.1). The
    /// links follow with ``updateGraph()``, once for all that changed: a router may have thousands of LSAs.
    mutating func setRouterLSA(of vertex: Vertex, linkStateID: UInt32, to body: RouterLSA?) {
        let index = Int(vertex.rawValue)
        let place = nodes[index].placeOfRouterLSA(linkStateID)
        let isKnown =
            place < nodes[index].routerLSAs.count && nodes[index].routerLSAs[place].linkStateID == linkStateID
        switch (body, isKnown) {
        case (let body?, true): nodes[index].routerLSAs[place].body = body
        case (let body?, false): nodes[index].routerLSAs.insert((linkStateID, body), at: place)
        case (nil, true): nodes[index].routerLSAs.remove(at: place)
        case (nil, false): return
        }
        // Where they disagree on bits, the one with the lowest link state ID counts (RFC 5340 §A.4.3).
        let first = nodes[index].routerLSAs.first?.body
        let options = first?.options ?? []
        // Without the V6-bit a router is left out of IPv6 routes altogether (RFC 5340 §A.2).
        let isPresent = options.contains(.v6)
        let flags = isPresent ? first?.flags ?? [] : []
        if nodes[index].isPresent != isPresent || nodes[index].flags != flags {
            nodes[index].isPresent = isPresent
            nodes[index].flags = flags
            hasNewFlags = true
        }
        // Without the R-bit nothing is routed through it (RFC 5340 §4.8.1), though it can be reached.
        let isNews = graph.setTransit(vertex, !isPresent || options.contains(.r))
        if isNews, flags.contains(.border) { hasNewFlags = true }
        if isPresent {
            outdated.insert(vertex)
        } else {
            outdated.remove(vertex)
            setLinks(of: vertex, to: [])
        }
    }

    /// Has the links of all routers follow their router-LSAs, and all edges follow the links. Until then an edge may lead
    /// to a vertex that is gone.
    mutating func updateGraph() {
        for vertex in outdated.sorted() {
            setLinks(of: vertex, to: self[vertex].routerLSAs.flatMap { $0.body.links.map(Link.init) })
        }
        outdated.removeAll(keepingCapacity: outdated.count < 1024)
        for vertex in disconnected.sorted() { graph.setEdges(of: vertex, to: edges(of: vertex)) }
        disconnected.removeAll(keepingCapacity: disconnected.count < 1024)
    }

    /// Sets or removes (`nil`) the network-LSA of a network.
    mutating func setNetworkLSA(of vertex: Vertex, to body: NetworkLSA?) {
        nodes[Int(vertex.rawValue)].isPresent = body != nil
        setLinks(of: vertex, to: (body?.attachedRouters ?? []).map { Link(target: .router($0)) })
    }
}

extension Topology.Node {
    /// Where the router-LSA of that link state ID is, or belongs.
    fileprivate func placeOfRouterLSA(_ linkStateID: UInt32) -> Int {
        routerLSAs.partitioningIndex { $0.linkStateID >= linkStateID }
    }
}

extension Topology.Link {
    /// The same link as the router-LSA has it. Virtual links are routed over like cables, by those who are not at
    /// their ends. A cost of 0, which RFC 2328 §C.3 rules out, counts as 1: free cycles would make loops.
    init(_ link: RouterLSA.Link) {
        switch link.type {
        case .pointToPoint, .virtual:
            target = .router(link.neighborRouterID)
            neighborInterfaceID = link.neighborInterfaceID
        case .transit:
            target = .network(link.neighborRouterID, interfaceID: link.neighborInterfaceID)
        }
        interfaceID = link.interfaceID
        cost = max(1, link.metric)
    }

    /// Orders links by target, so that all links between two vertices lie side by side.
    static func precedes(_ left: Self, _ right: Self) -> Bool {
        if left.target != right.target { return left.target < right.target }
        return (left.interfaceID, left.neighborInterfaceID, left.cost)
            < (right.interfaceID, right.neighborInterfaceID, right.cost)
    }
}
