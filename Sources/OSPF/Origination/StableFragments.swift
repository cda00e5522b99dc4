/// Distributes elements (prefixes or links) over fragments, each of which becomes an LSA of limited size. An element stays in
/// its fragment while others are added or removed, so that adding or removing one element changes one LSA.
///
/// A fragment that is merged into others closes: for a time its elements are in both, so that no router loses any of them,
/// whatever the order in which the LSAs arrive.
struct StableFragments<Key: Hashable & Comparable & Sendable, Element: Hashable & Sendable>: Sendable {
    /// Octets of elements that fit into one LSA.
    let capacity: Int
    /// Octets of one element.
    let size: @Sendable (Element) -> Int

    struct Fragment: Sendable {
        var elements: [Key: Element] = [:]
        var octets = 0
        /// Whether its elements are copies of those in other fragments.
        var isClosing = false
    }

    var fragments: [Fragment] = []
    /// The fragment of each element, which is not closing.
    private(set) var places: [Key: Int] = [:]
    /// The first fragment to try for a new element. Those before it count as full.
    var firstWithRoom = 0
    /// The fragment in which an earlier run had each element that was not added since.
    private var earlierPlaces: [Key: Int] = [:]
    /// Fragments that have changed, or were marked as changed, since the last ``drainChanged()``.
    var changed: Set<Int> = []
    /// The fragments that are closing.
    var closing: Set<Int> = []

    init(capacity: Int, size: @escaping @Sendable (Element) -> Int) {
        self.capacity = capacity
        self.size = size
    }

    /// Includes empty fragments.
    var fragmentCount: Int { fragments.count }

    func isEmpty(_ place: Int) -> Bool { fragments[place].elements.isEmpty }

    /// The number of fragments with elements, without those that are closing.
    var usedCount: Int { fragments.count { !$0.elements.isEmpty && !$0.isClosing } }

    /// The element with this key.
    subscript(key: Key) -> Element? { places[key].flatMap { fragments[$0].elements[key] } }

    /// Replaces all elements.
    mutating func update(to wanted: [Key: Element]) {
        for key in places.keys where wanted[key] == nil { remove(key) }
        let changes = wanted.filter { key, element in
            places[key].map { fragments[$0].elements[key] != element } ?? true
        }
        // Sorted, so that after a start the same elements are always assigned to the same fragments.
        let sorted = changes.sorted(by: { $0.key < $1.key })
        // Elements of the earlier run first, so that no other takes the room that they had.
        let earlier = earlierPlaces
        for (key, element) in sorted where earlier[key] != nil { set(key, element) }
        for (key, element) in sorted where earlier[key] == nil { set(key, element) }
    }

    /// How many fragments more than elements an earlier run may have had: some were emptied, but a forged LSA with a large link
    /// state ID must not make the array large.
    private static var maximumGaps: Int { 1024 }

    /// Moves the elements, also those that are added later, to the fragments in which an earlier run had them, as far as they
    /// have room there. Every fragment counts as changed.
    mutating func adopt(_ places: [Key: Int]) {
        var elements: [Key: Element] = [:]
        for fragment in fragments where !fragment.isClosing { elements.merge(fragment.elements) { first, _ in first } }
        (fragments, self.places, firstWithRoom, changed, closing) = ([], [:], 0, [], [])
        earlierPlaces = places.filter { (0..<places.count + Self.maximumGaps).contains($0.value) }
        update(to: elements)
        markAllChanged()
    }

    /// Removes an element, and its copy in a closing fragment.
    mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key) else { return }
        remove(key, from: place)
        removeCopy(of: key)
        firstWithRoom = min(firstWithRoom, place)
    }

    private mutating func removeCopy(of key: Key) {
        for place in closing where fragments[place].elements[key] != nil { remove(key, from: place) }
    }

    private mutating func remove(_ key: Key, from place: Int) {
        let element = fragments[place].elements.removeValue(forKey: key)!
        fragments[place].octets -= size(element)
        changed.insert(place)
    }

    /// Adds or replaces an element: in its fragment, in that of the earlier run, or in the first with room.
    mutating func set(_ key: Key, _ element: Element) {
        if let place = places[key] {
            let old = fragments[place].elements[key]!
            guard old != element else { return }
            if fragments[place].octets - size(old) + size(element) <= capacity {
                fragments[place].elements[key] = element
                fragments[place].octets += size(element) - size(old)
                changed.insert(place)
                return removeCopy(of: key)
            }
            remove(key)
        }
        if restore(key, element, isOpen: { _ in true }) { return }
        var place = firstWithRoom
        while place < fragments.count, room(in: place) < size(element) { place += 1 }
        if place == fragments.count { fragments.append(Fragment()) }
        insert(key, element, in: place)
        // Elements differ little in size, so a fragment that had no room for this one counts as full for others.
        firstWithRoom = place
    }

    /// Adds an element to the fragment that it had in an earlier run. Returns whether that is open and has room.
    mutating func restore(_ key: Key, _ element: Element, isOpen: (Int) -> Bool) -> Bool {
        guard let place = earlierPlaces.removeValue(forKey: key) else { return false }
        while fragments.count <= place { fragments.append(Fragment()) }
        guard room(in: place) >= size(element), isOpen(place) else { return false }
        insert(key, element, in: place)
        return true
    }

    /// The octets that a fragment has room for.
    func room(in place: Int) -> Int { fragments[place].isClosing ? 0 : capacity - fragments[place].octets }

    mutating func insert(_ key: Key, _ element: Element, in place: Int) {
        fragments[place].elements[key] = element
        fragments[place].octets += size(element)
        places[key] = place
        changed.insert(place)
    }

    /// The fragments that changed since the last call, each with its elements in order. LSAs of empty fragments must be
    /// flushed.
    mutating func drainChanged() -> [(fragment: Int, elements: [Element])] {
        defer { changed.removeAll() }
        return changed.sorted().map { place in
            (place, fragments[place].elements.sorted { $0.key < $1.key }.map(\.value))
        }
    }

    /// Marks every fragment as changed.
    mutating func markAllChanged() { changed = Set(fragments.indices) }
}
