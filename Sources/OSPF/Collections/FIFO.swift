/// A queue in one array. Removed elements leave free slots at the front; the array is compacted when more than half of
/// it is free.
struct FIFO<Element: Sendable>: Sendable {
    private var elements: [Element] = []
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
            elements.removeSubrange(..<head)
            head = 0
        }
    }

    /// Empties the queue. Keeps a small amount of memory, but not that of a burst.
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
