internal import Addressing
internal import Links
internal import OSPF
internal import Services
internal import Timing

// The cluster: service addresses, drain, pod ranges.

extension MeshNode {
    mutating func receive(_ report: ClusterReport, at now: Instant) {
        let before = cluster
        cluster = report.view
        for notice in report.notices { log(.notice, "Kubernetes: \(notice)") }
        if report.view.isConnected, before?.isConnected != true {
            log(.notice, "Kubernetes: connected by \(report.view.origin)")
        }
        if report.view.serviceRanges != before?.serviceRanges { serviceRoutes.invalidate() }
        // Reservations are updated before demands, so that no service gets the address of a machine. Without any demand
        // they are not kept up to date; the first demand brings them up to date.
        let hasOtherReservations = report.view.reservedAddresses != before?.reservedAddresses ?? []
        if serviceClaims.hasAny ? hasOtherReservations : !report.changes.isEmpty { reserveAddresses(at: now) }
        if !report.changes.isEmpty {
            apply(serviceClaims.apply(report.changes), at: now)
        }
        let reason = report.view.node.drainReason
        if reason != before?.node.drainReason {
            if let reason { log(.notice, "Kubernetes: the cluster drains this node: \(reason)") }
            setDrained(reason != nil, .cluster, at: now)
        }
        if report.view.podCIDRs != before?.podCIDRs || report.view.isNodeKnown != before?.isNodeKnown
            || report.view.resources["nodes"]?.isRefused != before?.resources["nodes"]?.isRefused
        {
            announcements.invalidate()
        }
    }

    /// Reserves the addresses of machines and of the configuration, as far as they are known, so that services do not get them.
    mutating func reserveAddresses(at now: Instant) {
        var reserved = router?.reservedAddressesOfOthers ?? []
        reserved.formUnion(ownAddresses)
        reserved.formUnion(cluster?.reservedAddresses ?? [])
        // Single addresses may belong to services: kube-proxy in IPVS mode puts them on its own device.
        reserved.formUnion(addresses.all.lazy.filter { $0.prefixLength < 128 }.map(\.address))
        apply(
            serviceClaims.reserve(reserved, configured: Set(vips.entries.map(\.vip.address))), at: now)
    }

    private mutating func apply(_ verdicts: [(IPv6Address, ServiceClaims.Verdict)], at now: Instant) {
        for (address, verdict) in verdicts {
            switch verdict {
            case .grant(let demand):
                perform(serviceAddresses.set(address, demand.level, services: demand.services, at: now))
                refreshServiceAddress(address)
            case .end:
                perform(serviceAddresses.set(address, nil, at: now))
                refreshServiceAddress(address)
            case .revoke: perform(serviceAddresses.remove(address))
            }
        }
    }

    /// Withdraws service addresses whose time is over, and announces those that do not flap any more at their normal metric.
    mutating func expireServices(at now: Instant) {
        let changing = serviceAddresses.changing(at: now)
        perform(serviceAddresses.expire(at: now))
        for address in changing { refreshServiceAddress(address) }
    }

    private mutating func perform(_ actions: [ServiceAddresses.Action]) {
        for action in actions {
            switch action {
            case .hold(let address): refreshServiceAddress(address)
            case .release(let address): ledger.drop(address, by: .service)
            }
        }
    }

    /// Updates the demand for a service address in the ledger. It is not announced before the check of the service proxy has
    /// passed once.
    private mutating func refreshServiceAddress(_ address: IPv6Address) {
        guard let entry = serviceAddresses.entries[address] else { return }
        let metric = isDrained || !gate.isOpen || entry.isLastResort ? AdvertisedPrefix.lastResort : 0
        let announcement = AdvertisedPrefix(prefix: IPv6Prefix(host: address), metric: metric)
        ledger.want(address, by: .service, as: gate.hasOpened ? announcement : nil)
    }

    /// Updates the demand for all service addresses, for example after a drain.
    mutating func refreshServiceAddresses() {
        for address in serviceAddresses.entries.keys.sorted() { refreshServiceAddress(address) }
    }

    // MARK: The service proxy

    mutating func handleGate(_ event: VIPTable.Event, at now: Instant) {
        let wasOpen = gate.isOpen
        gate.handle(event, at: now)
        guard gate.isOpen != wasOpen else { return }
        log(
            .notice,
            gate.isOpen
                ? "the service proxy delivers services" : "the service proxy does not deliver: \(gate.problem ?? "")")
        refreshServiceAddresses()
    }
}
