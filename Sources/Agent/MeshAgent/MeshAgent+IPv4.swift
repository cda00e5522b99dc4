internal import Addressing
internal import ControlAPI
internal import Linux
internal import Logging
internal import Netlink
internal import OSPF
internal import OSPFPacket

/// What the node has of IPv4: an address, and ranges for its pods, given or taken out of pools that all nodes share.
struct IPv4Ranges: Sendable {
    /// The address given.
    let givenAddress: IPv4Address?
    /// The address taken, as a /32.
    var takenAddress: SelfAssignedRange?
    /// The range taken for the pods.
    var takenPods: SelfAssignedRange?

    /// Begins with what the configuration gives and with what an earlier run took.
    init(_ configuration: Configuration.IPv4, _ state: StateDirectory) {
        func range(_ purpose: String, _ pool: PrefixPool?) -> SelfAssignedRange? {
            pool.map { SelfAssignedRange(purpose: purpose, pool: $0, saved: state.savedRange(for: purpose)) }
        }
        givenAddress = configuration.address
        takenAddress = configuration.address == nil ? range("ipv4-address", configuration.nodes) : nil
        takenPods = range("ipv4-pods", configuration.pods)
    }

    /// The node's own address.
    var address: IPv4Address? { givenAddress ?? takenAddress?.prefix?.address }

    /// What is announced: the address, and the range taken for pods.
    var announced: [AdvertisedPrefix] {
        let own = address.map { AdvertisedPrefix(prefix: IPv6Prefix(host: IPv6Address($0)), options: .localAddress) }
        let pods = takenPods?.prefix.map { AdvertisedPrefix(prefix: IPv6Prefix($0)) }
        return [own, pods].compactMap(\.self)
    }
}

/// What the mesh said when it was last looked at: the database, who could be reached, and whether it had been heard out.
struct MeshReview: Equatable {
    var checksum: UInt32
    var calculations: UInt64
    var isHeard: Bool
}

extension IPv4Ranges {
    /// What stands in the way of it.
    var problems: [String] {
        [takenAddress, takenPods].compactMap(\.self).filter(\.isWanting).map {
            "nothing is left of \($0.pool.base) for a /\($0.pool.length) of this node; make the pool larger"
        }
    }
}

extension MeshAgent {
    /// The addresses the node has on `lo` all the time.
    var ownAddresses: [IPv6Address] {
        guard let routing else { return [] }
        return [routing.identity.address] + (routing.ipv4.address.map { [IPv6Address($0)] } ?? [])
    }

    /// So many of those who claim one address are told.
    private static let mostClaims = 4

    /// The time between two looks at the whole mesh, which take as long as it is large.
    private static let reviewDistance = Duration.milliseconds(200)

    /// Looks at what the mesh says, when that has changed, for what is no matter of routes: whose the IPv4 ranges are, and
    /// what pods are to be told. While it changes all the time, now and then.
    func reviewMesh() {
        guard let routing, phase != .stopping else {
            reviewDeadline = nil
            return
        }
        let now = EventLoop.now
        let isHeard = phase == .running
        let review = MeshReview(
            checksum: routing.router.databaseChecksum, calculations: routing.router.statistics.routeCalculations,
            isHeard: isHeard)
        if let reviewed, review.isHeard == reviewed.seen.isHeard {
            guard review != reviewed.seen || reviewDeadline.map({ $0 <= now }) == true else { return }
            let next = reviewed.moment + Self.reviewDistance
            guard next <= now else {
                reviewDeadline = next
                return scheduleHousekeeping()
            }
        }
        reviewed = (review, now)
        reviewDeadline = nil
        reviewIPv4Ranges(routing, at: now, mayTake: isHeard)
        reviewOwnAddresses(routing)
        writeNetworkConfiguration()
        let ranges = [routing.ipv4.takenAddress?.nextReview, routing.ipv4.takenPods?.nextReview]
        reviewDeadline = (ranges + [reviewDeadline]).compactMap(\.self).min()
        scheduleHousekeeping()
    }

    /// Looks whether the IPv4 ranges the node took are its own, and takes some where it has none; none before the mesh has
    /// been heard out.
    private func reviewIPv4Ranges(_ routing: RoutingCore, at now: Instant, mayTake: Bool) {
        let old = routing.ipv4.address
        review(\.takenAddress, routing, at: now, mayTake: mayTake)
        review(\.takenPods, routing, at: now, mayTake: mayTake)
        if routing.ipv4.address != old { moveIPv4Address(from: old, to: routing.ipv4.address) }
        advertise()
    }

    /// Looks whether others have the node's own addresses, of which each belongs to one node. Those it took by itself are
    /// settled elsewhere.
    private func reviewOwnAddresses(_ routing: RoutingCore) {
        let given = routing.ipv4.givenAddress.map { [IPv6Address($0)] } ?? []
        var claims: [String] = []
        for address in [routing.identity.address] + given {
            let others = routing.router.owners(of: IPv6Prefix(host: address)).filter { $0 != routing.router.routerID }
            for other in others.sorted().prefix(Self.mostClaims) {
                let name = routing.router.hostname(of: other) ?? other.description
                claims.append(
                    "\(address) is this node's own address, and \(name) has it too; change `addressing` on one")
            }
        }
        for claim in claims where !routing.claims.contains(claim) { tell(.warning, claim) }
        routing.claims = claims
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
