/// A queue of deadlines, the earliest first: a binary heap in one array. No entry can be looked up. When a deadline changes,
/// the caller inserts the subject again; the entry of the old deadline stays until it is popped or ``compact(isCurrent:)``
/// drops it, so callers check what they pop. The type is inlinable, so that other modules specialize it for their subjects.
public struct DeadlineQueue<Subject: Sendable>: Sendable {
    @usableFromInline var heap: [(deadline: Instant, subject: Subject)] = []

    /// The number of entries, outdated ones included.
    @inlinable public var count: Int { heap.count }

    @inlinable public init() {}

    /// The earliest deadline; `nil` if the queue is empty.
    @inlinable public var first: Instant? { heap.first?.deadline }

    /// Adds a subject with its deadline. A subject may have several entries.
    @inlinable public mutating func insert(_ subject: Subject, at deadline: Instant) {
        heap.append((deadline, subject))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Removes the entry with the earliest deadline and returns its subject; `nil` if that deadline is after `now`, or the
    /// queue is empty.
    @inlinable public mutating func popDue(at now: Instant) -> Subject? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return first.subject
    }

    /// Drops the entries that `isCurrent` rejects. It examines all entries: call it only when most of them are outdated.
    @inlinable public mutating func compact(isCurrent: (Subject, Instant) -> Bool) {
        let kept = heap.filter { isCurrent($0.subject, $0.deadline) }
        heap.removeAll(keepingCapacity: true)
        for entry in kept { insert(entry.subject, at: entry.deadline) }
    }

    /// Copies the storage if another queue shares it; see `Detach.swift` in `Addressing`.
    @inlinable public mutating func detach() { heap.withUnsafeMutableBufferPointer { _ in } }

    /// Moves the first entry down until neither child is earlier.
    @inlinable mutating func sink() {
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].deadline < heap[smallest].deadline {
                smallest = child
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
