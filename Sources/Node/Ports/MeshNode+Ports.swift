internal import Addressing
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import Routing
internal import Timing

extension MeshNode {
    mutating func receive(_ event: KernelEvent, at now: Instant) {
        switch event {
        case .link(let link):
            noteCarrier(link, before: links[link.index], at: now)
            links[link.index] = link
            installer.link(link.index, isUsable: link.isUsable, at: now)
            if link.isLoopback, !link.isUp { settings.invalidate() }
            if !link.hasCarrier { foreignSigns.lostCarrier(link.index) }
            refreshPort(link, at: now)
        case .linkRemoved(let link):
            links[link.index] = nil
            foreignSigns.removed(link.index)
            serviceRoutes.invalidate()
            installer.link(link.index, isUsable: false, isGone: true, at: now)
            lastHeard.removed(link.index)
            quality.forget(link.index)
            settings.forget(port: link.name)
            if let change = interfaces.remove(link.index) { apply(change, at: now) }
        case .address(let address):
            addresses.set(address)
            serviceRoutes.invalidate()
            reviewPools(address)
            guard address.interface != Self.loopback else { return }
            if let link = links[address.interface] { refreshPort(link, at: now) }
        case .addressRemoved(let address):
            addresses.remove(address)
            serviceRoutes.invalidate()
            reviewPools(address)
            if address.interface == Self.loopback { return addressGone(address.address, at: now) }
            if let link = links[address.interface] { refreshPort(link, at: now) }
        case .defaultRoute(let route):
            foreignSigns.add(route)
            serviceRoutes.invalidate()
            if let link = links[route.interface] { refreshPort(link, at: now) }
        case .defaultRouteRemoved(let route):
            foreignSigns.remove(route)
            serviceRoutes.invalidate()
            if let link = links[route.interface] { refreshPort(link, at: now) }
        case .routerAdvertised(let interface):
            foreignSigns.routerAdvertised(on: interface, at: now)
            if let link = links[interface] { refreshPort(link, at: now) }
        case .settingsChanged: settings.invalidate()
        case .resynchronized:
            // A link may have gone down and up unnoticed. When it went down, the kernel removed its next hops.
            installer.requireRead(.nextHops)
            rejoinGroups()
            log(.warning, "the kernel dropped notifications of links and addresses; everything was read again")
        }
    }

    /// Joins all multicast groups again: a device may have been removed unnoticed and made again with the same index and name.
    /// The kernel still counts its groups as joined, so they are left first.
    private mutating func rejoinGroups() {
        for membership in memberships.all {
            effects.append(.membership(membership, joined: false))
            effects.append(.membership(membership, joined: true))
        }
    }

    /// Makes a review of the mesh due after a change of an IPv4 subnet, which may overlap the node's IPv4 ranges.
    private mutating func reviewPools(_ address: InterfaceAddress) {
        if address.address.ipv4 != nil, address.prefixLength < 128 { review.invalidate() }
    }

    private mutating func refreshPort(_ link: Link, at now: Instant) {
        let before = interfaces.unused[link.index]
        let change = interfaces.update(
            link, addresses: addresses.on(link.index), configuration: configuration, foreignSigns: foreignSigns)
        if let unused = interfaces.unused[link.index], unused.reason != before?.reason,
            case .foreignNetwork = unused.reason
        {
            log(.warning, "not using \(link.name): \(unused.reason.text(of: link.name))")
        }
        if let change { apply(change, at: now) }
    }

    /// Updates all ports, for example after a change of the rules.
    mutating func refreshPorts(at now: Instant) {
        for link in links.values.sorted(by: { $0.index < $1.index }) { refreshPort(link, at: now) }
    }

    /// Updates the ports on which no router advertisement was received for an hour; without another sign they are used again.
    mutating func expireForeignSigns(at now: Instant) {
        for index in foreignSigns.expire(at: now) { if let link = links[index] { refreshPort(link, at: now) } }
    }

    /// Passes a change of a port to the router while the ports are open (``Life/isRouting``). The router learns of earlier
    /// changes when they open.
    mutating func apply(_ change: InterfaceTable.Change, at now: Instant) {
        announcements.invalidate()
        settings.invalidate()
        problems.noteChange(at: now)
        guard life.isRouting else { return }
        switch change {
        case .up(let configuration):
            lastHeard.opened(configuration.index, at: now)
            notifyRouter(.interfaceUp(configuration), at: now)
            log(
                .notice, "interface \(configuration.name) is up",
                ["mtu": "\(configuration.mtu)", "cost": "\(configuration.cost)"])
        case .changed(let configuration, let before):
            notifyRouter(.interfaceUp(configuration), at: now)
            log(.notice, "interface \(configuration.name): \(configuration.difference(from: before))")
        case .down(let index, let name, let reason):
            settings.forget(port: name)
            counters.portWentDown(name)
            notifyRouter(.interfaceDown(index: index), at: now)
            // Routes of an earlier run may lead through this port, so none is kept any longer.
            endKeepingRoutes(at: now)
            log(.notice, "interface \(name) is down: \(reason)")
        }
    }

    /// The name of an interface; if it is not known, its index as in `if7`.
    public func name(ofInterface index: UInt32) -> String {
        interfaces.ports[index]?.link.name ?? links[index]?.name ?? "if\(index)"
    }

    /// The index of `lo`, the same in every network namespace.
    static let loopback: UInt32 = 1
}

extension InterfaceConfiguration {
    /// The difference from an earlier configuration, as text: `MTU 1500 → 1400`.
    func difference(from before: InterfaceConfiguration) -> String {
        var changes: [String] = []
        func note<Value: Equatable>(_ name: String, _ value: KeyPath<InterfaceConfiguration, Value>) {
            if self[keyPath: value] != before[keyPath: value] {
                changes.append("\(name) \(before[keyPath: value]) → \(self[keyPath: value])")
            }
        }
        note("name", \.name)
        note("MTU", \.mtu)
        note("link-local address", \.linkLocalAddress)
        note("type", \.kind.rawValue)
        note("cost", \.cost)
        note("hello interval", \.helloInterval)
        note("dead interval", \.deadInterval)
        note("retransmit interval", \.retransmitInterval)
        note("priority", \.priority)
        note("passive", \.isPassive)
        return changes.joined(separator: ", ")
    }
}
