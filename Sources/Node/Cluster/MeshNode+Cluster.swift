internal import Addressing
internal import Links
internal import OSPF
internal import Services
internal import Timing

// What the cluster wants of this node: addresses of services, a drain, and that its ranges are announced.

extension MeshNode {
    mutating func take(_ report: ClusterReport, at now: Instant) {
        let before = cluster
        cluster = report.view
        for notice in report.notices { log(.notice, "Kubernetes: \(notice)") }
        if report.view.isConnected, before?.isConnected != true {
            log(.notice, "Kubernetes: connected by \(report.view.origin)")
        }
        // What is no service's is known before what services want is judged.
        let hasOtherMachines = report.view.machineAddresses != before?.machineAddresses ?? []
        if serviceClaims.hasAny ? hasOtherMachines : !report.changes.isEmpty { reserveAddresses(at: now) }
        if !report.changes.isEmpty {
            carryOut(serviceClaims.take(report.changes), at: now)
        }
        let reason = report.view.node.drainReason
        if reason != before?.node.drainReason {
            if let reason { log(.notice, "Kubernetes: the cluster drains this node: \(reason)") }
            setDrained(reason != nil, .cluster, at: now)
        }
        if report.view.podCIDRs != before?.podCIDRs || report.view.isNodeKnown != before?.isNodeKnown
            || report.view.resources["nodes"]?.isRefused != before?.resources["nodes"]?.isRefused
        {
            isAnnouncementStale = true
            offerNetwork()
        }
    }

    /// Keeps services from the addresses of machines and of the configuration, as far as these are known by now.
    mutating func reserveAddresses(at now: Instant) {
        var machines = router?.machineAddressesOfOthers ?? []
        machines.formUnion(ownAddresses)
        machines.formUnion(cluster?.machineAddresses ?? [])
        // Single addresses may be there for services: kube-proxy puts them on a device of its own.
        machines.formUnion(addresses.all.lazy.filter { $0.prefixLength < 128 }.map(\.address))
        carryOut(
            serviceClaims.reserve(machines: machines, configured: Set(vips.entries.map(\.vip.address))), at: now)
    }

    private mutating func carryOut(_ verdicts: [(IPv6Address, ServiceClaims.Verdict)], at now: Instant) {
        for (address, verdict) in verdicts {
            switch verdict {
            case .grant(let demand):
                perform(serviceVIPs.set(address, demand.wish, services: demand.services, at: now))
                renewService(address)
            case .end:
                perform(serviceVIPs.set(address, nil, at: now))
                renewService(address)
            case .revoke: perform(serviceVIPs.remove(address))
            }
        }
    }

    /// Withdraws addresses of services that are wanted no more, and announces those that have come to rest.
    mutating func expireServices(at now: Instant) {
        let changing = serviceVIPs.changing(at: now)
        perform(serviceVIPs.expire(at: now))
        for address in changing { renewService(address) }
    }

    private mutating func perform(_ actions: [ServiceVIPs.Action]) {
        for action in actions {
            switch action {
            case .hold(let address): renewService(address)
            case .release(let address): ledger.drop(address, by: .service)
            }
        }
    }

    /// Brings the ledger up to date with how one address of services stands.
    private mutating func renewService(_ address: IPv6Address) {
        guard let entry = serviceVIPs.entries[address] else { return }
        let metric = isDrained || !gate.isOpen || entry.isLastResort ? AdvertisedPrefix.lastResort : 0
        let announcement = AdvertisedPrefix(prefix: IPv6Prefix(host: address), metric: metric)
        ledger.want(address, by: .service, as: gate.hasOpened ? announcement : nil)
    }

    /// The same for all of them, as after a drain.
    mutating func renewServices() {
        for address in serviceVIPs.entries.keys.sorted() { renewService(address) }
    }

    // MARK: Who delivers services

    mutating func handleGate(_ event: VIPTable.Event, at now: Instant) {
        let wasOpen = gate.isOpen
        perform(gate.handle(event, at: now), at: now)
        guard gate.isOpen != wasOpen else { return }
        log(
            .notice,
            gate.isOpen
                ? "the service proxy delivers services" : "the service proxy does not deliver: \(gate.problem ?? "")")
        renewServices()
    }
}
