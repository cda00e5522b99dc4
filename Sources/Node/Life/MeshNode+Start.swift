internal import Addressing
internal import Authentication
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import Routing
internal import Services
internal import Timing

// The ordered start: determine the identity, read the kernel and adopt what an earlier run left, open the ports, synchronize
// databases, then remove what is not wanted any more.

extension MeshNode {
    /// How long the ports wait at most for the first outcomes of the health checks. Without the wait, a node that restarts
    /// would withdraw its VIPs and announce them again. Services on this machine answer within milliseconds, and a longer
    /// wait would delay the hellos that neighbors expect within the dead interval.
    private static let longestWaitForChecks = Duration.milliseconds(250)

    mutating func start(
        _ links: [Link], _ addresses: [InterfaceAddress], _ defaultRoutes: [DefaultRoute], at now: Instant
    ) {
        started = now
        life = .waiting
        for link in links { self.links[link.index] = link }
        for address in addresses { self.addresses.set(address) }
        for route in defaultRoutes { foreignSigns.add(route) }
        reviewKernel()
        // Before the router exists, because numbers are reserved on disk before they are used.
        authentication.configure(configuration.authentication.keys, at: now)
        reserveSequenceNumbers()
        perform(vips.configure(configuration.vips, at: now), at: now)
        if environment.hasCluster { perform(gate.configure(configuration.kubernetes.proxyCheck, at: now), at: now) }
        refreshPorts(at: now)
        identify(at: now)
    }

    /// Has routes, next hops and addresses of an earlier run removed if it used another protocol number or table, because this
    /// run would not recognize them as ours. After a reboot nothing is saved, and nothing is left.
    private mutating func reviewKernel() {
        let kernel = SavedKernel(
            routeProtocol: configuration.kernel.routeProtocol, table: configuration.kernel.table)
        guard saved.kernel != kernel else { return }
        if let last = saved.kernel {
            kernelEffects.append(.removeRemains(of: last))
        } else {
            save(.kernel(kernel))
        }
    }

    /// Handles the removal of what an earlier run left. A removal that failed is tried again at the next start.
    mutating func receive(_ removal: Result<String, NodeFailure>) {
        guard let last = saved.kernel else { return }
        let origin = "the earlier run (protocol \(last.routeProtocol), table \(last.table))"
        switch removal {
        case .success(let removed):
            log(.notice, "kernel.protocol or kernel.table changed: removed \(removed) of \(origin)")
            save(
                .kernel(
                    SavedKernel(routeProtocol: configuration.kernel.routeProtocol, table: configuration.kernel.table)))
        case .failure(let failure):
            log(
                .error,
                "cannot remove the routes of \(origin): \(failure.reason); restart the agent, or remove them by hand")
        }
    }

    /// Determines the identity, if that is possible now.
    mutating func identify(at now: Instant) {
        guard case .waiting = life, identity == nil else { return }
        let hardware = NodeIdentity.Hardware(
            ports: identityPorts, machine: environment.machine, nonce: environment.seed)
        guard
            let identity = NodeIdentity(
                configuration: configuration, hostName: environment.hostName, hardware: hardware, saved: saved.identity)
        else { return }
        self.identity = identity
        if let old = saved.identity, let new = identity.saved, old.mac != new.mac {
            log(
                .warning,
                "the saved identity (\(old.mac)) belongs to another machine; this one starts with a new identity (\(new.mac))"
            )
        }
        if let new = identity.saved, new != saved.identity { save(.identity(new)) }
        life = .adopting
        // Before the routes are read, because a route with another source must be replaced.
        preferredSource = PreferredSource(ipv6: identity.address, ipv4: ipv4.address)
        kernelEffects.append(.preferredSource(identity.address, ipv4: ipv4.address))
        adoptRoutes(at: now)
    }

    /// The ports that the identity may be derived from: physical ports, used or not, and other ports of the mesh, with a
    /// hardware address. ``AddressPlan`` prefers physical ones.
    private var identityPorts: [AddressPlan.Port] {
        links.values.sorted { $0.index < $1.index }.compactMap { link in
            guard link.isPhysical || interfaces.ports[link.index] != nil, !link.isLoopback,
                let mac = link.permanentMACAddress ?? link.macAddress
            else { return nil }
            return AddressPlan.Port(mac: mac, isPhysical: link.isPhysical)
        }
    }

    /// Starts the router, after the kernel's routes were read.
    mutating func startRouter(at now: Instant) {
        guard case .adopting = life, let identity else { return }
        let adopted = installer.fib.counts.routes
        for link in links.values.sorted(by: { $0.index < $1.index }) {
            installer.link(link.index, isUsable: link.isUsable, at: now)
        }
        // The resumption may last one dead interval from the opening of the ports, which may follow 250 ms later.
        let dead = longestDeadInterval
        var routerConfiguration = RouterConfiguration(
            routerID: identity.routerID, routerIDIsDerived: identity.routerIDIsDerived,
            areaID: configuration.ospf.area, instanceID: configuration.ospf.instance, hostname: identity.name,
            hardwareFingerprint: identity.hardwareFingerprint, maximumPaths: configuration.ospf.maximumPaths,
            spfDelay: configuration.ospf.spfDelay, seed: environment.seed,
            resumptionLimit: adopted > 0 ? dead + Self.longestWaitForChecks : nil,
            gracefulRestart: configuration.ospf.gracefulRestart)
        routerConfiguration.fastReroute = configuration.ospf.fastReroute
        router = Router(configuration: routerConfiguration, at: now)
        log(
            .notice,
            "node \(identity.name), router ID \(identity.routerID), address \(identity.address); "
                + "adopted \(counted(adopted, "route")) of an earlier run")
        if environment.saved.isDrained { log(.notice, "drained, as before the restart") }
        adoptAddresses(at: now)
        wantOwnAddresses()
        updateStubRouter(at: now)
        notifyRouter(.advertiseExternal(configuration.externals), at: now)
        announcements.invalidate()
        life = .starting(
            Life.Starting(portsOpenAt: now + Self.longestWaitForChecks, adoptedRoutes: adopted))
    }

    /// The longest dead interval of the ports that the router can use; without such ports, the default one.
    var longestDeadInterval: Duration {
        let up = interfaces.ports.values.filter { if case .up = $0.state { true } else { false } }
        return up.map(\.rule.dead).max() ?? .seconds(4)
    }

    // MARK: Stages

    /// Whether the routes of an earlier run are kept as they are for now.
    var isKeepingRoutes: Bool {
        if case .synchronizing(let stage) = life { stage.keepRoutesUntil != nil } else { false }
    }

    /// Enters the next life cycle stage if that is due.
    mutating func advanceLife(at now: Instant) {
        switch life {
        case .waiting: identify(at: now)
        case .new, .running, .draining, .stopping: break
        case .adopting: adoptRoutes(at: now)
        case .starting(let stage): openPortsIfDue(stage, at: now)
        case .announcingRestart(let deadline): leaveForRestartIfDue(by: deadline, at: now)
        case .synchronizing(let stage): endSynchronizationIfDue(stage, at: now)
        }
    }

    /// Opens the ports when no health check of a VIP and no request for an address is outstanding, or at the deadline.
    private mutating func openPortsIfDue(_ stage: Life.Starting, at now: Instant) {
        guard vips.isDecided && !ledger.hasWork && !ledger.isBusy || stage.portsOpenAt <= now else { return }
        // Before the first LSAs, so that these have all prefixes.
        _ = announce(at: now)
        let adopted = stage.adoptedRoutes
        life = .synchronizing(
            Life.Synchronizing(
                deadline: now + longestDeadInterval * 2,
                keepRoutesUntil: adopted > 0 ? now + longestDeadInterval : nil, adoptedRoutes: adopted))
        for port in interfaces.ports.values.sorted(by: { $0.link.index < $1.link.index }) {
            if case .up(let configuration) = port.state { apply(.up(configuration), at: now) }
        }
    }

    /// Ends the initial database synchronization when it is complete, and the database unchanged for a while if routes of an
    /// earlier run are kept; or at its deadline.
    private mutating func endSynchronizationIfDue(_ stage: Life.Synchronizing, at now: Instant) {
        guard let router else { return }
        guard router.isSynchronized || stage.deadline <= now else {
            // The routes of an earlier run are kept beyond their time while an exchange is under way, which will soon
            // complete the database; until the deadline of the stage at the latest.
            if let end = stage.keepRoutesUntil, end <= now, !router.isExchanging { endKeepingRoutes(at: now) }
            return
        }
        // Synchronized, and there is time left to wait until the database does not change any more.
        if let end = stage.keepRoutesUntil, now < min(end, stage.deadline) {
            var stage = stage
            stage.settling = stage.settling ?? Life.Settling(checksum: router.databaseChecksum, at: now)
            stage.settling?.note(router.databaseChecksum, at: now)
            life = .synchronizing(stage)
            if let deadline = stage.settling?.deadline, now < deadline { return }
        }
        life = .running
        installer.sweep()
        effects.append(.removeStaleRoutes)
        installRoutes(at: now)
        log(
            .notice,
            "initial database synchronization \(router.isSynchronized ? "is complete" : "was given up") after \((now - started).inSeconds) s: "
                + counted(router.neighborSnapshots.count { $0.state == .full }, "neighbor") + ", "
                + counted(router.routeTable.routes.count, "route"))
        review.invalidate()
        announcements.invalidate()
    }

    /// Ends the time in which routes of an earlier run are kept as they are. From now on the router's routes replace them.
    mutating func endKeepingRoutes(at now: Instant) {
        guard case .synchronizing(var stage) = life, stage.keepRoutesUntil != nil else { return }
        stage.keepRoutesUntil = nil
        life = .synchronizing(stage)
        installRoutes(at: now)
    }

    // MARK: Saved state

    /// Changes the saved state, and requests that the agent saves it.
    mutating func save(_ change: StateChange) {
        switch change {
        case .identity(let identity): saved.identity = identity
        case .range(let range, let purpose): saved.ranges[purpose] = range
        case .authenticationSequence(let end): saved.authenticationSequence = end
        case .drained(let isDrained): saved.isDrained = isDrained
        case .kernel(let kernel): saved.kernel = kernel
        }
        effects.append(.save(change))
    }

    /// Saves those parts of the state again that could not be saved.
    mutating func retrySaving(at now: Instant) {
        for part in unsaved.takeDue(at: now) {
            if let change = saved.change(of: part) { save(change) }
        }
    }

    mutating func receive(_ failure: String?, savingOf change: StateChange, at now: Instant) {
        if case .authenticationSequence(let end) = change {
            authentication.reserve(end)
        }
        guard unsaved.record(change.part, failure: failure, at: now) else { return }
        guard let failure else {
            if unsaved.reason == nil { log(.notice, "the node's state is saved again") }
            return
        }
        switch change {
        case .identity: log(.warning, "the node's identity is not saved; a restart may give it another: \(failure)")
        case .range(let range, _):
            log(.warning, "\(range) is not saved; a restart may choose another range: \(failure)")
        case .authenticationSequence:
            log(
                .warning,
                "sequence numbers of authentication are not saved; after a restart with a wrong clock, neighbors may refuse packets: \(failure)"
            )
        case .drained: log(.warning, "whether the node is drained is not saved for the next start: \(failure)")
        case .kernel:
            log(
                .warning,
                "kernel.protocol and kernel.table are not saved; if they change, the next start leaves this run's routes in the kernel: \(failure)"
            )
        }
    }

    mutating func routerIDChanged(_ routerID: RouterID) {
        // Only a derived router ID changes, and a node that derives its router ID has a saved identity.
        guard var identity = saved.identity else { return }
        identity.routerID = routerID
        save(.identity(identity))
    }
}
