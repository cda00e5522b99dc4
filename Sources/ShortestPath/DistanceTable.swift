/// The distances from each of a few vertices to all others, without first hops.
public struct DistanceTable: Sendable {
    /// The distances from one vertex.
    private struct Row {
        var root: Vertex
        /// As in ``ShortestPaths``.
        var keys: [UInt32] = []
        /// Those of the search before the last; without meaning unless it is in ``DistanceTable/changedRows``.
        var oldKeys: [UInt32] = []
    }

    private var rows: [Row] = []
    /// The indices of the rows that the last update searched again.
    private var changedRows: [Int] = []
    private var queue = BucketQueue()

    public init() {}

    /// Copies the storage if another value shares it; see `Detach.swift` in `Addressing`.
    public mutating func detach() {
        for index in rows.indices {
            rows[index].keys.withUnsafeMutableBufferPointer { _ in }
            rows[index].oldKeys.withUnsafeMutableBufferPointer { _ in }
        }
    }

    /// Finds the distances from `roots`, each in the graph and named once. Only those are searched again whose paths may differ
    /// after what has changed since ``Graph/clearChanges()``, which must have been called after the last update. Returns the
    /// number of searches.
    public mutating func update(_ graph: Graph, roots: [Vertex]) -> Int {
        changedRows.removeAll(keepingCapacity: true)
        let isSame = rows.count == roots.count && zip(rows, roots).allSatisfy { $0.root == $1 }
        if !isSame {
            var known: [Vertex: Row] = [:]
            for row in rows { known[row.root] = row }
            rows = roots.map { known[$0] ?? Row(root: $0) }
        }
        for index in rows.indices {
            let row = rows[index]
            guard row.keys.isEmpty || graph.mayChangeDistances(from: row.root, { Self.key($0, in: row.keys) }) else {
                continue
            }
            search(graph, row: index)
            changedRows.append(index)
        }
        return changedRows.count
    }

    /// The distance from the root with this index to `vertex`; `nil` if it cannot be reached.
    public func distance(fromRoot index: Int, to vertex: Vertex) -> UInt32? {
        let key = Self.key(vertex.index, in: rows[index].keys)
        return key <= Search.farthest ? key >> 1 : nil
    }

    /// Whether the last update searched any distances again.
    public var hasChanges: Bool { !changedRows.isEmpty }

    /// Whether the last update changed the distance from any root to `vertex`. The caller ensures that the roots were the same
    /// before.
    public func hasChanged(_ vertex: Vertex) -> Bool {
        changedRows.contains { row in
            Self.key(vertex.index, in: rows[row].keys) != Self.key(vertex.index, in: rows[row].oldKeys)
        }
    }

    private static func key(_ index: Int, in keys: [UInt32]) -> UInt32 {
        index < keys.count ? keys[index] : Search.unreached
    }

    private mutating func search(_ graph: Graph, row index: Int) {
        let root = rows[index].root
        precondition(graph.contains(root), "the root is not in the graph")
        var keys = rows[index].oldKeys
        rows[index].oldKeys = rows[index].keys
        rows[index].keys = []
        let count = graph.vertexBound
        if keys.count != count { keys = Array(repeating: Search.unreached, count: count) }
        for place in keys.indices { keys[place] = Search.unreached }
        queue.prepare(weightBound: graph.weightBound, capacity: graph.arcs.count)
        Self.search(
            graph, from: root, mask: UInt32(queue.heads.count - 1), summaryCount: queue.summary.count, &queue.heads,
            &queue.entries, &queue.bits, &queue.summary, &keys, graph.arcs, graph.extents)
        rows[index].keys = keys
    }

    /// Searches with the arrays as pointers, which Swift makes of the arguments for the duration of this call.
    private static func search(
        _ graph: Graph, from root: Vertex, mask: UInt32, summaryCount: Int,
        _ heads: UnsafeMutablePointer<UInt32>, _ entries: UnsafeMutablePointer<BucketQueue.Entry>,
        _ bits: UnsafeMutablePointer<UInt64>, _ summary: UnsafeMutablePointer<UInt64>,
        _ keys: UnsafeMutablePointer<UInt32>, _ arcs: UnsafePointer<Graph.Arc>, _ extents: UnsafePointer<Graph.Extent>
    ) {
        let queue = BucketQueue.Cursor(
            heads: heads, entries: entries, bits: bits, summary: summary, mask: mask, summaryCount: summaryCount)
        // Sets of no words: nothing is read or written there.
        var noSets: UInt64 = 0
        withUnsafeMutablePointer(to: &noSets) { sets in
            var search = Search(queue: queue, keys: keys, sets: sets, words: 0, arcs: arcs, extents: extents)
            search.begin(at: root.rawValue, key: graph.parity(of: root))
            for place in graph.range(of: root) {
                search.follow(place, from: root.rawValue, key: graph.parity(of: root))
            }
            search.run(from: root.rawValue)
        }
    }
}

extension Graph {
    /// Whether distances from `root`, which had these keys, may differ after the ``changes``: a changed vertex has lost an arc
    /// on a shortest path, or has one that makes a path shorter.
    func mayChangeDistances(from root: Vertex, _ key: (Int) -> UInt32) -> Bool {
        changes.contains { change in
            // Paths may begin at the root even if none may go through it.
            if change.vertex == root { return !arcs[range(of: root)].elementsEqual(change.arcs) }
            let start = key(change.vertex.index)
            guard start <= Search.farthest else { return false }
            let new = passableArcs(of: change.vertex)
            return new.contains { start + $0.weight < key(Int($0.target)) }
                || change.passableArcs.contains { arc in
                    start + arc.weight == key(Int(arc.target)) && !new.contains(arc)
                }
        }
    }
}
