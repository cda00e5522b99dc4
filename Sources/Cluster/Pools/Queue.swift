/// First in, first out. Elements that were taken stay in the array until they are more than 32 and more than half of it, so
/// that taking one rarely moves the others.
struct Queue<Element> {
    private var elements: [Element] = []
    /// The place of the first element that was not taken.
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { head < elements.count ? elements[head] : nil }

    mutating func append(_ element: Element) { elements.append(element) }

    @discardableResult mutating func removeFirst() -> Element? {
        guard let element = first else { return nil }
        head += 1
        if head > 32, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}

extension Queue: Sendable where Element: Sendable {}
