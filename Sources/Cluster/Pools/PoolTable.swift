internal import Addressing
internal import Kubernetes
internal import Services

/// The addresses of the pools, and where the search for a free one starts. A search passes over taken addresses only, so its
/// duration does not depend on the size of the pool.
struct PoolTable: Sendable {
    private struct Entry {
        var range: AddressRange
        var pool: Int
        /// All addresses of the range below this one are taken (``PoolAllocator/isTaken(_:)``); `nil` if all of the range
        /// are.
        var searchStart: IPv6Address?
    }

    let pools: [AddressPool]
    /// The ranges of all pools, in ascending order of their addresses.
    private var entries: [Entry] = []
    /// For each pool, the places of its ranges in `entries`, in the order of the configuration.
    private var places: [[Int]]

    init(_ pools: [AddressPool]) {
        self.pools = pools
        entries = pools.enumerated().flatMap { index, pool in
            pool.ranges.map { Entry(range: $0, pool: index, searchStart: $0.first) }
        }.sorted { $0.range.first < $1.range.first }
        places = pools.map { _ in [] }
        for (index, pool) in pools.enumerated() {
            places[index] = pool.ranges.compactMap { range in entries.firstIndex { $0.range == range } }
        }
    }

    /// The place of the range that contains an address, by binary search.
    private func entry(of address: IPv6Address) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].range.first <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && entries[low - 1].range.contains(address) ? low - 1 : nil
    }

    /// The index of the pool that contains an address; `nil` if there is none.
    func pool(of address: IPv6Address) -> Int? { entry(of: address).map { entries[$0].pool } }

    /// Whether a pool has addresses of a family at all.
    func has(_ family: IPFamily, in pool: Int) -> Bool { pools[pool].ranges.contains { $0.family == family } }

    /// The lowest free address of a family, in the first range of the pool, in the order of the configuration, that has one.
    mutating func lowest(_ family: IPFamily, in pool: Int, isTaken: (IPv6Address) -> Bool) -> IPv6Address? {
        for place in places[pool] where entries[place].range.family == family {
            while let address = entries[place].searchStart {
                if !isTaken(address) { return address }
                let last = entries[place].range.last
                entries[place].searchStart = address < last ? IPv6Address(number: address.number + 1) : nil
            }
        }
        return nil
    }

    /// Notes that an address is free again: the search may start there.
    mutating func release(_ address: IPv6Address) {
        guard let place = entry(of: address) else { return }
        entries[place].searchStart = min(entries[place].searchStart ?? address, address)
    }
}
