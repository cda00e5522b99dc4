internal import Addressing
public import Kubernetes
public import Services

/// Counts the pool addresses that are in the `status` of services, whoever wrote them.
public struct PoolCensus: Sendable {
    /// The addresses of one family in one pool.
    private struct Part: Hashable {
        var pool: Int
        var family: IPFamily
    }

    private let table: PoolTable
    /// The pool addresses in the `status` of each service.
    private var statusAddresses: [ObjectKey: Set<IPv6Address>] = [:]
    /// For each address, the number of services whose `status` has it: more than one if they share it.
    private var serviceCounts: [IPv6Address: Int] = [:]
    /// For each part, the number of addresses in use, each counted once however many services share it.
    private var used: [Part: Int] = [:]

    /// Makes a census without services.
    public init(_ pools: [AddressPool]) { table = PoolTable(pools) }

    /// Sets or, with `nil`, removes a service.
    public mutating func set(_ key: ObjectKey, _ service: Service?) {
        let new = Set((service?.ingressIPs ?? []).filter { table.pool(of: $0) != nil })
        let old = statusAddresses[key] ?? []
        guard new != old else { return }
        statusAddresses[key] = new.isEmpty ? nil : new
        for address in new.subtracting(old) { count(address, 1) }
        for address in old.subtracting(new) { count(address, -1) }
    }

    private mutating func count(_ address: IPv6Address, _ change: Int) {
        let before = serviceCounts[address] ?? 0
        let after = before + change
        serviceCounts[address] = after == 0 ? nil : after
        guard before == 0 || after == 0, let pool = table.pool(of: address) else { return }
        used[Part(pool: pool, family: address.family), default: 0] += change
    }

    /// The use of the pools, by pool and family.
    public var uses: [PoolUse] {
        table.pools.enumerated().flatMap { index, pool in
            [IPFamily.ipv6, .ipv4].filter { table.has($0, in: index) }.map { family in
                let count = pool.ranges.lazy.filter { $0.family == family }.reduce(UInt64(0)) { sum, range in
                    let (total, isTooMuch) = sum.addingReportingOverflow(range.count)
                    return isTooMuch ? .max : total
                }
                return PoolUse(
                    pool: pool.name, family: family, addresses: count,
                    used: used[Part(pool: index, family: family)] ?? 0)
            }
        }
    }
}
