internal import Addressing
internal import Links
internal import Timing

// IPv4 prefixes that this machine reaches without the mesh are not assigned from pools.

extension MeshNode {
    /// The routes of other programs that are obstacles; `nil` while the routes are not known.
    func routedObstacles(at now: Instant) -> [SelfAssignedRange.Obstacle]? {
        poolSurvey.routes(at: now).map { $0.compactMap(obstacle) }
    }

    /// Reads the kernel's routes when the node needs a range, and again while it cannot assign itself one.
    mutating func surveyPools(at now: Instant) {
        let missing = [ipv4.selfAssignedAddress, ipv4.selfAssignedPods].compactMap(\.self).filter { $0.prefix == nil }
        guard life.isSynchronized, !missing.isEmpty else { return }
        if poolSurvey.ask(at: now) {
            effects.append(.readForeignRoutes(overlapping: missing.map { IPv6Prefix($0.pool.base) }))
        }
        review.reviewAgain(at: poolSurvey.end(at: now))
    }

    mutating func receive(_ survey: Result<[ForeignRoute], NodeFailure>, at now: Instant) {
        switch survey {
        case .success(let routes): poolSurvey.record(routes, at: now)
        case .failure(let failure):
            log(
                .warning,
                "cannot read the routes that may overlap the IPv4 pools, so no range is taken from them: \(failure.reason)"
            )
            poolSurvey.record(nil, at: now)
        }
        review.invalidate()
    }

    /// The IPv4 subnets that this machine is connected to, without those of its pods. A single address (/32, which is 128 in
    /// the mapped form) is no subnet, and an address on `lo` connects to none.
    var connectedObstacles: [SelfAssignedRange.Obstacle] {
        let subnets = Set(
            addresses.all.compactMap { address in
                guard address.prefixLength < 128, address.address.ipv4 != nil, address.interface != Self.loopback
                else { return nil }
                return IPv6Prefix(address.address, length: address.prefixLength).ipv4
            }
        ).filter { !isOwnPods($0) }.sorted { ($0.address, $0.length) < ($1.address, $1.length) }
        return subnets.map { SelfAssignedRange.Obstacle(prefix: $0, reason: ", which this machine is connected to") }
    }

    /// The length of the shortest prefix of a route that is an obstacle. Shorter ones are not networks but, for example, the
    /// two halves of all addresses (0.0.0.0/1 and 128.0.0.0/1) in place of a default route.
    private static let shortestObstacle = 8

    /// The obstacle that a route of another program is; `nil` if it is none.
    private func obstacle(_ route: ForeignRoute) -> SelfAssignedRange.Obstacle? {
        // Connected subnets are in `connectedObstacles`; routes without an interface (blackhole, unreachable) lead nowhere.
        guard !route.isConnected, let port = route.interfaces.first, let prefix = route.prefix.ipv4,
            prefix.length >= Self.shortestObstacle, !isOwnPods(prefix)
        else { return nil }
        let gateway = route.gateway.map { "via \($0.ipv4?.description ?? $0.description) " } ?? ""
        let reason = ", to which this machine has another route \(gateway)on \(name(ofInterface: port))"
        return SelfAssignedRange.Obstacle(prefix: prefix, reason: reason)
    }

    /// Whether a subnet belongs to this node's pods, such as the subnet of their bridge.
    private func isOwnPods(_ subnet: IPv4Prefix) -> Bool {
        podRanges.contains { $0.ipv4.map { $0.length <= subnet.length && $0.contains(subnet.address) } ?? false }
    }
}
