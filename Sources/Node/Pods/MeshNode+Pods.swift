internal import Addressing
internal import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

// How pods are attached.

/// What was last said of the pods' network, and whether it could be written.
struct NetworkAudit: Sendable {
    var told: NetworkConfiguration?
    var failure: String?
    private(set) var nextAudit: Instant?

    private static let interval = Duration.seconds(15)

    mutating func schedule(at now: Instant) { nextAudit = now + Self.interval }
    func isDue(at now: Instant) -> Bool { nextAudit.map { $0 <= now } ?? false }
}

extension MeshNode {
    /// Whether ``podRanges`` are those that pods are to have: where a cluster is to be asked, not before it has spoken, or
    /// has refused to.
    var rangesAreKnown: Bool {
        guard environment.hasCluster, configuration.addressing.podPrefixes == nil, ipv4.takenPods == nil else {
            return true
        }
        return cluster.map { $0.isNodeKnown || $0.resources["nodes"]?.isRefused == true } ?? false
    }

    /// The ranges of the node's pods: those of the configuration, else those of the cluster, else those of the plan.
    var podRanges: [IPv6Prefix] {
        guard let identity else { return [] }
        let own = identity.podPrefixes + (ipv4.takenPods?.prefix.map { [IPv6Prefix($0)] } ?? [])
        let isConfigured = configuration.addressing.podPrefixes != nil || ipv4.takenPods != nil
        guard !isConfigured, let given = cluster?.podCIDRs, !given.isEmpty else { return own }
        return given
    }

    /// Has the file for container runtimes written if there is something new to say. Not before initial synchronization is
    /// complete: its being there tells the kubelet that pods may come.
    mutating func offerNetwork() {
        guard let options = configuration.cni, life.isSynchronized, let router else { return }
        if environment.hasCluster { effects.append(.offerPodRanges(podRanges)) }
        guard !podRanges.isEmpty, rangesAreKnown else { return }
        // For a moment nobody may be known, not even we, as while our own LSAs are originated anew.
        let mtu = options.mtu ?? router.smallestMTU.map(Int.init) ?? network.told?.mtu ?? 1280
        let wanted = NetworkConfiguration(file: options.file, plugin: options.plugin, ranges: podRanges, mtu: mtu)
        guard wanted != network.told else { return }
        network.told = wanted
        effects.append(.networkConfiguration(wanted))
    }

    /// Sees now and then that the file is still there and says what it should.
    mutating func auditNetworkConfiguration(at now: Instant) {
        guard let told = network.told else { return }
        if network.isDue(at: now) { effects.append(.networkConfiguration(told)) }
        if network.nextAudit == nil || network.isDue(at: now) { network.schedule(at: now) }
    }

    mutating func take(_ result: Result<Bool, NodeFailure>) {
        guard let told = network.told else { return }
        switch result {
        case .success(let wasWritten):
            network.failure = nil
            guard wasWritten else { return }
            let ranges = told.ranges.map(\.description).joined(separator: ", ")
            log(.notice, "wrote \(told.file): pods get addresses out of \(ranges), and an MTU of \(told.mtu)")
        case .failure(let failure):
            if network.failure != failure.reason {
                log(.error, "cannot write \(told.file), so no pod can be attached: \(failure.reason)")
            }
            network.failure = failure.reason
        }
    }
}
