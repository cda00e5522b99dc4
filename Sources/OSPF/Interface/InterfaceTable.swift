import Addressing

/// Identifies a neighbor. A router that is on several of our links is a neighbor on each.
struct NeighborKey: Hashable, Sendable {
    /// Our interface toward it.
    var interface: UInt32
    var router: RouterID
}

/// The interfaces, in the order of their indices, each accessible by its index, and each neighbor by its key.
struct InterfaceTable: Sendable, Sequence {
    private var interfaces: [Interface] = []
    /// The indices of the interfaces, in order.
    private(set) var indices: [UInt32] = []

    func makeIterator() -> IndexingIterator<[Interface]> { interfaces.makeIterator() }

    func contains(_ index: UInt32) -> Bool { position(of: index) != nil }

    func contains(_ neighbor: NeighborKey) -> Bool {
        position(of: neighbor.interface).map { interfaces[$0].neighborIndex(of: neighbor.router) != nil } ?? false
    }

    /// The interface with an index. Traps if there is none.
    subscript(index: UInt32) -> Interface {
        _read { yield interfaces[existingPosition(of: index)] }
        _modify { yield &interfaces[existingPosition(of: index)] }
    }

    /// The neighbor with a key. Traps if there is none.
    subscript(neighbor: NeighborKey) -> Neighbor {
        _read {
            let position = existingPosition(of: neighbor.interface)
            yield interfaces[position].neighbors[interfaces[position].existingPosition(of: neighbor.router)]
        }
        _modify {
            let position = existingPosition(of: neighbor.interface)
            let neighborPosition = interfaces[position].existingPosition(of: neighbor.router)
            yield &interfaces[position].neighbors[neighborPosition]
        }
    }

    mutating func insert(_ interface: Interface) {
        let position = indices.partitioningIndex { $0 >= interface.index }
        interfaces.insert(interface, at: position)
        indices.insert(interface.index, at: position)
    }

    mutating func remove(_ index: UInt32) {
        let position = existingPosition(of: index)
        interfaces.remove(at: position)
        indices.remove(at: position)
    }

    private func position(of index: UInt32) -> Int? {
        let position = indices.partitioningIndex { $0 >= index }
        return position < indices.count && indices[position] == index ? position : nil
    }

    /// The position of an interface that must exist.
    private func existingPosition(of index: UInt32) -> Int {
        guard let position = position(of: index) else { preconditionFailure("no such interface") }
        return position
    }
}

extension Interface {
    /// The neighbors' keys, in order.
    var neighborKeys: [NeighborKey] { neighbors.map { NeighborKey(interface: index, router: $0.routerID) } }

    /// How an existing neighbor is used. Called before and after every step of an adjacency, so it copies neither the
    /// interface nor the neighbor.
    func use(of router: RouterID) -> Neighbor.Use {
        let position = existingPosition(of: router)
        return Neighbor.Use(isLinked: neighbors[position].isLinked, isUsable: isUsable(neighbors[position]))
    }

    /// The position of a neighbor that must exist.
    fileprivate func existingPosition(of router: RouterID) -> Int {
        guard let position = neighborIndex(of: router) else { preconditionFailure("no such neighbor") }
        return position
    }
}
