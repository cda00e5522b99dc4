internal import Addressing
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

extension MeshNode {
    /// Whether packets in transit bypass the service proxy, if there are any to let pass.
    private var bypassesServiceProxy: Bool { environment.hasCluster && configuration.kubernetes.bypassesServiceProxy }

    /// Notes new routes: those to single addresses must be in the table as soon as they are in the kernel, without the delay of
    /// a review.
    mutating func noteBypassedRoutes(_ update: RouteTableUpdate) {
        guard bypassesServiceProxy, !mustReviewBypass else { return }
        mustReviewBypass = update.routes.contains {
            $0.destination != nil && $0.prefix.isHost && !bypass.includes($0.prefix.address)
        }
    }

    /// Updates the addresses whose transit packets bypass the service proxy: those that other nodes announce and that belong to
    /// no single machine, and those of services on this node, whose answers may come from other nodes as well.
    mutating func reviewProxyBypass(at now: Instant) {
        mustReviewBypass = false
        guard bypassesServiceProxy else { return bypass.wantNone(at: now) }
        guard let router else { return }
        var addresses = router.sharedAddressesOfOthers
        addresses.formUnion(vips.entries.lazy.filter(\.isAnnounced).map(\.vip.address))
        addresses.formUnion(serviceAddresses.entries.keys)
        let own = ownAddresses
        addresses.subtract(own)
        addresses.subtract([.unspecified, IPv6Address(IPv4Address(0))])
        bypass.surplus = max(0, addresses.count - ProxyBypass.mostAddresses)
        if bypass.surplus > 0 { addresses = Set(addresses.sorted().prefix(ProxyBypass.mostAddresses)) }
        let (ports, uplinks) = transitPorts
        bypass.want(
            ProxyBypass.Contents(addresses: addresses, ports: ports, uplinks: uplinks),
            reserved: router.reservedAddressesOfOthers.union(own), knowsMesh: life.isSynchronized, at: now)
    }

    /// The ports of the mesh, and all from which packets in transit may come, as they are now.
    private var transitPorts: (ports: [UInt32], uplinks: [UInt32]) {
        let ports = interfaces.ports.values.map(\.link.index)
        let others = links.values.filter { $0.isPhysical || ["bond", "vlan"].contains($0.kind) }.map(\.index)
        return (ports.sorted(), Set(ports + others).sorted())
    }

    /// Requests the next change or check of the table.
    mutating func requestProxyBypass(at now: Instant) {
        guard life.isRouting else { return }
        if mustReviewBypass { reviewProxyBypass(at: now) }
        if bypass.wanted != nil {
            let (ports, uplinks) = transitPorts
            bypass.usePorts(ports, uplinks: uplinks, at: now)
        }
        if let request = bypass.next(at: now) { effects.append(.proxyBypass(request)) }
    }

    mutating func receive(_ outcome: ProxyBypass.Outcome, at now: Instant) {
        let before = (bypass.failure, bypass.isFull)
        if let line = bypass.receive(outcome, at: now) { log(line) }
        if (bypass.failure, bypass.isFull) != before { problems.invalidate() }
    }

    /// The problems with the bypass of the service proxy.
    var proxyBypassProblems: [Problem] {
        var found: [Problem] = []
        if let reason = bypass.failure, bypass.wanted != nil {
            found.append(
                Problem(
                    .proxyBypass, "", "packets in transit to services do not bypass the service proxy: \(reason)",
                    remedy:
                        "see the reason; the program nft must be installed; or set kubernetes.bypassServiceProxy to off and restart the agent"
                ))
        }
        if bypass.isFull, bypass.wanted != nil {
            found.append(
                Problem(
                    .proxyBypass, "full",
                    "there is no room for more connections that this node translates (DNAT) to services: new ones fail",
                    remedy: "see nft list set inet kubermesh_bypass translated6 (translated4) for whose they are"))
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
