internal import Addressing
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

extension MeshNode {
    /// Updates the addresses whose transit packets bypass the service proxy: those that other nodes announce and that belong to
    /// no single machine, and those of services on this node, whose answers may come from other nodes as well.
    mutating func reviewProxyBypass(at now: Instant) {
        guard environment.hasCluster, configuration.kubernetes.bypassesServiceProxy, let router else {
            return bypass.want(nil, at: now)
        }
        // What an earlier run left stays until the mesh is known.
        guard life.isSynchronized else { return }
        var addresses = router.sharedAddressesOfOthers
        addresses.formUnion(vips.entries.lazy.filter(\.isAnnounced).map(\.vip.address))
        addresses.formUnion(serviceAddresses.entries.keys)
        addresses.subtract(ownAddresses)
        addresses.subtract([.unspecified, IPv6Address(IPv4Address(0))])
        bypass.surplus = max(0, addresses.count - ProxyBypass.mostAddresses)
        if bypass.surplus > 0 { addresses = Set(addresses.sorted().prefix(ProxyBypass.mostAddresses)) }
        bypass.want(addresses.isEmpty ? nil : contents(addresses), at: now)
    }

    /// The contents of the table with these addresses, and the ports of the machine as they are now.
    private func contents(_ addresses: Set<IPv6Address>) -> ProxyBypass.Contents {
        let ports = interfaces.ports.values.map(\.link.index)
        let others = links.values.filter { $0.isPhysical || ["bond", "vlan"].contains($0.kind) }.map(\.index)
        return ProxyBypass.Contents(
            addresses: addresses, ports: ports.sorted(), uplinks: Set(ports + others).sorted())
    }

    /// Requests the next change or check of the table.
    mutating func requestProxyBypass(at now: Instant) {
        switch life {
        case .running, .draining:
            if let wanted = bypass.wanted { bypass.want(contents(wanted.addresses), at: now) }
            if let request = bypass.next(at: now) { effects.append(.proxyBypass(request)) }
        case .new, .waiting, .adopting, .starting, .synchronizing, .stopping: break
        }
    }

    mutating func receive(_ outcome: ProxyBypass.Outcome, at now: Instant) {
        let before = bypass.failure
        if let line = bypass.receive(outcome, at: now) { log(line) }
        if bypass.failure != before { problems.invalidate() }
    }

    /// The problems with the bypass of the service proxy.
    var proxyBypassProblems: [Problem] {
        var found: [Problem] = []
        if let reason = bypass.failure, bypass.wanted != nil {
            found.append(
                Problem(
                    .proxyBypass, "", "packets in transit to services do not bypass the service proxy: \(reason)",
                    remedy:
                        "see the reason; the program nft must be installed; or set kubernetes.bypassServiceProxy to off"
                ))
        }
        if bypass.surplus > 0 {
            found.append(
                Problem(
                    .proxyBypass, "surplus",
                    "the mesh announces \(bypass.surplus) single addresses more than can bypass the service proxy (\(ProxyBypass.mostAddresses))",
                    remedy: "see meshctl routes for who announces them"))
        }
        // kube-proxy in IPVS mode puts the addresses of all services on a device of its own, on every node.
        guard let wanted = bypass.wanted, let device = links.values.first(where: { $0.name == "kube-ipvs0" }) else {
            return found
        }
        let taken = addresses.on(device.index).filter {
            wanted.addresses.contains($0.address) && !ledger.isPlaced($0.address)
        }
        if !taken.isEmpty {
            found.append(
                Problem(
                    .proxyBypass, device.name,
                    "kube-proxy in IPVS mode delivers packets in transit here: it has \(counted(taken.count, "address", "addresses")) of services "
                        + "on other nodes on \(device.name)",
                    remedy: "use kube-proxy in nftables or iptables mode"))
        }
        return found
    }
}
