/// One search (Dijkstra's algorithm), with unsafe pointers for speed. The caller guarantees that all arcs lead to vertices
/// with a key and a set, and that the queue has room for an entry per arc and first hop.
struct Search {
    /// The key of a vertex not reached.
    static let unreached = UInt32.max
    /// The largest key from which a path may continue: adding the weight of an arc, which is less than 2¹⁷, cannot overflow.
    /// A vertex with a larger key counts as unreachable.
    static let farthest = UInt32.max - (1 << 17)

    var queue: BucketQueue.Cursor
    /// The lowest key found for each vertex so far.
    let keys: UnsafeMutablePointer<UInt32>
    /// The first-hop set of each vertex: `words` words of bits, as in ``FirstHopSet``.
    let sets: UnsafeMutablePointer<UInt64>
    let words: Int
    let arcs: UnsafePointer<Graph.Arc>
    let extents: UnsafePointer<Graph.Extent>

    /// Settles the root.
    mutating func begin(at root: UInt32, key: UInt32) {
        keys[Int(root)] = key
        for word in 0..<words { sets[Int(root) * words + word] = 0 }
    }

    /// Takes a path over an arc that leaves the root, by its place. Paths may begin at a root that forwards no transit traffic. The
    /// path has no first hop yet: ``offer(_:key:number:)`` adds it.
    mutating func follow(_ place: Int, from root: UInt32, key: UInt32) {
        relax(arcs + place, count: 1, from: Int(root), key: key, words: words)
    }

    /// Adds a first hop: a path from the root that reaches `vertex` at `key`. A longer path than the known one adds nothing, a
    /// shorter one replaces the first-hop set by `number`, an equal one adds `number` to it.
    mutating func offer(_ vertex: Int, key: UInt32, number: Int) {
        guard key <= keys[vertex] else { return }
        if key < keys[vertex] {
            keys[vertex] = key
            for word in 0..<words { sets[vertex * words + word] = 0 }
            queue.insert(UInt32(truncatingIfNeeded: vertex), key: key)
        }
        sets[vertex * words + number >> 6] |= 1 << UInt64(number & 63)
    }

    /// Settles all vertices that can be reached.
    mutating func run(from root: UInt32) {
        // Written several times, so that the compiler specializes the first two: for sets of a single word, and for none.
        if words == 1 {
            settleAll(from: keys[Int(root)], words: 1)
        } else if words == 0 {
            settleAll(from: keys[Int(root)], words: 0)
        } else {
            settleAll(from: keys[Int(root)], words: words)
        }
    }

    @inline(__always)
    private mutating func settleAll(from start: UInt32, words: Int) {
        var current = start
        while let key = queue.nextKey(after: current) {
            current = key
            var next = queue.removeBucket(key)
            while next != BucketQueue.none {
                let entry = queue.entries[Int(next)]
                next = entry.next
                let vertex = Int(entry.vertex)
                // The vertex was inserted again with a lower key, or is too far.
                guard keys[vertex] == key, key <= Self.farthest else { continue }
                let extent = extents[vertex]
                relax(arcs + Int(extent.start), count: Int(extent.count), from: vertex, key: key, words: words)
            }
        }
    }

    /// Takes paths over the first `count` of `arcs`, which leave `vertex`: a shorter path replaces what is known of its
    /// target, an equal one adds its first hops.
    @inline(__always)
    private mutating func relax(
        _ arcs: UnsafePointer<Graph.Arc>, count: Int, from vertex: Int, key: UInt32, words: Int
    ) {
        let source = sets + vertex &* words
        for index in 0..<count {
            let arc = arcs[index]
            let target = Int(arc.target)
            let reached = key &+ arc.weight
            let known = keys[target]
            if reached > known { continue }
            let set = sets + target &* words
            if reached < known {
                keys[target] = reached
                for word in 0..<words { set[word] = source[word] }
                queue.insert(arc.target, key: reached)
            } else {
                for word in 0..<words { set[word] |= source[word] }
            }
        }
    }
}
