internal import Addressing
internal import Links
internal import Timing

// What this machine reaches otherwise than by the mesh is not taken from pools.

extension MeshNode {
    /// What is in the way of taking IPv4 ranges; `nil` while the kernel has not been asked.
    func obstacles(at now: Instant) -> [SelfAssignedRange.Obstacle]? {
        poolSurvey.routes(at: now).map { connectedObstacles + $0.compactMap(obstacle) }
    }

    /// Asks the kernel, where a range is to be taken, and again while none can be.
    mutating func surveyPools(at now: Instant) {
        let missing = [ipv4.takenAddress, ipv4.takenPods].compactMap(\.self).filter { $0.prefix == nil }
        guard life.isSynchronized, !missing.isEmpty else { return }
        if poolSurvey.ask(at: now) {
            effects.append(.surveyRoutes(overlapping: missing.map { IPv6Prefix($0.pool.base) }))
        }
        review.lookAgain(poolSurvey.end(at: now))
    }

    mutating func take(_ survey: Result<[ForeignRoute], NodeFailure>, at now: Instant) {
        switch survey {
        case .success(let routes): poolSurvey.take(routes, at: now)
        case .failure(let failure):
            log(.warning, "it is not known whether other routes overlap the IPv4 pools: \(failure.reason)")
            poolSurvey.take([], at: now)
        }
        review.invalidate()
    }

    /// The IPv4 subnets that this machine is connected to, other than single addresses.
    private var connectedObstacles: [SelfAssignedRange.Obstacle] {
        let subnets = Set(
            addresses.all.compactMap { address in
                guard address.prefixLength < 128, address.address.ipv4 != nil, address.interface != Self.loopback
                else { return nil }
                return IPv6Prefix(address.address, length: address.prefixLength).ipv4
            }
        ).filter { !isOwnPods($0) }.sorted { ($0.address, $0.length) < ($1.address, $1.length) }
        return subnets.map { SelfAssignedRange.Obstacle(prefix: $0, reason: ", which this machine is connected to") }
    }

    /// Prefixes shorter than this hold more than a private network: two halves of everything, say, in place of a default
    /// route.
    private static let shortestObstacle = 8

    private func obstacle(_ route: ForeignRoute) -> SelfAssignedRange.Obstacle? {
        // Connected subnets are known, and a route that only refuses leads to nobody.
        guard !route.isConnected, let port = route.interfaces.first, let prefix = route.prefix.ipv4,
            prefix.length >= Self.shortestObstacle, !isOwnPods(prefix)
        else { return nil }
        let gateway = route.gateway.map { "via \($0.ipv4?.description ?? $0.description) " } ?? ""
        let reason = ", to which this machine has another route \(gateway)on \(name(ofInterface: port))"
        return SelfAssignedRange.Obstacle(prefix: prefix, reason: reason)
    }

    /// Whether a subnet is that of this node's own pods, as a bridge of theirs has it.
    private func isOwnPods(_ subnet: IPv4Prefix) -> Bool {
        podRanges.contains { $0.ipv4.map { $0.length <= subnet.length && $0.contains(subnet.address) } ?? false }
    }
}
