/// A queue in one array. Removed elements leave unused places at the front, which are freed when they are more than 64 and
/// more than half of the array, so that removing takes constant time on average.
struct FIFO<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    /// The index of the first element of the queue.
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }
    var first: Element? { head < elements.count ? elements[head] : nil }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func removeFirst() {
        head += 1
        if head == elements.count {
            removeAll()
        } else if head > 64, head * 2 > elements.count {
            // So many places are unused that moving the elements to the front is worthwhile.
            elements.removeSubrange(..<head)
            head = 0
        }
    }

    /// Empties the queue. Keeps the memory of a usual number of elements, but not that of a burst.
    mutating func removeAll() {
        elements.removeAll(keepingCapacity: elements.count <= 256)
        head = 0
    }

    /// Drops the elements that do not satisfy a condition.
    mutating func filter(_ isKept: (Element) -> Bool) {
        elements = elements[head...].filter(isKept)
        head = 0
    }
}
