internal import Addressing
internal import Kubernetes
internal import Services

// The choice of addresses for services.
extension PoolAllocator {
    /// Assigns the addresses that a service still needs. A service that requires both families gets both or none.
    mutating func fill(_ key: ObjectKey) {
        guard var record = records[key], case .demand(let demand) = record.responsibility else { return }
        var chosen: [IPv6Address] = []
        var problem: PoolProblem?
        /// Whether the service cannot get a specific address that it requests. That is a problem even if it accepts an address
        /// of one family alone.
        var lacksRequestedAddress = false
        for family in demand.families where !record.held.contains(where: { $0.family == family }) {
            do {
                chosen.append(try choose(family, for: key, demand))
            } catch {
                problem = problem ?? error
                lacksRequestedAddress = lacksRequestedAddress || demand.asked[family] != nil
            }
        }
        let isEnough = problem == nil || demand.acceptsOneFamily && !(record.held + chosen).isEmpty
        record.problem = isEnough && !lacksRequestedAddress ? nil : problem
        if isEnough {
            hold(chosen, by: key, demand.terms)
            let all = record.held + chosen
            record.held = demand.families.compactMap { family in all.first { $0.family == family } }
        } else {
            release(record.held, of: key)
            record.held = []
        }
        records[key] = record
        updateStaleAddresses(of: key)
        setUnsatisfied(key, problem != nil)
    }

    /// Chooses an address. If the service requests a specific one, only that; otherwise one that the service can share, else a
    /// free one of the first pool that has any.
    private mutating func choose(
        _ family: IPFamily, for key: ObjectKey, _ demand: PoolDemand
    ) throws(PoolProblem) -> IPv6Address {
        let candidates = try pools(for: demand)
        if let address = demand.asked[family] {
            guard let pool = table.pool(of: address) else { throw .inNoPool(address) }
            if let name = demand.pool, table.pools[pool].name != name { throw .inOtherPool(address, name) }
            if let other = conflictingService(with: demand.terms, at: address, for: key) {
                throw .inUse(address, by: other)
            }
            return address
        }
        let suitable = candidates.filter { table.has(family, in: $0) }
        guard !suitable.isEmpty else { throw .noAddresses(family, pool: demand.pool) }
        if let address = shareable(family, in: suitable, for: key, demand.terms) { return address }
        for pool in suitable {
            if let address = lowest(family, in: pool) { return address }
        }
        throw .exhausted(family, pool: demand.pool)
    }

    /// The pool that the service names; if it names none, all pools that assign automatically.
    private func pools(for demand: PoolDemand) throws(PoolProblem) -> [Int] {
        guard let name = demand.pool else { return table.pools.indices.filter { table.pools[$0].assignsAutomatically } }
        guard let pool = table.pools.firstIndex(where: { $0.name == name }) else {
            throw .unknownPool(name, known: table.pools.map(\.name))
        }
        return [pool]
    }

    /// The lowest address in these pools that services with the same sharing key should have and this service can share.
    private func shareable(
        _ family: IPFamily, in pools: [Int], for key: ObjectKey, _ terms: SharingTerms
    ) -> IPv6Address? {
        guard let name = terms.key, let addresses = shared[name] else { return nil }
        return addresses.filter { address in
            address.family == family && table.pool(of: address).map(pools.contains) == true
                && conflictingService(with: terms, at: address, for: key) == nil
        }.min()
    }

    private mutating func lowest(_ family: IPFamily, in pool: Int) -> IPv6Address? {
        table.lowest(family, in: pool) { [holders, staleAddresses] in holders[$0] != nil || staleAddresses[$0] != nil }
    }
}
