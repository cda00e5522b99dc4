internal import Addressing
internal import ControlAPI
internal import Links
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import Netlink
internal import OSPF
internal import OSPFPacket
internal import PrometheusMetrics
internal import Routing
internal import Services
internal import Timing

// What the router is told, and what it wants done.

extension MeshAgent {
    /// Tells the router something and does what it wants.
    func handle(_ event: RouterEvent) {
        tellRouter(event)
        settle()
    }

    /// Tells the router something, and does what it wants but for the kernel's routes, which ``settle()`` brings up to date
    /// for many events at once.
    func tellRouter(_ event: RouterEvent) {
        guard let routing else { return }
        let now = EventLoop.now
        let runs = routing.router.calculationStatistics
        var effects: [RouterEffect] = []
        swap(&effects, &routing.effects)
        routing.router.handle(event, at: now, effects: &effects)
        if routing.router.calculationStatistics != runs { counters.routeCalculation.observe(EventLoop.now - now) }
        for effect in effects { perform(effect, at: now, routing) }
        effects.removeAll(keepingCapacity: true)
        swap(&effects, &routing.effects)
    }

    private func perform(_ effect: RouterEffect, at now: Instant, _ routing: RoutingCore) {
        switch effect {
        case .send(let interface, let source, let destination, let octets):
            do {
                try routing.sockets.send(interface: interface, source: source, destination: destination, octets: octets)
            } catch {
                tell(.debug, "\(error)")
            }
        case .membership(let interface, let group, let joined):
            setMembership(Membership(interface: interface, group: group), joined: joined)
        case .routes(let update):
            // What a router that leaves takes back is for the others; its own kernel goes on.
            guard phase != .stopping else { return }
            ages.note(update, at: now)
            routing.installer.update(update)
            if routesChangedAt == nil { routesChangedAt = now }
        case .notice(let notice):
            tell(notice, at: now)
        case .routerIDChanged(let routerID):
            do {
                try state.save(routerID, insteadOf: routing.identity.derivedRouterID)
            } catch {
                tell(.warning, "the new router ID \(routerID) cannot be kept for the next start: \(error)")
            }
        }
    }

    /// Brings the kernel up to date and sets the timers. To be called at the end of everything that tells the router or the
    /// installer something.
    func settle() {
        reviewMesh()
        install()
        // Not by way of an optional chain, which would copy the router.
        if let timers, let routing { loop.setDeadline(routing.router.nextDeadline, of: timers.router) }
        sweepIfConverged()
        watchFileIfDue()
    }

    /// Brings the kernel's routes to what is wanted, or a bounded part of the way; then again soon.
    func install() {
        guard let installer = routing?.installer, let timers, phase != .stopping else { return }
        let now = EventLoop.now
        if let holdDeadline, now < holdDeadline { return loop.setDeadline(holdDeadline, of: timers.kernel) }
        let hasMore = installer.install(at: now)
        if let error = installer.lastError { complain(error) } else { kernelIsTroubled = false }
        loop.setDeadline(hasMore ? now : installer.nextDeadline, of: timers.kernel)
        if !hasMore, let since = routesChangedAt {
            routesChangedAt = nil
            counters.convergence.observe(EventLoop.now - since)
        }
    }

    /// Says once that the kernel cannot be talked to, until it can again.
    func complain(_ error: any Error) {
        counters.netlinkErrors += 1
        guard !kernelIsTroubled else { return }
        kernelIsTroubled = true
        tell(.error, "\(error)")
    }

    /// Tells the router all prefixes of this node.
    func advertise() {
        guard let routing else { return }
        let identity = routing.identity
        var prefixes = [
            AdvertisedPrefix(prefix: IPv6Prefix(host: identity.address), options: .localAddress)
        ]
        if let address = routing.ipv4.announced { prefixes.append(address) }
        prefixes += podRanges.map { AdvertisedPrefix(prefix: $0) }
        prefixes += configuration.advertise
        let metric = isDrained ? AdvertisedPrefix.lastResort : 0
        prefixes += vips.announced.map { AdvertisedPrefix(prefix: IPv6Prefix(host: $0), metric: metric) }
        prefixes += vips.announcedPrefixes.map { AdvertisedPrefix(prefix: $0.prefix, metric: max($0.metric, metric)) }
        prefixes += announcedServices
        prefixes += interfaces.passivePrefixes
        // Asked after every event of the kernel, and mostly in vain.
        guard routing.offered != prefixes else { return }
        routing.offered = prefixes
        // The first says how: a prefix may be given twice.
        var seen: Set<IPv6Prefix> = []
        routing.announced = prefixes.filter { seen.insert($0.prefix).inserted }
        tellRouter(.advertise(routing.announced))
    }
}

// MARK: - What comes in

extension MeshAgent {
    /// Packets taken in before the routes are brought up to date; what waits longer is read in the next turn.
    private static let packetsPerTurn = 64
    /// How long packets are taken in before the routes are brought up to date.
    private static let readingPerTurn = Duration.milliseconds(5)
    /// How often the hellos that wait are read, a batch of every port each time, in search of one of a silent neighbour:
    /// more than a port's queue holds. Not a time, which passes as well while others have the processor.
    private static let searchesForHellos = 256

    func readPackets() {
        guard let sockets = routing?.sockets else { return }
        let end = EventLoop.now + Self.readingPerTurn
        var count = 0
        while count < Self.packetsPerTurn, EventLoop.now < end {
            let new = sockets.receive(tellRouter)
            // No socket gave a whole batch, so no more waits.
            if new < OSPFSockets.batch { break }
            count += new
        }
        settle()
    }

    /// Tells the router of a packet.
    private func tellRouter(
        interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8]
    ) {
        tellRouter(.packet(interface: interface, source: source, destination: destination, octets: octets))
    }

    /// The router's timer is due. Nobody is declared dead whose hello came and waits unread, because others came before it
    /// or because this process was kept from running.
    func runRouterTimer() {
        for _ in 0..<Self.searchesForHellos {
            guard let routing, routing.router.hasSilentNeighbor(at: EventLoop.now),
                routing.sockets.receiveHellos(tellRouter) > 0
            else { break }
        }
        handle(.timer)
    }

    func readRouteNotifications() {
        routing?.installer.readNotifications()
        settle()
    }

    func readMonitor() {
        let events: [KernelEvent]
        do {
            events = try monitor.read()
        } catch {
            return complain(error)
        }
        for event in events { take(event) }
        advertise()
        settle()
        identifyIfPossible()
    }

    private func take(_ event: KernelEvent) {
        routing?.installer.handle(event)
        switch event {
        case .link(let link):
            refreshInterface(link)
        case .linkRemoved(let link):
            if let change = interfaces.remove(link.index) { take(change) }
        case .address(let address):
            if let link = monitor.links[address.interface] { refreshInterface(link) }
        case .addressRemoved(let address):
            if let link = monitor.links[address.interface] { refreshInterface(link) }
            putBack(address)
        case .defaultRoute, .defaultRouteRemoved, .routerAdvertised, .settingsChanged:
            break
        case .resynchronized:
            tell(.warning, "the kernel dropped notifications; everything was read again")
        }
    }

    private func refreshInterface(_ link: Link) {
        if let change = interfaces.update(link, addresses: monitor.addresses, configuration: configuration) {
            take(change)
        }
    }

    /// Looks at all ports again, as after a change of the rules.
    func refreshInterfaces() {
        for link in monitor.links.values.sorted(by: { $0.index < $1.index }) { refreshInterface(link) }
    }

    /// Tells the router of a port, if it is to know of ports yet.
    func take(_ change: InterfaceTable.Change) {
        guard portsAreOpen else { return }
        switch change {
        case .up(let configuration), .changed(let configuration):
            tellRouter(.interfaceUp(configuration))
            if let outcome = ForwardingSettings.relaxReversePathFilter(of: configuration.name) { tell(outcome) }
            let isNew = if case .up = change { true } else { false }
            tell(
                .notice, "port \(configuration.name) \(isNew ? "is up" : "has changed")",
                ["mtu": "\(configuration.mtu)", "cost": "\(configuration.cost)"])
        case .down(let index, let name, let reason):
            tellRouter(.interfaceDown(index: index))
            // What was whole is no more.
            holdDeadline = nil
            install()
            tell(.notice, "port \(name) is down: \(reason)")
        }
    }
}
