/// The shortest paths from one vertex to all others: distances, and for each vertex the set of first hops by which
/// some shortest path to it begins. The memory of a search is kept for the next one.
public struct ShortestPaths: Sendable {
    /// Where the paths begin; `nil` before the first search and after ``clear()``.
    public private(set) var root: Vertex?

    /// Distances as keys; see ``Graph``.
    private var keys: [UInt32] = []
    /// The first-hop sets, `words` words for each vertex. Those of vertices that were not reached have no meaning.
    private var sets: [UInt64] = []
    private var words = 1
    /// `keys`, `sets` and `words` of the search before the last, for ``hasChanged(_:)``.
    private var oldKeys: [UInt32] = []
    private var oldSets: [UInt64] = []
    private var oldWords = 1
    private var queue = BucketQueue()

    /// Copies the storage if another value shares it; see `Detach.swift` in `Addressing`.
    public mutating func detach() {
        keys.withUnsafeMutableBufferPointer { _ in }
        sets.withUnsafeMutableBufferPointer { _ in }
        oldKeys.withUnsafeMutableBufferPointer { _ in }
        oldSets.withUnsafeMutableBufferPointer { _ in }
    }

    public init() {}

    /// Finds the shortest paths from `root`. `firstHops` are the first hops out of the root that the results distinguish;
    /// the graph must have a path from the root to each of them, at exactly its cost. Paths that begin otherwise count for
    /// distances, but add nothing to the first-hop sets.
    ///
    /// With `startsAtFirstHops`, no path begins with an edge to a router that is none of the first hops, although the graph
    /// has such edges: nothing can be sent over them.
    ///
    /// Distances are exact up to 2³¹ − 2¹⁶ − 1 (``Search/farthest``); anything farther counts as unreachable.
    public mutating func search(
        _ graph: Graph, from root: Vertex, firstHops: [FirstHop], startsAtFirstHops: Bool = false
    ) {
        precondition(graph.contains(root), "the root is not in the graph")
        saveResults()
        self.root = root
        prepare(for: graph, firstHops: firstHops)
        Self.search(
            graph, from: root, firstHops: firstHops, startsAtFirstHops: startsAtFirstHops, words: words,
            mask: UInt32(queue.heads.count - 1),
            summaryCount: queue.summary.count, &queue.heads, &queue.entries, &queue.bits, &queue.summary, &keys, &sets,
            graph.arcs, graph.extents)
    }

    /// Removes all paths, for when the root is not in the graph: nothing is reachable. Counts as a search in
    /// ``hasChanged(_:)``.
    public mutating func clear() {
        saveResults()
        root = nil
        keys.removeAll(keepingCapacity: true)
    }

    /// The distance to `vertex`; `nil` if it cannot be reached.
    public func distance(to vertex: Vertex) -> UInt32? {
        guard vertex.index < keys.count, keys[vertex.index] <= Search.farthest else { return nil }
        return keys[vertex.index] >> 1
    }

    /// The numbers of those first hops of the last search by which a shortest path to `vertex` begins; none for the root and
    /// for unreachable vertices.
    public func firstHops(to vertex: Vertex) -> FirstHopSet {
        var set = FirstHopSet()
        addFirstHops(to: vertex, into: &set)
        return set
    }

    /// Adds ``firstHops(to:)`` to a set.
    public func addFirstHops(to vertex: Vertex, into set: inout FirstHopSet) {
        guard distance(to: vertex) != nil else { return }
        while set.words.count < words { set.words.append(0) }
        for word in 0..<words { set.words[word] |= sets[vertex.index * words + word] }
    }
}

extension ShortestPaths {
    /// Whether a search may find anything new after what has changed in `graph` since ``Graph/clearChanges()``, which must
    /// have been called at the last search. The root and the first hops out of it must be the same as then. `false` without a
    /// root.
    ///
    /// If every changed vertex has the same arcs on shortest paths as before, and none of its new arcs makes a path
    /// shorter, then all distances and sets are still correct. Only the arcs of changed vertices are examined.
    public func isOutdated(by graph: Graph) -> Bool {
        guard let root else { return false }
        return graph.changes.contains { change in
            // Paths may begin at the root even if none may go through it.
            if change.vertex == root { return !graph.arcs[graph.range(of: root)].elementsEqual(change.arcs) }
            let arcs = graph.passableArcs(of: change.vertex)
            let key = key(of: change.vertex.index)
            guard key <= Search.farthest else { return false }
            let used = change.passableArcs.lazy.filter { key + $0.weight == self.key(of: Int($0.target)) }
            let useful = arcs.lazy.filter { key + $0.weight <= self.key(of: Int($0.target)) }
            return !used.elementsEqual(useful)
        }
    }

    /// Whether the last search and the one before differ in the distance to `vertex` or its first hops; always `true` for a
    /// reachable vertex if the two searches have sets of different sizes. The caller ensures that the numbers mean the same in
    /// both.
    public func hasChanged(_ vertex: Vertex) -> Bool {
        let index = vertex.index
        let old = index < oldKeys.count ? oldKeys[index] : Search.unreached
        guard key(of: index) == old else { return true }
        guard old <= Search.farthest else { return false }
        guard words == oldWords else { return true }
        return (0..<words).contains { sets[index * words + $0] != oldSets[index * words + $0] }
    }

    /// The key of a vertex; `unreached` also if the last search did not know the vertex.
    private func key(of index: Int) -> UInt32 { index < keys.count ? keys[index] : Search.unreached }

    /// Keeps the results of the last search, for comparison with those of the next.
    private mutating func saveResults() {
        swap(&keys, &oldKeys)
        swap(&sets, &oldSets)
        oldWords = words
    }
}

extension ShortestPaths {
    /// Resizes the memory for this search and marks all vertices as unreached. The unsafe code depends on this.
    private mutating func prepare(for graph: Graph, firstHops: [FirstHop]) {
        var largestNumber = 0
        var largestCost: UInt32 = 0
        for hop in firstHops {
            precondition(graph.contains(hop.vertex), "a first hop leads out of the graph")
            precondition(hop.number >= 0, "a first hop has a negative number")
            precondition((1...FirstHop.maximumCost).contains(hop.cost), "no way out of the root has such a cost")
            largestNumber = max(largestNumber, hop.number)
            largestCost = max(largestCost, hop.cost)
        }
        words = largestNumber >> 6 + 1
        let count = graph.vertexBound
        if keys.count != count { keys = Array(repeating: Search.unreached, count: count) }
        for index in keys.indices { keys[index] = Search.unreached }
        if sets.count < count * words { sets = Array(repeating: 0, count: count * words) }
        // Each arc and each first hop inserts at most one entry.
        queue.prepare(
            weightBound: max(graph.weightBound, 2 * largestCost + 1), capacity: graph.arcs.count + firstHops.count)
    }

    /// Searches with the arrays as pointers, which Swift makes of the arguments for the duration of this call.
    private static func search(
        _ graph: Graph, from root: Vertex, firstHops: [FirstHop], startsAtFirstHops: Bool, words: Int, mask: UInt32,
        summaryCount: Int,
        _ heads: UnsafeMutablePointer<UInt32>, _ entries: UnsafeMutablePointer<BucketQueue.Entry>,
        _ bits: UnsafeMutablePointer<UInt64>, _ summary: UnsafeMutablePointer<UInt64>,
        _ keys: UnsafeMutablePointer<UInt32>, _ sets: UnsafeMutablePointer<UInt64>,
        _ arcs: UnsafePointer<Graph.Arc>, _ extents: UnsafePointer<Graph.Extent>
    ) {
        let queue = BucketQueue.Cursor(
            heads: heads, entries: entries, bits: bits, summary: summary, mask: mask, summaryCount: summaryCount)
        var search = Search(queue: queue, keys: keys, sets: sets, words: words, arcs: arcs, extents: extents)
        search.begin(at: root.rawValue, key: graph.parity(of: root))
        for place in graph.range(of: root) {
            if startsAtFirstHops, graph.kind(of: Vertex(rawValue: graph.arcs[place].target)) == .router { continue }
            search.follow(place, from: root.rawValue, key: graph.parity(of: root))
        }
        for hop in firstHops {
            search.offer(hop.vertex.index, key: 2 * hop.cost + graph.parity(of: hop.vertex), number: hop.number)
        }
        search.run(from: root.rawValue)
    }
}
