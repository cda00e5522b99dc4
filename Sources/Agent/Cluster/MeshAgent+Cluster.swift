internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Kubernetes
internal import Links
internal import Linux
internal import Logging
internal import Netlink
internal import OSPF
internal import Services
internal import Timing

// What the cluster wants of this node: addresses of services, a drain, and that its ranges are announced.

extension MeshAgent {
    /// Takes in what is new of the cluster, if there is anything.
    func fetchNews() {
        guard let report = connection?.fetch(), phase != .stopping else { return }
        let before = cluster
        cluster = report.view
        for notice in report.notices { tell(.notice, "Kubernetes: \(notice)") }
        if report.view.isConnected, before?.isConnected != true {
            tell(.notice, "Kubernetes: connected by \(report.view.origin)")
        }
        takeServices(report.changes)
        let reason = report.view.node.drainReason
        if reason != before?.node.drainReason {
            if let reason { tell(.notice, "Kubernetes: to be drained: \(reason)") }
            setDrained(reason != nil, .cluster)
        }
        if report.view.node != before?.node || report.view.podCIDRs != before?.podCIDRs {
            advertise()
            settle()
        }
        scheduleHousekeeping()
    }

    private func takeServices(_ changes: [IPv6Address: ServiceDemand?]) {
        guard !changes.isEmpty else { return }
        // From then on, every look at the mesh renews them.
        if !serviceClaims.hasAny { reserveAddresses() }
        carryOut(serviceClaims.take(changes))
    }

    /// Keeps services from the addresses of nodes and of the configuration, as far as these are known by now.
    func reserveAddresses() {
        var machines = routing?.router.machineAddressesOfOthers ?? []
        machines.formUnion(ownAddresses)
        // Single addresses may be there for services: kube-proxy puts them on a device of its own.
        machines.formUnion(monitor.addresses.lazy.filter { $0.prefixLength < 128 }.map(\.address))
        carryOut(serviceClaims.reserve(machines: machines, configured: Set(vips.entries.map(\.vip.address))))
    }

    private func carryOut(_ verdicts: [(IPv6Address, ServiceClaims.Verdict)]) {
        let problems = serviceClaims.problems
        for problem in problems where !serviceProblems.contains(problem) { tell(.warning, "Kubernetes: \(problem)") }
        serviceProblems = problems
        guard !verdicts.isEmpty else { return }
        let now = EventLoop.now
        var revoked: [ServiceVIPs.Action] = []
        var actions: [ServiceVIPs.Action] = []
        for (address, verdict) in verdicts {
            switch verdict {
            case .grant(let entry):
                let names = entry.services
                actions += serviceVIPs.set(address, entry.wish, services: names, at: now)
            case .end: actions += serviceVIPs.set(address, nil, at: now)
            case .revoke: revoked += serviceVIPs.remove(address)
            }
        }
        perform(actions)
        announceServices()
        perform(revoked)
    }

    /// Withdraws addresses of services that are wanted no more, and announces those that have come to rest.
    func expireServices(at now: Instant) {
        guard let deadline = serviceVIPs.nextDeadline, deadline <= now else { return }
        let actions = serviceVIPs.expire(at: now)
        announceServices()
        perform(actions)
    }

    /// Takes everything back that was announced for services; the addresses are there until ``releaseAddresses(until:)``.
    func withdrawServices() {
        let actions = serviceVIPs.removeAll()
        guard !actions.isEmpty else { return }
        announceServices()
        perform(actions)
    }

    private func perform(_ actions: [ServiceVIPs.Action]) {
        for action in actions {
            switch action {
            case .hold(let address): holding.insert(address)
            case .release(let address):
                // It may be there even so, from before it was wanted again.
                holding.remove(address)
                releasing.append(address)
            }
        }
        holdAddresses()
        scheduleHousekeeping()
    }

    /// How long addresses are put on this node, or taken from it, before other things have their turn.
    private static let addressesPerTurn = Duration.milliseconds(5)

    /// Puts addresses on this node that are to be announced, as many as there is time for. At the start there is time for all:
    /// nobody has heard of this node yet, and then it is to be of all of them.
    private func holdAddresses() {
        let end = phase == .running ? EventLoop.now + Self.addressesPerTurn : nil
        while let address = holding.popFirst() {
            hold(address)
            if let end, EventLoop.now >= end { break }
        }
    }

    /// Goes on with that, and announces them when all are there.
    func holdSomeAddresses() {
        guard !holding.isEmpty else { return }
        holdAddresses()
        if holding.isEmpty { announceServices() }
    }

    /// Takes addresses from this node that are announced no more, a few at a time: for each the kernel looks at all its
    /// routes, which with thousands of both would keep hellos waiting for seconds.
    func releaseSomeAddresses() {
        guard !releasing.isEmpty else { return }
        releaseAddresses(until: EventLoop.now + Self.addressesPerTurn)
    }

    /// Takes addresses from this node that are announced no more, until `end` or all of them.
    func releaseAddresses(until end: Instant? = nil) {
        let others = Set(ownAddresses + vips.announced)
        while let address = releasing.popLast() {
            // It may be wanted again by now.
            if !others.contains(address), serviceVIPs.entries[address] == nil { release(address) }
            if let end, EventLoop.now >= end { break }
        }
    }

    /// Tells the mesh what is announced for services now.
    func announceServices() {
        renewAnnouncedServices()
        advertise()
        settle()
    }

    /// Works out anew what is announced for services.
    func renewAnnouncedServices() {
        guard gate.hasOpened else { return announcedServices = [] }
        let entries = serviceVIPs.entries.lazy.filter { [holding] in !holding.contains($0.key) }
        announcedServices = entries.sorted { $0.key < $1.key }.map { address, entry in
            AdvertisedPrefix(prefix: IPv6Prefix(host: address), metric: entry.metric(isLast: isDrained || !gate.isOpen))
        }
    }
}

extension ServiceVIPs.Entry {
    /// What the address is announced at.
    func metric(isLast: Bool) -> UInt16 { isLast || isLastResort ? AdvertisedPrefix.lastResort : 0 }
}
