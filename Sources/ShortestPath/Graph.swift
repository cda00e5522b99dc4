/// A directed graph of routers and networks. All edges are in one flat array, those of a vertex next to each other, with some
/// room to grow. A change replaces the edges of one vertex. Those of others move only when more than half of the array, and
/// more than 1,024 places, are unused.
///
/// Internally, a distance of `d` is stored as the key `2d` for a network and `2d + 1` for a router. Every edge then has
/// a positive weight, even that from a network to its routers, which costs nothing (RFC 2328 §16.1), and a network is
/// settled before the routers at the same distance, as §16.1 (3) demands.
public struct Graph: Sendable {
    /// The kind of a vertex.
    public enum Kind: Hashable, Sendable {
        case router
        /// A link with any number of routers on it (RFC 2328: transit network).
        case network
    }

    /// An edge in the form that the search uses.
    struct Arc: Equatable {
        var target: UInt32
        /// The difference of the keys of its two ends: 1–131071, which is twice the largest cost and 1.
        var weight: UInt32
    }

    /// The range in ``arcs`` of those that a path through a vertex may take: empty if the vertex forwards no transit traffic.
    struct Extent {
        var start: UInt32 = 0
        var count: UInt32 = 0
    }

    /// What the search does not need to know of a vertex.
    private struct Attributes {
        /// `nil` while the number of the vertex is not in use.
        var kind: Kind?
        var isTransit = true
        /// The number of its arcs, and for how many there is room at its place in ``Graph/arcs``.
        var count: UInt32 = 0
        var capacity: UInt32 = 0
        /// Whether the vertex is among the ``Graph/changes``.
        var isChanged = false
    }

    /// A vertex that has changed, with the arcs that left it before and whether it was a transit vertex.
    struct Change {
        var vertex: Vertex
        var arcs: [Arc]
        var wasTransit: Bool

        /// The arcs that a path through the vertex could take before.
        var passableArcs: ArraySlice<Arc> { wasTransit ? arcs[...] : [] }
    }

    private(set) var arcs: [Arc] = []
    /// By vertex number, like `attributes`, which are apart because the search does not read them.
    private(set) var extents: [Extent] = []
    private var attributes: [Attributes] = []
    /// The numbers of removed vertices, to be used again.
    private var free: [UInt32] = []
    /// The number of places in ``arcs`` that belong to no vertex, because vertices moved to larger ranges.
    private var unused = 0
    /// An upper bound of the weights of all arcs. It only grows.
    private(set) var weightBound: UInt32 = 1

    /// The vertices that have changed since ``clearChanges()``, each once: in their arcs, or in whether paths may go through
    /// them.
    private(set) var changes: [Change] = []

    public init() {}

    /// Whether anything has changed since ``clearChanges()``.
    public var hasChanges: Bool { !changes.isEmpty }

    /// One more than the largest vertex number assigned so far, removed vertices included.
    public var vertexBound: Int { extents.count }

    /// Copies the large arrays if another graph shares them; see `Detach.swift` in `Addressing`.
    public mutating func detach() {
        arcs.withUnsafeMutableBufferPointer { _ in }
        extents.withUnsafeMutableBufferPointer { _ in }
        attributes.withUnsafeMutableBufferPointer { _ in }
    }

    /// Adds a transit vertex without edges.
    public mutating func addVertex(_ kind: Kind) -> Vertex {
        if let number = free.popLast() {
            attributes[Int(number)].kind = kind
            attributes[Int(number)].isTransit = true
            return Vertex(rawValue: number)
        }
        attributes.append(Attributes(kind: kind))
        extents.append(Extent())
        return Vertex(rawValue: UInt32(extents.count - 1))
    }

    /// Removes a vertex and the edges that leave it. Those that lead to it must be removed before the next search.
    public mutating func removeVertex(_ vertex: Vertex) {
        precondition(contains(vertex), "the vertex is not in the graph")
        recordChange(of: vertex)
        extents[vertex.index].count = 0
        attributes[vertex.index].count = 0
        attributes[vertex.index].kind = nil
        free.append(vertex.rawValue)
    }

    /// Whether `vertex` is in the graph.
    public func contains(_ vertex: Vertex) -> Bool {
        vertex.index < attributes.count && attributes[vertex.index].kind != nil
    }

    /// The kind of `vertex`.
    public func kind(of vertex: Vertex) -> Kind {
        guard let kind = attributes[vertex.index].kind else { preconditionFailure("the vertex is not in the graph") }
        return kind
    }

    /// Whether paths may go through `vertex`, instead of only beginning or ending there.
    public func isTransit(_ vertex: Vertex) -> Bool { attributes[vertex.index].isTransit }

    /// Sets whether paths may go through `vertex`. Returns whether that is a change.
    @discardableResult
    public mutating func setTransit(_ vertex: Vertex, _ isTransit: Bool) -> Bool {
        guard attributes[vertex.index].isTransit != isTransit else { return false }
        recordChange(of: vertex)
        attributes[vertex.index].isTransit = isTransit
        extents[vertex.index].count = isTransit ? attributes[vertex.index].count : 0
        return true
    }

    /// The edges that leave `vertex`.
    public func edges(of vertex: Vertex) -> [Edge] {
        arcs[range(of: vertex)].map { arc in
            let target = Vertex(rawValue: arc.target)
            let cost = (arc.weight + parity(of: vertex) - parity(of: target)) / 2
            return Edge(to: target, cost: UInt16(cost))
        }
    }

    /// Replaces the edges that leave `vertex`. Returns whether that is a change. All targets must be in the graph.
    @discardableResult
    public mutating func setEdges(of vertex: Vertex, to edges: some Collection<Edge>) -> Bool {
        precondition(contains(vertex), "the vertex is not in the graph")
        let new = edges.map { edge in
            precondition(contains(edge.target), "the target is not in the graph")
            return Arc(target: edge.target.rawValue, weight: weight(of: edge, from: vertex))
        }
        guard !arcs[range(of: vertex)].elementsEqual(new) else { return false }
        recordChange(of: vertex)
        reserve(new.count, for: vertex)
        let start = Int(extents[vertex.index].start)
        for (offset, arc) in new.enumerated() {
            arcs[start + offset] = arc
            weightBound = max(weightBound, arc.weight)
        }
        attributes[vertex.index].count = UInt32(new.count)
        if isTransit(vertex) { extents[vertex.index].count = UInt32(new.count) }
        return true
    }

    /// The range of all arcs of `vertex`, even if it is not a transit vertex.
    func range(of vertex: Vertex) -> Range<Int> {
        let start = Int(extents[vertex.index].start)
        return start..<start + Int(attributes[vertex.index].count)
    }

    /// The arcs that a path through `vertex` may take.
    func passableArcs(of vertex: Vertex) -> ArraySlice<Arc> {
        let extent = extents[vertex.index]
        return arcs[Int(extent.start)..<Int(extent.start + extent.count)]
    }

    /// Clears the recorded changes.
    public mutating func clearChanges() {
        for change in changes { attributes[change.vertex.index].isChanged = false }
        // Keeps the memory of usual changes, but not that of a burst.
        changes.removeAll(keepingCapacity: changes.count < 1024)
    }

    /// Saves the state of a vertex before its first change.
    private mutating func recordChange(of vertex: Vertex) {
        guard !attributes[vertex.index].isChanged else { return }
        attributes[vertex.index].isChanged = true
        let wasTransit = attributes[vertex.index].isTransit
        changes.append(Change(vertex: vertex, arcs: Array(arcs[range(of: vertex)]), wasTransit: wasTransit))
    }

    /// What a key of this vertex has in addition to twice the distance: 1 for a router, 0 for a network.
    func parity(of vertex: Vertex) -> UInt32 { attributes[vertex.index].kind == .router ? 1 : 0 }

    /// The difference of the keys of the two ends of an edge.
    private func weight(of edge: Edge, from source: Vertex) -> UInt32 {
        let isFree = parity(of: source) == 0 && parity(of: edge.target) == 1
        return 2 * UInt32(isFree ? edge.cost : max(edge.cost, 1)) + parity(of: edge.target) - parity(of: source)
    }

    /// Reserves room for `count` new arcs of `vertex`. If there is not enough, the vertex gets a new range at the end of the
    /// array, without its old arcs.
    private mutating func reserve(_ count: Int, for vertex: Vertex) {
        let capacity = attributes[vertex.index].capacity
        guard count > capacity else { return }
        unused += Int(capacity)
        // Moving all arcs is worthwhile when it frees more than half of a large array.
        if unused > 1024 && unused > arcs.count / 2 { compact() }
        // A multiple of four, so that a vertex does not move for every new edge.
        let rounded = max(4, (count + 3) & ~3)
        extents[vertex.index].start = UInt32(arcs.count)
        attributes[vertex.index].capacity = UInt32(rounded)
        arcs.append(contentsOf: repeatElement(Arc(target: 0, weight: 1), count: rounded))
    }

    /// Removes the unused places and the room to grow: puts the arcs side by side, in the order of their vertices.
    private mutating func compact() {
        var packed: [Arc] = []
        packed.reserveCapacity(arcs.count - unused)
        for index in extents.indices {
            let vertex = Vertex(rawValue: UInt32(index))
            let start = UInt32(packed.count)
            packed.append(contentsOf: arcs[range(of: vertex)])
            extents[index].start = start
            attributes[index].capacity = attributes[index].count
        }
        arcs = packed
        unused = 0
    }
}
