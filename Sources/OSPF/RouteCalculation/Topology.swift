import Addressing
import OSPFPacket
import ShortestPath
internal import Timing

/// The area's routers and transit networks as a graph, from router- and network-LSAs.
///
/// A vertex exists while an LSA refers to it: as the router that a router-LSA describes, the network that a network-LSA
/// describes, the router or network that the prefixes of an LSA belong to, the border router that originated an inter-area LSA,
/// or the AS boundary router of an external or inter-area-router-LSA. Only links that both ends announce become edges
/// (RFC 2328 §16.1 (2b)): a link to a router or network without an LSA is kept, but is not an edge.
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
        /// The interface IDs of the two ends. Both are 0 in the links of a network, whose LSA has none; the second is 0 in a
        /// router's link to a network, whose name has the interface ID of the designated router.
        var interfaceID: UInt32 = 0
        var neighborInterfaceID: UInt32 = 0
        var cost: UInt16 = 0
        /// The other end, while its LSA has the link too.
        var peer: Vertex?
    }

    /// A vertex and everything known of it.
    struct Node: Sendable {
        var name: Name
        /// The number of references from LSAs.
        var references = 0
        /// The router-LSAs of a router, in the order of their link state IDs.
        var routerLSAs: [(linkStateID: UInt32, body: RouterLSA)] = []
        /// Whether there is a network-LSA for it, or the first of its router-LSAs has the V6-bit. If not, it has no links.
        var isPresent = false
        /// The roles in the first router-LSA; none if that LSA has no V6-bit.
        var flags: RouterLSA.Flags = []
        /// Sorted by target and interface IDs, without duplicates.
        var links: [Link] = []
    }

    var graph = Graph()
    /// By vertex number. Entries of vertices that are not in the graph have no meaning.
    var nodes: [Node] = []
    /// The vertex of each name.
    private var vertices: [Name: Vertex] = [:]
    /// Routers whose links have not been updated from their router-LSAs yet.
    private var routersWithOutdatedLinks: Set<Vertex> = []
    /// Vertices whose edges have not been updated from their links yet.
    var verticesWithOutdatedEdges: Set<Vertex> = []

    /// Whether ``Node/flags`` or ``Node/isPresent`` of a router, or the R-bit of an area border router, changed since
    /// ``markSeen()``. Routes may change then although shortest paths do not.
    private(set) var hasNewRouterProperties = false

    /// The number of vertices.
    var vertexCount: Int { vertices.count }

    /// The vertex of that name, if any LSA refers to it.
    func vertex(named name: Name) -> Vertex? { vertices[name] }

    subscript(vertex: Vertex) -> Node { nodes[Int(vertex.rawValue)] }

    /// Copies the storage if another topology shares it; see `Detach.swift` in `Addressing`.
    mutating func detach() {
        nodes.detach()
        vertices.detach()
        graph.detach()
    }

    /// Clears the records of changes.
    mutating func markSeen() {
        graph.clearChanges()
        hasNewRouterProperties = false
    }

    /// Returns the vertex of that name and adds a reference to it.
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

    /// Removes one reference. With the last one, the vertex is removed.
    mutating func release(_ vertex: Vertex) {
        let index = Int(vertex.rawValue)
        nodes[index].references -= 1
        guard nodes[index].references == 0 else { return }
        assert(nodes[index].links.isEmpty)
        vertices[nodes[index].name] = nil
        verticesWithOutdatedEdges.remove(vertex)
        graph.removeVertex(vertex)
    }

    /// Sets or removes (`nil`) one of the router-LSAs of a router; together they count as one (RFC 5340 §4.8.1).
    /// ``updateGraph()`` updates the links once for all changes, because a router may have thousands of LSAs.
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
        // Where the LSAs disagree on flags or options, the one with the lowest link state ID counts (RFC 5340 §A.4.3).
        let first = nodes[index].routerLSAs.first?.body
        let options = first?.options ?? []
        // A router without the V6-bit is left out of IPv6 routes (RFC 5340 §A.2).
        let isPresent = options.contains(.v6)
        let flags = isPresent ? first?.flags ?? [] : []
        if nodes[index].isPresent != isPresent || nodes[index].flags != flags {
            nodes[index].isPresent = isPresent
            nodes[index].flags = flags
            hasNewRouterProperties = true
        }
        // Nothing is routed through a router without the R-bit (RFC 5340 §4.8.1), but it can be reached.
        let transitChanged = graph.setTransit(vertex, !isPresent || options.contains(.r))
        if transitChanged, flags.contains(.border) { hasNewRouterProperties = true }
        if isPresent {
            routersWithOutdatedLinks.insert(vertex)
        } else {
            routersWithOutdatedLinks.remove(vertex)
            setLinks(of: vertex, to: [])
        }
    }

    /// Updates outdated links of routers from their router-LSAs, and outdated edges from the links. Before that, an edge may
    /// lead to a vertex that was removed.
    mutating func updateGraph() {
        for vertex in routersWithOutdatedLinks.sorted() {
            setLinks(of: vertex, to: self[vertex].routerLSAs.flatMap { $0.body.links.map(Link.init) })
        }
        routersWithOutdatedLinks.removeAll(keepingCapacity: routersWithOutdatedLinks.count < 1024)
        for vertex in verticesWithOutdatedEdges.sorted() { graph.setEdges(of: vertex, to: edges(of: vertex)) }
        verticesWithOutdatedEdges.removeAll(keepingCapacity: verticesWithOutdatedEdges.count < 1024)
    }

    /// Sets or removes (`nil`) the network-LSA of a network.
    mutating func setNetworkLSA(of vertex: Vertex, to body: NetworkLSA?) {
        nodes[Int(vertex.rawValue)].isPresent = body != nil
        setLinks(of: vertex, to: (body?.attachedRouters ?? []).map { Link(target: .router($0)) })
    }
}

extension Topology.Node {
    /// The position of the router-LSA with that link state ID, or the position where it would be inserted.
    fileprivate func placeOfRouterLSA(_ linkStateID: UInt32) -> Int {
        routerLSAs.partitioningIndex { $0.linkStateID >= linkStateID }
    }
}

extension Topology.Link {
    /// The link as a router-LSA describes it. A virtual link counts as a point-to-point link; this router is never an end of
    /// one. A cost of 0, which RFC 2328 §C.3 does not allow, counts as 1: a cycle of links without cost could cause a loop.
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
