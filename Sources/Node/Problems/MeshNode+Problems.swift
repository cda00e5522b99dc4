public import Addressing
internal import Links
internal import Liveness
internal import MeshConfiguration
public import OSPF
internal import Routing
internal import Services
public import Timing

extension MeshNode {
    /// Looks for problems if that is due, and logs those that are new or gone.
    mutating func reviewProblems(at now: Instant) {
        if case .stopping = life { return }
        problems.invalidate(
            ifDifferent: ProblemTable.Readiness(
                isSynchronized: life.isSynchronized, hasKernelError: installer.lastError != nil,
                hasRefusedRoutes: installer.fib.failedRoutes > 0 || installer.fib.groupFailure != nil
                    || installer.fib.hasRefusedServiceRoutes,
                hasDuplicateRouterID: router != nil && router!.duplicateRouterIDSeen != nil))
        guard problems.isDue(at: now) else { return }
        for line in problems.update(foundProblems(at: now), at: now) { log(line) }
    }

    /// The problems at this moment.
    public func currentProblems(at now: Instant) -> [Problem] {
        ProblemTable.bounded(problems.dated(foundProblems(at: now), at: now))
    }

    /// Why the node's routes are not reliable; empty if they are.
    public func notReady(at now: Instant) -> [String] {
        if case .stopping = life { return ["stopping"] }
        return currentProblems(at: now).filter(\.kind.preventsReadiness).map(\.text)
    }

    /// Whether no neighbor is Full, and no link is held, although initial database synchronization is over.
    public var isIsolated: Bool {
        guard life.isSynchronized, let router else { return false }
        return !router.neighborSnapshots.contains { $0.state == .full || $0.restart != nil && $0.heldUntil != nil }
    }

    private func foundProblems(at now: Instant) -> [Problem] {
        stageProblems + processProblems(at: now) + kernelProblems(at: now) + linkProblems(at: now)
            + cableProblems(at: now) + neighborProblems(at: now)
            + authenticationProblems(at: now) + meshProblems(at: now) + clusterProblems
    }

    private var stageProblems: [Problem] {
        switch life {
        case .new: return []
        case .waiting:
            return [
                Problem(
                    .noIdentity, "", "there is no port to derive an identity from",
                    remedy: "plug in a cable, or set node.routerID and addressing.prefix")
            ]
        // While adopting, the number of routes is not known yet; `starting` is too short to tell it.
        case .adopting, .starting: return [synchronization(adoptedRoutes: 0)]
        case .synchronizing(let stage): return [synchronization(adoptedRoutes: stage.adoptedRoutes)]
        case .running, .draining, .announcingRestart, .stopping: return []
        }
    }

    private func synchronization(adoptedRoutes: Int) -> Problem {
        let kept = adoptedRoutes == 0 ? "" : "; \(counted(adoptedRoutes, "route")) of an earlier run kept"
        return Problem(.synchronization, "", "initial database synchronization is not complete" + kept)
    }

    /// How long a late timer counts as a problem. The delay is over when it is noticed; status and metrics show it for this
    /// long.
    private static let lateTimerLifetime = Duration.seconds(120)

    private func processProblems(at now: Instant) -> [Problem] {
        guard let delay = problems.stop, now - delay.end < Self.lateTimerLifetime else { return [] }
        return [
            Problem(
                .stopped, "", "a timer was \(delay.duration.inSeconds) s late: this process did not run, or was busy",
                remedy: "look for SIGSTOP, a CPU limit, or an overloaded or suspended machine")
        ]
    }

    private func kernelProblems(at now: Instant) -> [Problem] {
        var found: [Problem] = []
        if let error = installer.lastError {
            found.append(Problem(.kernel, "", "the kernel's routes cannot be read or changed: \(error)"))
        }
        if let first = installer.fib.firstFailure {
            let count = installer.fib.failedRoutes
            found.append(
                Problem(
                    .refusedRoutes, "",
                    "\(counted(count, "route")) cannot be installed, first \(first.prefix): \(first.failure)",
                    remedy: "see meshctl routes -o wide"))
        }
        let hops = installer.fib.refusedNextHops.sorted { $0.key < $1.key }
        found += hops.map { hop, failure in
            let place = "\(hop.gateway) on \(name(ofInterface: hop.interface))"
            return Problem(.refusedNextHop, place, "the kernel refused the next hop \(place): \(failure)")
        }
        if let (count, failure) = installer.fib.groupFailure {
            found.append(
                Problem(
                    .refusedRoutes, "groups",
                    "\(counted(count, "next-hop group")) cannot be created, so routes are missing: \(failure)",
                    remedy: "see meshctl routes -o wide"))
        }
        for (prefix, state) in installer.fib.serviceRouteStates {
            guard case .failed(let failure) = state else { continue }
            found.append(
                Problem(
                    .refusedRoutes, "service \(prefix)",
                    "the service route to \(prefix) cannot be installed, so processes on this machine cannot reach it: "
                        + "\(failure)"))
        }
        found += ledger.refused.map { address, reason in
            Problem(
                .refusedAddress, "\(address)",
                "\(address) cannot be put on lo, so it is not announced: \(reason)")
        }
        found += settings.failures.sorted { $0.key < $1.key }.map { Problem(.setting, $0.key, "\($0.key) \($0.value)") }
        found += memberships.problems.map { membership, reason in
            let port = name(ofInterface: membership.interface)
            let effect = membership.group == .allSPFRouters ? "no router is heard" : "LSAs of other routers are missed"
            return Problem(
                .membership, "\(port) \(membership.group)",
                "cannot join \(membership.group) on \(port), so \(effect) there: \(reason)")
        }
        if let loopback = links[Self.loopback], !loopback.isUp {
            found.append(
                Problem(
                    .loopbackDown, "lo", "lo is down, so the addresses on it do not answer",
                    remedy: "ip link set lo up"))
        }
        found += problems.configuration
        if let reason = unsaved.reason {
            found.append(Problem(.unsaved, "", "the node's state cannot be saved: \(reason)"))
        }
        if let problem = networkProblem(at: now) { found.append(problem) }
        return found
    }

    // MARK: Links and neighbors

    private func linkProblems(at now: Instant) -> [Problem] {
        guard let router else { return [] }
        var found: [Problem] = []
        if isIsolated {
            found.append(Problem(.isolated, "", "no neighbor is Full: this node is cut off from the mesh"))
        }
        found += interfaces.gone.map {
            Problem(
                .vanishedPort, $0, "\($0) was in use and is gone from this machine",
                remedy: "check the port; if it was removed on purpose, restart the agent")
        }
        found += interfaces.unusable.map { Problem(.unusablePort, $0.name, "\($0.name) is not used: \($0.reason)") }
        for interface in router.interfaceSnapshots where !interface.configuration.isPassive {
            let port = interface.configuration.name
            for mismatch in interface.mismatches where mismatch.deadline > now {
                let text = Mismatch.hello(mismatch.field, theirs: mismatch.theirs, ours: mismatch.ours)
                found.append(
                    Problem(
                        .mismatch, "\(label(of: mismatch.neighbor)) on \(port)",
                        "\(label(of: mismatch.neighbor)) on \(port): \(text)"))
            }
            if let text = silentPortReason(on: interface, at: now) {
                let since = lastHeard.silence(of: interface.configuration, at: now)?.since
                found.append(Problem(.silentPort, port, text, since: since))
            }
            let lacksDesignatedRouter =
                interface.effectiveKind == .broadcast && interface.designatedRouter == .none
            if lacksDesignatedRouter, interface.neighborCount > 0, interface.state != .waiting {
                found.append(
                    Problem(
                        .noDesignatedRouter, port, "\(port) has neighbors and no designated router",
                        remedy: "give one of them a priority other than 0"))
            }
        }
        return found
    }

    /// Why a port counts as silent, as text: it has carrier, no hellos are received, and which neighbor it had last. `nil`
    /// if it has a neighbor, had one within two dead intervals that was not lost by its silence, need not have one (passive, standby), or another problem says
    /// why it has none.
    public func silentPortReason(on interface: InterfaceSnapshot, at now: Instant) -> String? {
        guard !interface.configuration.isPassive, interface.neighborCount == 0, interface.standbyFor == nil,
            interface.mismatches.allSatisfy({ $0.deadline <= now }),
            !hearsOurRouterID(on: interface.configuration.index, at: now),
            !refusesRouter(on: interface.configuration.index, at: now),
            let silence = lastHeard.silence(of: interface.configuration, at: now)
        else { return nil }
        let port = interface.configuration.name
        let text = "\(port) has carrier, and no OSPF router is heard on it"
        guard let last = silence.last else { return text }
        return text + "; \(label(of: last.routerID)) was there until \((now - last.lost).inSeconds) s ago"
    }

    /// Whether a router with our router ID is, or was lately, heard on a port. That is the problem `duplicateRouterID`, not a
    /// silent port.
    private func hearsOurRouterID(on interface: UInt32, at now: Instant) -> Bool {
        guard let router, let seen = router.duplicateRouterIDSeen, now - seen < Self.duplicateLifetime else {
            return false
        }
        return router.hasNeighborWithOurRouterID(on: interface)
    }

    private func neighborProblems(at now: Instant) -> [Problem] {
        guard let router else { return [] }
        let interfaces = Dictionary(
            router.interfaceSnapshots.map { ($0.configuration.index, $0) }, uniquingKeysWith: { first, _ in first })
        return router.neighborSnapshots.flatMap { neighbor in
            interfaces[neighbor.interface].map { problems(of: neighbor, on: $0, at: now) } ?? []
        }
    }

    /// The problems with a neighbor.
    public func problems(of neighbor: NeighborSnapshot, on interface: InterfaceSnapshot, at now: Instant) -> [Problem] {
        var found: [Problem] = []
        let port = interface.configuration.name
        let who = label(of: neighbor.routerID)
        let key = EchoTarget.Key(interface: neighbor.interface, address: neighbor.address)
        let patience = interface.configuration.deadInterval
        if let problem = sessionProblem(of: neighbor, who: who, port: port, patience: patience, at: now) {
            found.append(problem)
        }
        if case .failed(let answersAgain)? = liveness.state(of: key) {
            found.append(
                Problem(
                    .unresponsiveNeighbor, "\(who) on \(port)",
                    "\(who) is heard on \(port), and its kernel "
                        + (answersAgain ? "has begun to answer echo requests again" : "does not answer echo requests"),
                    remedy: answersAgain
                        ? "it is used again when it has answered for a while; if this happens often, check the cable"
                        : "packets do not pass in both directions: check cable, transceivers and controller; if the "
                            + "neighbor drops ICMPv6 echo requests on purpose, set liveness: off in the rule of \(port)",
                    since: neighbor.since))
        } else if neighbor.state == .initial, neighbor.restart == nil, now - neighbor.since >= patience,
            !verdicts.hasFailed(key, by: .bfd)
        {
            found.append(
                Problem(
                    .oneWayNeighbor, "\(who) on \(port)", "\(who) is heard on \(port) and does not hear us (Init)",
                    remedy:
                        "check its firewall for IP protocol 89, this node's transmit path, and that this node answers "
                        + "ICMPv6 echo requests without a low rate limit",
                    since: neighbor.since))
        }
        if liveness.isExempt(key) {
            found.append(
                Problem(
                    .unresponsiveNeighbor, "\(who) on \(port)",
                    "\(who) on \(port) hears us but drops echo requests: a dead cable to it is found by missing hellos only",
                    remedy:
                        "let it answer ICMPv6 echo requests without a low rate limit, then reload this node's configuration "
                        + "(SIGHUP)"
                ))
        }
        found += wayProblems(of: neighbor, who: who, port: port)
        if let (text, since) = stall(of: neighbor, on: interface, at: now) {
            found.append(
                Problem(
                    .stalledExchange, "\(who) on \(port)", text,
                    remedy:
                        "check that unicast packets and large packets pass in both directions: filters, "
                        + "the route to fe80::/64 on \(port), the MTU of everything between",
                    since: since))
        }
        if let text = problem(of: neighbor, on: interface, at: now) {
            found.append(Problem(.mismatch, "\(who) on \(port)", "\(who) on \(port): \(text)"))
        }
        return found
    }

    /// Text about a database exchange that does not end, or about a neighbor that acknowledges no LSA, and since when;
    /// `nil` if neither is the case, or an MTU mismatch explains the former.
    private func stall(of neighbor: NeighborSnapshot, on link: InterfaceSnapshot, at now: Instant) -> (String, Instant)?
    {
        let place = "\(label(of: neighbor.routerID)) on \(link.configuration.name)"
        // The router gives up an exchange without progress after this time (`AdjacencyContext.exchangePatience`).
        let patience = link.configuration.deadInterval * 3
        if let since = neighbor.unacknowledgedSince, now - since >= patience {
            let count = counted(neighbor.retransmissionCount, "LSA")
            return ("\(place) acknowledges nothing: \(count) sent again and again", since)
        }
        let exchange: ClosedRange<NeighborState> = .exStart ... .loading
        guard exchange.contains(neighbor.state), neighbor.mismatchedMTU == nil else { return nil }
        // An exchange that was given up starts again, at either end, so its state never lasts much longer than that. If it
        // restarted lately, a dead interval in one state is enough.
        let hasRestarted =
            neighbor.lastFallback.map { exchange.contains($0.from) && now - $0.moment < patience * 2 } ?? false
        guard now - neighbor.since >= (hasRestarted ? link.configuration.deadInterval : patience) else { return nil }
        return ("the database exchange with \(place) does not end (\(neighbor.state))", neighbor.since)
    }

    /// The setting that differs between our end of the link and the neighbor's, so that routes do not use the neighbor, as
    /// text: the MTU or the type of the link. `nil` if neither is known to differ.
    public func problem(of neighbor: NeighborSnapshot, on link: InterfaceSnapshot, at now: Instant) -> String? {
        if let theirs = neighbor.mismatchedMTU { return Mismatch.mtu(theirs: theirs, ours: link.configuration.mtu) }
        let namesDesignated = neighbor.designatedRouter != .none
        switch link.effectiveKind {
        case .broadcast:
            // A new router waits for the dead interval before it names a designated router.
            let hasWaited = now - neighbor.since > link.configuration.deadInterval
            return neighbor.state == .full && hasWaited && !namesDesignated ? Mismatch.linkType(ours: .broadcast) : nil
        case .pointToPoint, .auto: return namesDesignated ? Mismatch.linkType(ours: .pointToPoint) : nil
        }
    }

    // MARK: The mesh and the cluster

    /// How long a duplicate router ID counts as a problem after it was last detected: twice the 60 s in which the router
    /// counts the signs of one (`DuplicateDetection.window`).
    private static let duplicateLifetime = Duration.seconds(120)

    private func meshProblems(at now: Instant) -> [Problem] {
        guard let router else { return [] }
        // The text is also the subject: it names the address and the other node.
        var found = review.claims.map { Problem(.duplicateAddress, $0, $0) }
        found += [ipv4.selfAssignedAddress, ipv4.selfAssignedPods].compactMap { range in
            range?.problem.map { Problem(.ipv4Range, range!.purpose, $0) }
        }
        found += router.duplicatePrefixes.map { duplicate in
            let names = duplicate.routers.map { label(of: $0) }.joined(separator: " and ")
            return Problem(
                .duplicatePrefix, "\(duplicate.prefix)",
                "\(duplicate.prefix) is announced by \(names) and should belong to one node")
        }
        if let seen = router.duplicateRouterIDSeen, now - seen < Self.duplicateLifetime {
            let duplicate = router.routerID
            found.append(
                Problem(
                    .duplicateRouterID, "\(duplicate)", "another router has this node's router ID \(duplicate)",
                    remedy: "change node.routerID on one of them"))
        }
        found += router.duplicateRouterIDsOfOthers(at: now).map { duplicate in
            Problem(
                .duplicateRouterIDElsewhere, "\(duplicate)",
                "two other routers have the router ID \(label(of: duplicate))",
                remedy: "change node.routerID on one of them")
        }
        found += router.reachedLimits(at: now).map {
            Problem(.limit, $0.rawValue, $0.text(router.configuration.limits))
        }
        return found
    }

    private var clusterProblems: [Problem] {
        // The text is also the subject: it names the address and its services.
        var found = serviceClaims.problems.map { Problem(.serviceAddress, $0, $0) }
        if environment.hasCluster, let reason = gate.problem {
            found.append(Problem(.serviceProxy, "", "services are not delivered on this node: \(reason)"))
        }
        return found + proxyBypassProblems
    }

    /// The name of a router with its ID; the ID alone if the name is not known.
    public func label(of router: RouterID) -> String {
        self.router?.hostname(of: router).map { "\($0) (\(router))" } ?? router.description
    }

    /// The name and the router ID of a neighbor, or its address if it is none any more.
    func label(of key: NeighborAddress) -> String {
        let neighbor = router?.neighborSnapshots.first { $0.interface == key.interface && $0.address == key.address }
        return neighbor.map { label(of: $0.routerID) } ?? key.address.description
    }
}
