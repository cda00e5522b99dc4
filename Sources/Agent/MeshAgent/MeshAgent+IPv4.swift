internal import Addressing
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import Netlink
internal import OSPF
internal import OSPFPacket
internal import Timing

// The node's IPv4 address and ranges, as the mesh lets it have them.

extension MeshAgent {
    /// The addresses the node has on `lo` all the time.
    var ownAddresses: [IPv6Address] {
        guard let routing else { return [] }
        return [routing.identity.address] + (routing.ipv4.address.map { [IPv6Address($0)] } ?? [])
    }

    /// Looks whether the IPv4 ranges the node took are its own, and takes some where it has none; none before the mesh has
    /// been heard out.
    func reviewIPv4Ranges(_ routing: RoutingCore, at now: Instant, mayTake: Bool) {
        let old = routing.ipv4.address
        review(\.takenAddress, routing, at: now, mayTake: mayTake)
        review(\.takenPods, routing, at: now, mayTake: mayTake)
        if routing.ipv4.address != old { moveIPv4Address(from: old, to: routing.ipv4.address) }
        advertise()
    }

    private func review(
        _ path: WritableKeyPath<IPv4Ranges, SelfAssignedRange?>, _ routing: RoutingCore, at now: Instant,
        mayTake: Bool
    ) {
        guard var range = routing.ipv4[keyPath: path] else { return }
        let router = routing.router
        let own = router.routerID
        let changes = range.review(
            as: own, seed: UInt64(routing.identity.derivedRouterID.rawValue), at: now, mayTake: mayTake,
            claimants: { prefix in router.owners(of: IPv6Prefix(prefix)).filter { $0 != own } },
            used: {
                router.prefixesOfOthers.compactMap(\.ipv4)
                    + self.configuration.advertise.compactMap(\.prefix.ipv4)
            })
        routing.ipv4[keyPath: path] = range
        for change in changes {
            switch change {
            case .took(let prefix):
                tell(.notice, "took \(prefix) out of \(range.pool.base)", ["for": "\(range.purpose)"])
                do {
                    try state.save(prefix, for: range.purpose)
                } catch {
                    tell(.warning, "\(prefix) cannot be kept for the next start: \(error)")
                }
            case .gaveWay(let prefix, let winner):
                let name = router.hostname(of: winner) ?? winner.description
                tell(.warning, "\(name) has \(prefix) too, and the higher router ID; we take another")
            case .noneLeft:
                tell(.error, routing.ipv4.problems.joined(separator: "; "))
            }
        }
    }

    /// The address is announced only while it is there, and is the source of what this node sends over IPv4 routes.
    private func moveIPv4Address(from old: IPv4Address?, to new: IPv4Address?) {
        if let new { hold(IPv6Address(new)) }
        routing?.installer.setPreferredSourceIPv4(new)
        advertise()
        if let old {
            settle()
            release(IPv6Address(old))
        }
    }
}
