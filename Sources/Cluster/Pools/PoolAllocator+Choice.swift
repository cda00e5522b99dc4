internal import Addressing
internal import Kubernetes
internal import Services

// What is given to services that lack an address.
extension PoolAllocator {
    /// Gives a service the addresses that it wants and has not. One that needs two and cannot have both has none.
    mutating func fill(_ key: ObjectKey) {
        guard var record = records[key], case .demand(let demand) = record.claim else { return }
        var chosen: [IPv6Address] = []
        var problem: PoolProblem?
        /// An address that is asked for by name is missed, also where another would do.
        var isMissed = false
        for family in demand.families where !record.held.contains(where: { $0.family == family }) {
            do {
                chosen.append(try choose(family, for: key, demand))
            } catch {
                problem = problem ?? error
                isMissed = isMissed || demand.asked[family] != nil
            }
        }
        let isEnough = problem == nil || demand.takesSome && !(record.held + chosen).isEmpty
        record.problem = isEnough && !isMissed ? nil : problem
        if isEnough {
            hold(chosen, by: key, demand.terms)
            let all = record.held + chosen
            record.held = demand.families.compactMap { family in all.first { $0.family == family } }
        } else {
            release(record.held, of: key)
            record.held = []
        }
        records[key] = record
        noteResidue(of: key)
        setLacking(key, problem != nil)
    }

    private mutating func choose(
        _ family: IPFamily, for key: ObjectKey, _ demand: PoolDemand
    ) throws(PoolProblem) -> IPv6Address {
        let candidates = try pools(for: demand)
        if let address = demand.asked[family] {
            guard let pool = table.pool(of: address) else { throw .inNoPool(address) }
            if let name = demand.pool, table.pools[pool].name != name { throw .inOtherPool(address, name) }
            if let other = obstacle(to: demand.terms, at: address, for: key) { throw .inUse(address, by: other) }
            return address
        }
        let some = candidates.filter { table.has(family, in: $0) }
        guard !some.isEmpty else { throw .noAddresses(family, pool: demand.pool) }
        if let address = shareable(family, in: some, for: key, demand.terms) { return address }
        for pool in some {
            if let address = lowest(family, in: pool) { return address }
        }
        throw .exhausted(family, pool: demand.pool)
    }

    /// The pools that a service may be given addresses of without asking for them.
    private func pools(for demand: PoolDemand) throws(PoolProblem) -> [Int] {
        guard let name = demand.pool else { return table.pools.indices.filter { table.pools[$0].assignsAutomatically } }
        guard let pool = table.pools.firstIndex(where: { $0.name == name }) else {
            throw .unknownPool(name, known: table.pools.map(\.name))
        }
        return [pool]
    }

    /// The lowest address that others share already and that takes one more.
    private func shareable(
        _ family: IPFamily, in pools: [Int], for key: ObjectKey, _ terms: SharingTerms
    ) -> IPv6Address? {
        guard let name = terms.key, let addresses = shared[name] else { return nil }
        return addresses.filter { address in
            address.family == family && table.pool(of: address).map(pools.contains) == true
                && obstacle(to: terms, at: address, for: key) == nil
        }.min()
    }

    private mutating func lowest(_ family: IPFamily, in pool: Int) -> IPv6Address? {
        table.lowest(family, in: pool) { [holders, residues] in holders[$0] != nil || residues[$0] != nil }
    }
}
