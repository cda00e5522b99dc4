internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Linux
internal import Logging
internal import OSPF

// How pods are attached.

extension MeshAgent {
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
