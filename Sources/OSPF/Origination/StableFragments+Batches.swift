/// Elements are added to few fragments at a time, which the caller chooses by when their LSAs may change, and fragments are
/// merged that have become small.
extension StableFragments {
    /// Adds elements, in order, to as few fragments as possible: to one, if they fit. An open fragment is one that may change
    /// now; where none has room, the elements get new ones. An element returns to the fragment that it had in an earlier run
    /// if that is open and has room.
    mutating func add(_ batch: [(key: Key, element: Element)], isOpen: (Int) -> Bool) {
        var rest: ArraySlice<(key: Key, element: Element)> = []
        for (key, element) in batch where !restore(key, element, isOpen: isOpen) { rest.append((key, element)) }
        while !rest.isEmpty {
            var octets = 0
            let chunk = rest.prefix { entry in
                octets += size(entry.element)
                return octets <= capacity
            }
            let needed = chunk.reduce(0) { $0 + size($1.element) }
            let place = fragments.indices.first { room(in: $0) >= needed && isOpen($0) } ?? fragments.count
            if place == fragments.count { fragments.append(Fragment()) }
            for (key, element) in chunk { insert(key, element, in: place) }
            rest = rest.dropFirst(chunk.count)
        }
    }

    /// What became of an attempt to merge.
    enum Merge: Equatable {
        /// No fragment fits the room that a few others have.
        case unnecessary
        /// A fragment that should change may not change now.
        case notNow
        /// This fragment closes; its elements are in that many others, too.
        case closing(Int, targets: Int)
    }

    /// The maximum number of fragments over which one is distributed. With more, the LSAs that are saved would not be worth
    /// those that change.
    private static var maximumTargets: Int { 8 }

    /// Copies the elements of the smallest fragment to those with the most room, and lets it close.
    mutating func merge(isOpen: (Int) -> Bool) -> Merge {
        // The smallest first.
        let candidates = fragments.indices.filter { !fragments[$0].elements.isEmpty && !fragments[$0].isClosing }
            .sorted { (fragments[$0].octets, $0) < (fragments[$1].octets, $1) }
        guard let source = candidates.first else { return .unnecessary }
        let others = candidates.dropFirst()
        guard let moves = moves(from: source, to: others.lazy.filter(isOpen).prefix(Self.maximumTargets)) else {
            return moves(from: source, to: others.prefix(Self.maximumTargets)) == nil ? .unnecessary : .notNow
        }
        for move in moves { insert(move.key, fragments[source].elements[move.key]!, in: move.place) }
        fragments[source].isClosing = true
        closing.insert(source)
        return .closing(source, targets: Set(moves.map(\.place)).count)
    }

    /// How the elements of a fragment would fill the room in these others, one after the other; `nil` if that is not enough.
    private func moves(from source: Int, to targets: some Sequence<Int>) -> [(key: Key, place: Int)]? {
        var targets = targets.map { (place: $0, room: room(in: $0)) }[...]
        var moves: [(key: Key, place: Int)] = []
        for (key, element) in fragments[source].elements.sorted(by: { $0.key < $1.key }) {
            while let target = targets.first, target.room < size(element) { targets.removeFirst() }
            guard let target = targets.first else { return nil }
            targets[targets.startIndex].room -= size(element)
            moves.append((key, target.place))
        }
        return moves
    }

    /// Removes the elements of a closing fragment.
    mutating func close(_ place: Int) {
        guard closing.remove(place) != nil else { return }
        fragments[place] = Fragment()
        changed.insert(place)
        firstWithRoom = min(firstWithRoom, place)
    }
}
