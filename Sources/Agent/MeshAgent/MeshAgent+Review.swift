internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Linux
internal import Logging
internal import OSPF
internal import Services
internal import Timing

/// What the mesh said when it was last looked at: the database, who could be reached, and whether it had been heard out.
struct MeshReview: Equatable {
    var checksum: UInt32
    var calculations: UInt64
    var isHeard: Bool
}

extension MeshAgent {
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
        if serviceClaims.hasAny { reserveAddresses() }
        writeNetworkConfiguration()
        let ranges = [routing.ipv4.takenAddress?.nextReview, routing.ipv4.takenPods?.nextReview]
        reviewDeadline = (ranges + [reviewDeadline]).compactMap(\.self).min()
        scheduleHousekeeping()
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
}
