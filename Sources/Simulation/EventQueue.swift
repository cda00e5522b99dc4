internal import OSPF
internal import Timing

/// Future events, ordered by time and then by insertion.
///
/// A binary heap of plain keys. The events are in a second array, so that sifting moves plain words and counts no references.
struct EventQueue<Element: Sendable>: Sendable {
    private struct Key: Sendable {
        var nanoseconds: Int64
        var sequence: UInt64
        var slot: Int

        static func < (left: Key, right: Key) -> Bool {
            left.nanoseconds != right.nanoseconds
                ? left.nanoseconds < right.nanoseconds : left.sequence < right.sequence
        }
    }

    private var heap: [Key] = []
    private var slots: [Element?] = []
    /// Places in `slots` without an event.
    private var freeSlots: [Int] = []
    /// The number of events added so far, which orders events of one time.
    private var sequence: UInt64 = 0

    var count: Int { heap.count }

    /// The time of the first event; `nil` if there is none.
    var nextTime: Instant? { heap.first.map { Instant(nanoseconds: $0.nanoseconds) } }

    mutating func push(_ element: Element, at time: Instant) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            slots[slot] = element
        } else {
            slot = slots.count
            slots.append(element)
        }
        heap.append(Key(nanoseconds: time.nanoseconds, sequence: sequence, slot: slot))
        sequence += 1
        siftUp()
    }

    mutating func pop() -> (time: Instant, element: Element)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty { siftDown(last) }
        let element = slots[first.slot]!
        slots[first.slot] = nil
        freeSlots.append(first.slot)
        return (Instant(nanoseconds: first.nanoseconds), element)
    }

    private mutating func siftUp() {
        var index = heap.count - 1
        let key = heap[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard key < heap[parent] else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = key
    }

    /// Puts `key` at the root and moves it down to its place.
    private mutating func siftDown(_ key: Key) {
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < key else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = key
    }
}
