internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Links
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import Netlink
internal import OSPF
internal import Routing
internal import Services
internal import Timing

// The ordered start: read the kernel and adopt what an earlier run left, open the socket, open the ports, hear the mesh out,
// sweep what nobody wants any more.

extension MeshAgent {
    /// How long ports wait for the first word of the health checks, so that a node that restarts does not first take back
    /// and then announce again the VIPs it holds.
    private static let longestWaitForChecks = Duration.milliseconds(250)

    /// Begins. Throws where the agent cannot work at all.
    func start() throws {
        timers = Timers(
            router: loop.makeTimer { [unowned self] in assumeIsolated { $0.runRouterTimer() } },
            kernel: loop.makeTimer { [unowned self] in assumeIsolated { $0.install() } },
            house: loop.makeTimer { [unowned self] in assumeIsolated { $0.keepHouse() } })
        // On a busy machine an ordinary thread may wait for tens of milliseconds, and traffic with it.
        if !loop.requestRealtimePriority() {
            tell(.info, "no real-time priority, which takes CAP_SYS_NICE: a busy machine may delay hellos and routes")
        }
        try loop.register(monitor.descriptor) { [unowned self] _ in assumeIsolated { $0.readMonitor() } }
        KernelSettings.apply(configuration.kernel).forEach(tell)
        watchFile()
        do {
            try state.create()
        } catch {
            tell(.warning, "what this node finds out is forgotten when it starts again: \(error)")
        }
        let now = EventLoop.now
        perform(vips.configure(configuration.vips, at: now))
        if connection != nil { checkServiceProxy(configuration.kubernetes.proxyCheck) }
        refreshInterfaces()
        try identify()
        scheduleHousekeeping()
    }

    /// Finds out who this node is if that is not known yet, and if it can be, begins to route.
    func identify() throws {
        guard routing == nil else { return }
        let identity = NodeIdentity(
            configuration: configuration, hostName: Host.name, ports: identityPorts, nonce: passing.nonce(),
            savedRouterID: state.savedRouterID)
        guard let identity else {
            if !isWaitingTold { tell(.notice, "waiting for a port to take an identity from") }
            isWaitingTold = true
            return
        }
        try beginRouting(identity)
    }

    /// Tries again to find out who this node is, while that is not known.
    func identifyIfPossible() {
        do {
            try identify()
        } catch {
            tell(.error, "\(error)")
        }
    }

    /// The ports that may name the node: real hardware, and whatever a rule is about.
    private var identityPorts: [AddressPlan.Port] {
        monitor.links.values.compactMap { link in
            guard link.isPhysical || interfaces.ports[link.index] != nil, !link.isLoopback,
                let mac = link.permanentMACAddress ?? link.macAddress
            else { return nil }
            return AddressPlan.Port(mac: mac, isPhysical: link.isPhysical)
        }
    }

    private func beginRouting(_ identity: NodeIdentity) throws {
        let now = EventLoop.now
        let ipv4 = IPv4Ranges(configuration.addressing.ipv4, state)
        let own = [identity.address] + (ipv4.address.map { [IPv6Address($0)] } ?? [])
        for address in own { try addresses.add(address) }
        try removeStaleAddresses(except: own)
        let installer = try RouteInstaller(
            configuration: KernelFIBConfiguration(
                protocolNumber: configuration.kernel.routeProtocol, table: configuration.kernel.table,
                metric: configuration.kernel.metric, preferredSource: identity.address,
                preferredSourceIPv4: ipv4.address))
        for link in monitor.links.values { installer.handle(.link(link)) }
        let sockets = try OSPFSockets()
        let router = Router(
            configuration: RouterConfiguration(
                routerID: identity.routerID, routerIDIsDerived: identity.routerIDIsDerived,
                areaID: configuration.ospf.area, instanceID: configuration.ospf.instance, hostname: identity.name,
                hardwareFingerprint: identity.hardwareFingerprint, maximumPaths: configuration.ospf.maximumPaths,
                spfDelay: configuration.ospf.spfDelay, seed: UInt64.random(in: .min ... .max),
                resumptionLimit: installer.fib.counts.routes > 0 ? longestDeadInterval + Self.longestWaitForChecks : nil
            ), at: now)
        try loop.register(installer.descriptor) { [unowned self] _ in assumeIsolated { $0.readRouteNotifications() } }
        try loop.register(sockets.descriptor) { [unowned self] _ in assumeIsolated { $0.readPackets() } }
        routing = RoutingCore(
            identity: identity, ipv4: ipv4, router: router, installer: installer, sockets: sockets)
        phase = .converging
        tell(
            .notice,
            "node \(identity.name), router ID \(identity.routerID), address \(identity.address); "
                + "\(counted(installer.fib.counts.routes, "route")) of an earlier run adopted",
            ["mode": "\(installer.fib.configuration.mode)"])
        if drainReasons.contains(.operator) { tell(.notice, "drained, as before the restart") }
        tellStubRouter()
        advertise()
        portDeadline = now + Self.longestWaitForChecks
        openPortsIfDue()
    }

    /// Takes away what an earlier run put on `lo` and this one does not want. The VIPs that may be wanted stay until their
    /// checks have spoken.
    private func removeStaleAddresses(except own: [IPv6Address]) throws {
        let wanted = Set(configuration.vips.map(\.address) + serviceVIPs.entries.keys + own)
        for stale in try addresses.own() where !wanted.contains(stale.address) {
            try addresses.remove(stale.address, from: stale.interface)
            tell(.notice, "removed \(stale.address), left by an earlier run")
        }
    }

    /// Says what became of a setting of the kernel.
    func tell(_ outcome: ForwardingSettings.Outcome) {
        switch outcome.result {
        case .unchanged, .absent: tell(.debug, "\(outcome)")
        case .changed: tell(.notice, "set \(outcome)")
        case .failed:
            tell(.warning, "\(outcome)")
            if !kernelProblems.contains("\(outcome)") { kernelProblems.append("\(outcome)") }
        }
    }

    /// Tells the router of the ports once the health checks have spoken, or have had their time.
    func openPortsIfDue() {
        guard routing != nil, !portsAreOpen, let deadline = portDeadline else { return }
        let now = EventLoop.now
        guard vips.isDecided || deadline <= now else { return scheduleHousekeeping() }
        portDeadline = nil
        portsAreOpen = true
        for port in interfaces.ports.values.sorted(by: { $0.link.index < $1.link.index }) {
            if case .up(let configuration) = port.state { take(.up(configuration)) }
        }
        sweepDeadline = now + longestDeadInterval * 2
        if let routing, routing.adoptedRoutes > 0 { holdDeadline = now + longestDeadInterval }
        settle()
    }

    private var longestDeadInterval: Duration {
        let active = interfaces.ports.values.filter { if case .up = $0.state { true } else { false } }
        return active.map(\.rule.dead).max() ?? .seconds(4)
    }

    /// Ends the start once the mesh has been heard out, or there has been time enough for every neighbour to speak.
    func sweepIfConverged() {
        guard phase == .converging, portsAreOpen, let routing, let deadline = sweepDeadline else { return }
        guard routing.router.isSynchronized || deadline <= EventLoop.now else { return }
        sweepDeadline = nil
        holdDeadline = nil
        phase = .running
        do {
            try routing.installer.sweep()
        } catch {
            complain(error)
        }
        install()
        let seconds = AgentSnapshot.seconds(EventLoop.now - started)
        tell(
            .notice,
            "ready after \(seconds) s: "
                + counted(routing.router.neighborSnapshots.count { $0.state == .full }, "neighbour") + ", "
                + counted(routing.router.routeTable.routes.count, "route")
        )
        // Nothing more may be heard, as without any cable, and what waited for this has waited long enough.
        reviewMesh()
    }
}

// MARK: - The end

extension MeshAgent {
    /// Whether the agent is to be gone without a word, as it will be back soon: nobody has said that the node goes.
    var staysOnStop: Bool {
        configuration.node.onStop == .stay && !isDrained && cluster?.node.isLeaving != true
    }

    /// Tells the neighbours, and gives the VIPs up. Routes stay, so that packets go on until others have routed around,
    /// unless `removingEverything`.
    func stop(removingEverything: Bool) {
        guard phase != .stopping else { return }
        phase = .stopping
        guard removingEverything || !staysOnStop else {
            tell(.notice, "stopped; everything stays as it is for the next agent, as node.onStop says")
            return
        }
        perform(vips.configure([], at: EventLoop.now))
        withdrawServices()
        guard let routing else { return releaseAddresses() }
        handle(.shutdown)
        releaseAddresses()
        guard removingEverything else {
            tell(.notice, "stopped; the routes stay in the kernel")
            return
        }
        do {
            let removed = try routing.installer.cleanUp()
            for address in ownAddresses { try addresses.remove(address) }
            tell(
                .notice,
                "stopped; removed \(counted(removed.routes, "route")) and \(counted(removed.nextHops, "next hop"))")
        } catch {
            complain(error)
        }
    }
}
