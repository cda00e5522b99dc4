internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import OSPF
internal import Services

// How pods are attached.

extension MeshAgent {
    /// Whether ``podRanges`` are those that pods are to have: where a cluster is to be asked, not before it has spoken, or
    /// has refused to.
    var rangesAreKnown: Bool {
        guard connection != nil, configuration.addressing.podPrefixes == nil, routing?.ipv4.takenPods == nil else {
            return true
        }
        return cluster.map { $0.isNodeKnown || $0.resources["nodes"]?.isRefused == true } ?? false
    }

    /// The ranges of the node's pods: those of the configuration, else those of the cluster, else those of the plan.
    var podRanges: [IPv6Prefix] {
        guard let routing else { return [] }
        let own = routing.identity.podPrefixes + (routing.ipv4.takenPods?.prefix.map { [IPv6Prefix($0)] } ?? [])
        let isConfigured = configuration.addressing.podPrefixes != nil || routing.ipv4.takenPods != nil
        guard !isConfigured, let given = cluster?.podCIDRs, !given.isEmpty else { return own }
        return given
    }

    /// Writes the file for container runtimes if there is something new to say. Not before the mesh has been heard out: its
    /// being there tells the kubelet that pods may come.
    func writeNetworkConfiguration() {
        guard let options = configuration.cni, phase == .running, let routing else { return }
        connection?.offer(podRanges)
        guard !podRanges.isEmpty, rangesAreKnown else { return }
        // For a moment nobody may be known, not even we, as while our own LSAs are said anew.
        let mtu = options.mtu ?? routing.router.smallestMTU.map(Int.init) ?? writtenNetwork?.mtu ?? 1280
        let network = NetworkConfiguration(plugin: options.plugin, ranges: podRanges, mtu: mtu)
        guard network != writtenNetwork else { return }
        writtenNetwork = network
        do {
            let text = try network.text
            guard (try? SmallFile.read(options.file, upTo: 1 << 16)) != Array(text.utf8) else { return }
            try StateDirectory(besideSocket: options.file).create()
            try SmallFile.write(text, to: options.file)
            let ranges = network.ranges.map(\.description).joined(separator: ", ")
            tell(.notice, "wrote \(options.file): pods get addresses out of \(ranges), and an MTU of \(mtu)")
        } catch {
            tell(.error, "pods cannot be attached: \(error)")
        }
    }
}
