internal import Addressing
internal import Links
internal import Netlink
internal import Node

extension KernelReader {
    /// The neighbor table entries of those of the addresses that other machines have. Probes stale entries; the result is in
    /// the table when the address is tried again.
    func owners(of addresses: Set<IPv6Address>) -> Result<[IPv6Address: KnownNeighbor], NodeFailure> {
        do {
            let owners = try neighbors(among: addresses)
            for owner in owners.values where owner.isStale { try probe(owner) }
            return .success(owners)
        } catch {
            return .failure(NodeFailure("cannot read whether another machine has it: \(error)"))
        }
    }

    /// The maximum number of routes per pool; further ones are ignored. A pool has at most 65,536 ranges; a machine with more
    /// routes than this in a pool needs another pool.
    private static let mostForeignRoutes = 4096

    /// The routes of others that overlap these pools, at most ``mostForeignRoutes`` for each.
    func foreignRoutes(overlapping pools: [IPv6Prefix]) -> Result<[ForeignRoute], NodeFailure> {
        do {
            return .success(try pools.flatMap { try foreignRoutes(overlapping: $0, limit: Self.mostForeignRoutes) })
        } catch {
            return .failure(NodeFailure("\(error)"))
        }
    }
}
