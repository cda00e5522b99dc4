/// Distributes elements (prefixes or links) over fragments, each of which becomes an LSA of limited size. An element stays in
/// its fragment while others are added or removed, so that adding or removing one element changes one LSA.
struct StableFragments<Key: Hashable & Comparable & Sendable, Element: Hashable & Sendable>: Sendable {
    /// Octets of elements that fit into one LSA.
    private let capacity: Int
    /// Octets of one element.
    private let size: @Sendable (Element) -> Int

    private struct Fragment: Sendable {
        var elements: [Key: Element] = [:]
        var octets = 0
    }

    private var fragments: [Fragment] = []
    /// The fragment of each element.
    private var places: [Key: Int] = [:]
    /// The first fragment to try for a new element. Those before it count as full.
    private var firstWithRoom = 0
    /// The fragment in which an earlier run had each element that was not added since.
    private var earlierPlaces: [Key: Int] = [:]
    /// Fragments that have changed, or were marked as changed, since the last ``drainChanged()``.
    private var changed: Set<Int> = []

    init(capacity: Int, size: @escaping @Sendable (Element) -> Int) {
        self.capacity = capacity
        self.size = size
    }

    /// Includes empty fragments.
    var fragmentCount: Int { fragments.count }

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
    private static var maximumGaps: Int { 64 }

    /// Moves the elements, also those that are added later, to the fragments in which an earlier run had them, as far as they
    /// have room there. Every fragment counts as changed.
    mutating func adopt(_ places: [Key: Int]) {
        var elements: [Key: Element] = [:]
        for fragment in fragments { elements.merge(fragment.elements) { first, _ in first } }
        (fragments, self.places, firstWithRoom, changed) = ([], [:], 0, [])
        earlierPlaces = places.filter { (0..<places.count + Self.maximumGaps).contains($0.value) }
        update(to: elements)
        markAllChanged()
    }

    private mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key) else { return }
        let element = fragments[place].elements.removeValue(forKey: key)!
        fragments[place].octets -= size(element)
        changed.insert(place)
        firstWithRoom = min(firstWithRoom, place)
    }

    /// Adds or replaces an element: in its fragment, in that of the earlier run, or in the first with room.
    private mutating func set(_ key: Key, _ element: Element) {
        if let place = places[key] {
            let old = fragments[place].elements[key]!
            guard old != element else { return }
            if fragments[place].octets - size(old) + size(element) <= capacity {
                fragments[place].elements[key] = element
                fragments[place].octets += size(element) - size(old)
                changed.insert(place)
                return
            }
            remove(key)
        }
        if let place = earlierPlaces.removeValue(forKey: key) {
            while fragments.count <= place { fragments.append(Fragment()) }
            if fragments[place].octets + size(element) <= capacity { return insert(key, element, in: place) }
        }
        var place = firstWithRoom
        while place < fragments.count, fragments[place].octets + size(element) > capacity { place += 1 }
        if place == fragments.count { fragments.append(Fragment()) }
        insert(key, element, in: place)
        // Elements differ little in size, so a fragment that had no room for this one counts as full for others.
        firstWithRoom = place
    }

    private mutating func insert(_ key: Key, _ element: Element, in place: Int) {
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
