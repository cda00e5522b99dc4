/// A monotone priority queue of vertices: a ring of buckets, one for each key within reach of the current one (Dial's
/// algorithm, 1969), with a two-level bitmap to find the next bucket that is not empty. Every key inserted is above the
/// current key, by less than the number of buckets, so no two keys share a bucket.
///
/// A vertex whose key decreased is inserted again. Its entry in the bucket of the old key stays, and ``Search`` skips it.
struct BucketQueue: Sendable {
    /// A vertex in a bucket, and the index of the next entry of the same bucket.
    struct Entry {
        var vertex: UInt32
        var next: UInt32
    }

    /// No entry: the end of a bucket.
    static let none = UInt32.max

    /// The index of the first entry of each bucket; the number of buckets is a power of two.
    var heads: [UInt32] = []
    /// Memory for the entries of a search, which are never reused during it.
    var entries: [Entry] = []
    /// A bit for each bucket: whether it has entries.
    var bits: [UInt64] = []
    /// A bit for each word of ``bits``: whether it is not 0.
    var summary: [UInt64] = []

    /// Makes room for weights up to `weightBound` and `capacity` insertions in one search. The queue is empty, because a search
    /// ends when all entries are removed.
    mutating func prepare(weightBound: UInt32, capacity: Int) {
        if heads.count <= weightBound {
            // At least one whole word of `bits`.
            let count = max(64, 1 << (UInt32.bitWidth - weightBound.leadingZeroBitCount))
            heads = Array(repeating: Self.none, count: count)
            bits = Array(repeating: 0, count: count >> 6)
            summary = Array(repeating: 0, count: (count >> 6 + 63) >> 6)
        }
        if entries.count < capacity {
            // A quarter more, so that a graph that grows does not need new memory at each search.
            entries = Array(repeating: Entry(vertex: 0, next: 0), count: capacity + capacity / 4)
        }
    }

    /// The queue during a search, as unsafe pointers. The indices need no check: bucket numbers are masked, and there
    /// are as many entries as a search can insert.
    struct Cursor {
        let heads: UnsafeMutablePointer<UInt32>
        let entries: UnsafeMutablePointer<Entry>
        let bits: UnsafeMutablePointer<UInt64>
        let summary: UnsafeMutablePointer<UInt64>
        /// The number of buckets minus one: `key & mask` is the bucket of a key.
        let mask: UInt32
        /// The number of words in `summary`.
        let summaryCount: Int
        /// The number of entries inserted so far.
        var used = 0

        @inline(__always)
        mutating func insert(_ vertex: UInt32, key: UInt32) {
            let bucket = Int(key & mask)
            entries[used] = Entry(vertex: vertex, next: heads[bucket])
            heads[bucket] = UInt32(truncatingIfNeeded: used)
            used &+= 1
            bits[bucket &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: bucket)
            summary[bucket &>> 12] |= 1 &<< UInt64(truncatingIfNeeded: bucket &>> 6)
        }

        /// Empties the bucket of `key`. Returns the index of its first entry, whose `next` leads to the others.
        @inline(__always)
        mutating func removeBucket(_ key: UInt32) -> UInt32 {
            let bucket = Int(key & mask)
            let word = bucket &>> 6
            bits[word] &= ~(1 &<< UInt64(truncatingIfNeeded: bucket))
            if bits[word] == 0 { summary[word &>> 6] &= ~(1 &<< UInt64(truncatingIfNeeded: word)) }
            let head = heads[bucket]
            heads[bucket] = BucketQueue.none
            return head
        }

        /// The smallest key above `key` that has entries; `nil` if there is none.
        @inline(__always)
        func nextKey(after key: UInt32) -> UInt32? {
            let bucket = Int(key & mask)
            guard let next = nextBucket(after: bucket) else { return nil }
            return key &+ (UInt32(truncatingIfNeeded: next &- bucket) & mask)
        }

        /// The next bucket with entries, around the ring.
        @inline(__always)
        private func nextBucket(after bucket: Int) -> Int? {
            let word = bucket &>> 6
            let here = bits[word] & (~1 &<< UInt64(truncatingIfNeeded: bucket))
            if here != 0 { return word &<< 6 | here.trailingZeroBitCount }
            // Once around the ring: the word of the summary examined first is examined again at the end, for what is before
            // `bucket`.
            var index = word &>> 6
            var rest = summary[index] & (~1 &<< UInt64(truncatingIfNeeded: word))
            for _ in 0...summaryCount {
                if rest != 0 {
                    let found = index &<< 6 | rest.trailingZeroBitCount
                    return found &<< 6 | bits[found].trailingZeroBitCount
                }
                index = index &+ 1 == summaryCount ? 0 : index &+ 1
                rest = summary[index]
            }
            return nil
        }
    }
}
