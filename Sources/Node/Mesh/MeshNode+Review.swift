internal import Addressing
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

// Reviews of what depends on the mesh as a whole, other than routes: ownership of addresses, IPv4 ranges, reserved
// addresses, addresses of services in transit.

extension MeshNode {
    /// The maximum number of nodes that are named per address: any number may claim it.
    private static let mostClaims = 4

    /// Reviews IPv4 ranges, ownership of addresses, and which addresses services must not get: when ``meshDigest`` has changed
    /// or ``MeshReview/deadline`` is due, at most every 200 ms; at once when a review was requested.
    mutating func reviewMesh(at now: Instant) {
        guard life.isRouting, router != nil else { return }
        guard review.isDue(meshDigest, at: now) else { return }
        reviewIPv4Ranges(at: now)
        reviewOwnAddresses()
        if serviceClaims.hasAny { reserveAddresses(at: now) }
        reviewProxyBypass(at: now)
        review.reviewAgain(at: ipv4.selfAssignedAddress?.nextReview)
        review.reviewAgain(at: ipv4.selfAssignedPods?.nextReview)
    }

    /// The state that a review depends on. There must be a router.
    var meshDigest: MeshReview.Digest {
        MeshReview.Digest(
            checksum: router!.databaseChecksum, calculations: router!.statistics.routeCalculations,
            isSynchronized: life.isSynchronized)
    }

    /// Checks whether other nodes have as their own the addresses of this node or of its VIPs, and logs new conflicts. A
    /// self-assigned IPv4 address is not checked here: a conflict about it is resolved with its range
    /// (``reviewIPv4Ranges(at:)``).
    private mutating func reviewOwnAddresses() {
        guard let identity, let router else { return }
        let configured = ipv4.configuredAddress.map { [IPv6Address($0)] } ?? []
        var claims: [String] = []
        for address in [identity.address] + configured {
            let others = router.owners(of: IPv6Prefix(host: address)).filter { $0 != router.routerID }
            for other in others.sorted().prefix(Self.mostClaims) {
                let name = router.hostname(of: other) ?? other.description
                claims.append("\(name) has this node's own address \(address) too; change `addressing` on one of them")
            }
        }
        claims += vipClaims(router)
        for claim in claims where !review.claims.contains(claim) { log(.warning, claim) }
        review.claims = claims
    }

    /// The conflicts about VIPs that this node announces and that are another node's own address, as text.
    private func vipClaims(_ router: Router) -> [String] {
        let announced = vips.entries.filter(\.isAnnounced)
        guard !announced.isEmpty else { return [] }
        let reserved = router.reservedAddressesOfOthers
        return announced.filter { reserved.contains($0.vip.address) }.map { entry in
            let address = entry.vip.address
            let others = router.owners(of: IPv6Prefix(host: address)).filter { $0 != router.routerID }.sorted()
            let names = others.prefix(Self.mostClaims).map { router.hostname(of: $0) ?? $0.description }
            let who = names.isEmpty ? "a node that is not reachable" : names.joined(separator: " and ")
            return
                "\(address), the address of the VIP \(entry.vip.name), is the own address of a node (announced by \(who)); "
                + "give the VIP another address"
        }
    }

    // MARK: IPv4

    /// Checks the self-assigned IPv4 ranges for conflicts, and assigns missing ones when initial database synchronization is
    /// over.
    private mutating func reviewIPv4Ranges(at now: Instant) {
        let old = ipv4.address
        reviewRange(\.selfAssignedAddress, at: now)
        reviewRange(\.selfAssignedPods, at: now)
        surveyPools(at: now)
        guard ipv4.address != old else { return }
        if let old { ledger.drop(IPv6Address(old), by: .node) }
        wantOwnAddresses()
        updatePreferredSource(mustRewriteRoutes: false)
        announcements.invalidate()
    }

    /// Reviews one of the two ranges, saves a new one and logs what has changed.
    private mutating func reviewRange(
        _ path: WritableKeyPath<IPv4Ranges, SelfAssignedRange?>, at now: Instant
    ) {
        guard var range = ipv4[keyPath: path], let router, let identity else { return }
        let own = router.routerID
        let changes = range.review(
            as: own, seed: UInt64(NodeIdentity.seed(of: identity)), at: now, mayAssign: life.isSynchronized,
            claimants: { prefix in router.owners(of: IPv6Prefix(prefix)).subtracting([own]).sorted() },
            // Prefixes of `advertise` may not be announced by anybody yet.
            used: {
                router.prefixesOfOthers.compactMap(\.ipv4)
                    + self.configuration.advertise.compactMap(\.prefix.ipv4)
            }, connected: connectedObstacles, obstacles: routedObstacles(at: now))
        ipv4[keyPath: path] = range
        for change in changes {
            announcements.invalidate()
            switch change {
            case .assigned(let prefix):
                log(.notice, "took \(prefix) out of \(range.pool.base)", ["for": range.purpose])
                save(.range(prefix, purpose: range.purpose))
            case .yielded(let prefix, let winner):
                let name = router.hostname(of: winner) ?? winner.description
                log(.warning, "\(name) has \(prefix) too and the higher router ID; this node takes another")
            case .releasedForObstacle(let prefix, let obstacle):
                log(
                    .warning,
                    "gave up \(prefix): it overlaps \(obstacle.prefix)\(obstacle.reason); this node takes another")
            case .exhausted, .covered:
                if let problem = range.problem { log(.error, problem) }
            }
        }
    }
}
