/// The dense number of a vertex in a ``Graph``, reused after the vertex is removed.
public struct Vertex: RawRepresentable, Hashable, Sendable, Comparable {
    /// The number.
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (left: Vertex, right: Vertex) -> Bool { left.rawValue < right.rawValue }

    var index: Int { Int(rawValue) }
}

/// A directed edge as seen from the vertex it leaves.
public struct Edge: Hashable, Sendable {
    /// The vertex it leads to.
    public var target: Vertex
    /// The cost of the edge. 0 counts as 1, except from a network to a router: that may cost nothing (RFC 2328 §16.1).
    public var cost: UInt16

    public init(to target: Vertex, cost: UInt16) {
        self.target = target
        self.cost = cost
    }
}

/// One of the first hops out of the root that the first-hop sets of ``ShortestPaths`` distinguish.
public struct FirstHop: Hashable, Sendable {
    /// The vertex it leads to: a neighbor of the root, a network the root is attached to, or a router on such a network.
    public var vertex: Vertex
    /// The cost of the path to the vertex, 1–``maximumCost``.
    public var cost: UInt32
    /// Its number in the first-hop sets, 0 or more; small numbers make small sets. Several first hops may share a number.
    public var number: Int

    /// The maximum cost: that of an edge to a network and an edge out of it.
    public static let maximumCost = 2 * UInt32(UInt16.max)

    /// Describes a first hop.
    public init(to vertex: Vertex, cost: UInt32, number: Int) {
        self.vertex = vertex
        self.cost = cost
        self.number = number
    }
}
