internal import Addressing
internal import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

/// The contents of the CNI file (the network configuration for container runtimes), and whether it could be written.
struct NetworkAudit: Sendable {
    /// The contents last requested to be written; `nil` before the first.
    var requested: NetworkConfiguration?
    /// Why they could not be written; `nil` if they were, or that is not known yet.
    var failure: String?
    /// The ranges last offered to the cluster.
    var offered: [IPv6Prefix] = []
    /// Since when the first contents wait for ranges; `nil` if they do not.
    var waitingSince: Instant?
    /// The smallest MTU in the mesh, and the state of the mesh for which it was determined: that takes time in proportion to
    /// the mesh.
    var smallestMTU: (digest: MeshReview.Digest, mtu: UInt32?)?
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

    /// Offers the pod ranges to the cluster where that is configured, and writes the CNI file if its contents change, whatever
    /// changed them. Does nothing before initial database synchronization is over, because the kubelet starts pods as soon as
    /// the file exists.
    mutating func updatePodNetwork(at now: Instant) {
        guard let options = configuration.cni, life.isSynchronized, router != nil else { return }
        let ranges = podRanges
        if environment.hasCluster, configuration.kubernetes.offersPodRanges, network.offered != ranges {
            network.offered = ranges
            effects.append(.offerPodRanges(ranges))
        }
        guard !ranges.isEmpty, podRangesAreKnown else {
            if network.requested == nil, network.waitingSince == nil {
                network.waitingSince = now
                // So that reviews follow soon: this is a problem if it lasts.
                problems.noteChange(at: now)
            }
            return
        }
        network.waitingSince = nil
        // While LSAs are originated again, it can happen that no MTU is announced, not even ours. 1280 is the minimum of IPv6.
        let mtu = options.mtu ?? smallestMTU.map(Int.init) ?? network.requested?.mtu ?? 1280
        let wanted = NetworkConfiguration(file: options.file, plugin: options.plugin, ranges: ranges, mtu: mtu)
        guard wanted != network.requested else { return }
        network.requested = wanted
        effects.append(.networkConfiguration(wanted))
    }

    /// The smallest MTU that reachable routers announce, in octets; `nil` if none announces one. There must be a router.
    private var smallestMTU: UInt32? {
        mutating get {
            let digest = meshDigest
            if let known = network.smallestMTU, known.digest == digest { return known.mtu }
            let mtu = router!.smallestMTU
            network.smallestMTU = (digest, mtu)
            return mtu
        }
    }

    /// How long the first contents of the CNI file may wait before that is a problem. The API server usually answers within
    /// seconds.
    private static let expectedWait = Duration.seconds(10)

    /// The problem with the CNI file, if there is one.
    func networkProblem(at now: Instant) -> Problem? {
        if let failure = network.failure, let file = network.requested?.file {
            return Problem(.podNetwork, file, "no pod can be attached: \(failure)")
        }
        guard let since = network.waitingSince, now - since >= Self.expectedWait else { return nil }
        let isSelfAssigned = ipv4.selfAssignedPods.map { $0.prefix == nil && $0.problem == nil } ?? false
        let cause =
            isSelfAssigned
            ? "an IPv4 range for pods"
            : podRanges.isEmpty ? "a range for pods" : "the Node \(name) from the API server"
        return Problem(
            .podNetwork, "", "the CNI file is not written, so no pod can be attached: waiting for \(cause)",
            remedy: isSelfAssigned || podRanges.isEmpty
                ? nil : "see the state of kubernetes in meshctl status; the Node must have the name of this node",
            since: since)
    }

    /// Checks regularly that the file exists with the right contents.
    mutating func auditNetworkConfiguration(at now: Instant) {
        guard let requested = network.requested else { return }
        if network.isDue(at: now) { effects.append(.networkConfiguration(requested)) }
        if network.nextAudit == nil || network.isDue(at: now) { network.schedule(at: now) }
    }

    mutating func receive(_ result: Result<Bool, NodeFailure>) {
        guard let requested = network.requested else { return }
        switch result {
        case .success(let wasWritten):
            network.failure = nil
            guard wasWritten else { return }
            let ranges = requested.ranges.map(\.description).joined(separator: ", ")
            log(.notice, "wrote \(requested.file): pod addresses from \(ranges), MTU \(requested.mtu)")
        case .failure(let failure):
            if network.failure != failure.reason { problems.invalidate() }
            network.failure = failure.reason
        }
    }
}
