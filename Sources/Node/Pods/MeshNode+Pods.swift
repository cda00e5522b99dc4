internal import Addressing
internal import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

/// The contents of the CNI file (the network configuration for container runtimes), and whether it could be written.
struct NetworkAudit: Sendable {
    /// The contents last requested to be written; `nil` before the first.
    var written: NetworkConfiguration?
    /// Why they could not be written; `nil` if they were.
    var failure: String?
    /// When to check that the file still has these contents; `nil` before the first are requested.
    private(set) var nextAudit: Instant?

    /// The time between checks: no pod can be attached while somebody has removed or damaged the file.
    private static let interval = Duration.seconds(15)

    mutating func schedule(at now: Instant) { nextAudit = now + Self.interval }
    func isDue(at now: Instant) -> Bool { nextAudit.map { $0 <= now } ?? false }
}

extension MeshNode {
    /// Whether ``podRanges`` are final. If they depend on the cluster, it must have answered or denied access. A self-assigned
    /// range must be assigned, or not available.
    var podRangesAreKnown: Bool {
        if let pods = ipv4.selfAssignedPods, pods.prefix == nil, pods.problem == nil { return false }
        guard environment.hasCluster, configuration.addressing.podPrefixes == nil, ipv4.selfAssignedPods == nil else {
            return true
        }
        return cluster.map { $0.isNodeKnown || $0.resources["nodes"]?.isRefused == true } ?? false
    }

    /// The ranges of the node's pods. With `addressing.podPrefixes` or `addressing.ipv4.pods`, these prefixes (else that of the
    /// address plan) and the self-assigned IPv4 range. Without either, those of the cluster or, if it assigned none, that of
    /// the plan.
    var podRanges: [IPv6Prefix] {
        guard let identity else { return [] }
        let own = identity.podPrefixes + (ipv4.selfAssignedPods?.prefix.map { [IPv6Prefix($0)] } ?? [])
        let isConfigured = configuration.addressing.podPrefixes != nil || ipv4.selfAssignedPods != nil
        guard !isConfigured, let given = cluster?.podCIDRs, !given.isEmpty else { return own }
        return given
    }

    /// Offers the pod ranges to the cluster, and writes the CNI file if its contents change. Does nothing before initial
    /// database synchronization is over, because the kubelet starts pods as soon as the file exists.
    mutating func updatePodNetwork() {
        guard let options = configuration.cni, life.isSynchronized, let router else { return }
        if environment.hasCluster { effects.append(.offerPodRanges(podRanges)) }
        guard !podRanges.isEmpty, podRangesAreKnown else { return }
        // No MTU may be announced for a moment, not even ours, while LSAs are originated again. 1280 is the minimum of
        // IPv6.
        let mtu = options.mtu ?? router.smallestMTU.map(Int.init) ?? network.written?.mtu ?? 1280
        let wanted = NetworkConfiguration(file: options.file, plugin: options.plugin, ranges: podRanges, mtu: mtu)
        guard wanted != network.written else { return }
        network.written = wanted
        effects.append(.networkConfiguration(wanted))
    }

    /// Checks regularly that the file exists with the right contents.
    mutating func auditNetworkConfiguration(at now: Instant) {
        guard let written = network.written else { return }
        if network.isDue(at: now) { effects.append(.networkConfiguration(written)) }
        if network.nextAudit == nil || network.isDue(at: now) { network.schedule(at: now) }
    }

    mutating func receive(_ result: Result<Bool, NodeFailure>) {
        guard let written = network.written else { return }
        switch result {
        case .success(let wasWritten):
            network.failure = nil
            guard wasWritten else { return }
            let ranges = written.ranges.map(\.description).joined(separator: ", ")
            log(.notice, "wrote \(written.file): pod addresses from \(ranges), MTU \(written.mtu)")
        case .failure(let failure):
            if network.failure != failure.reason {
                log(.error, "no pod can be attached: \(failure.reason)")
            }
            network.failure = failure.reason
        }
    }
}
