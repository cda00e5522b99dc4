internal import Addressing
internal import Liveness
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import Routing
internal import Services
internal import Timing

/// Carries out the effects of nodes, as the agent does.
extension Network {
    /// Passes an event to a running node and carries out its effects, and so on with the outcomes that follow at once.
    mutating func handle(_ event: NodeEvent, on node: Int) {
        guard nodes[node].state == .running else { return }
        let number = nodes[node].processNumber
        var events = [event]
        var rounds = 0
        var newHosts: Set<IPv6Address> = []
        while !events.isEmpty, nodes[node].processNumber == number {
            let event = events.removeFirst()
            rounds += 1
            if rounds == 1000 {
                report(.spin, "\(name(node)) requests again and again what has an outcome at once")
                break
            }
            var batch: [NodeEffect] = []
            swap(&batch, &effects)
            if case .command(.stop) = event { nodes[node].isStopCommanded = true }
            let local = localTime(of: node)
            nodes[node].process?.handle(event, at: local, effects: &batch)
            var isOver = false
            for effect in batch {
                observer?(now, .effect(node: node, effect))
                if case .stopped = effect { isOver = true }
                if case .routeTable(let update) = effect { newHosts.formUnion(Self.hosts(update)) }
                if nodes[node].kernelDelay != .zero, case .addresses(let requests) = effect {
                    enqueue(
                        .addressRequests(node: node, process: number, requests),
                        after: random.duration(upTo: nodes[node].kernelDelay))
                } else if let outcome = perform(effect, of: node) {
                    if nodes[node].kernelDelay == .zero {
                        events.append(outcome)
                    } else {
                        enqueue(
                            .outcome(node: node, process: number, outcome),
                            after: random.duration(upTo: nodes[node].kernelDelay))
                    }
                }
            }
            batch.removeAll(keepingCapacity: true)
            swap(&batch, &effects)
            checkPlacement(of: node)
            if isOver {
                checkStop(of: node)
                return stop(node)
            }
        }
        if !newHosts.isEmpty { checkBypass(of: node, newHosts) }
        if usesQuality { checkQuality(of: node) }
        setTimer(node)
    }

    /// The single addresses with new routes.
    private static func hosts(_ update: RouteTableUpdate) -> some Sequence<IPv6Address> {
        update.routes.lazy.filter { $0.destination != nil && $0.prefix.isHost }.map(\.prefix.address)
    }

    /// Carries out an effect. Returns the event with its outcome; `nil` if it has none.
    private mutating func perform(_ effect: NodeEffect, of node: Int) -> NodeEvent? {
        switch effect {
        case .routes(let request): return .installed(carryOut(request, on: node))
        case .addresses(let requests):
            return .addresses(
                requests.map { AddressOutcome($0, nodes[node].kernel.carryOut($0)) })
        case .readForeignRoutes(let pools):
            return .foreignRoutes(.success(nodes[node].kernel.foreignRoutes(overlapping: pools)))
        case .watchNeighbors(let targets):
            nodes[node].prober.watch(targets, at: localTime(of: node))
            setEchoTimer(node)
        case .watchPorts(let watched):
            nodes[node].watchedPorts = Set(watched)
            return .ports(speedReadings(of: nodes[node].ports, at: node))
        case .watchSessions(let targets): watchSessions(targets, on: node)
        case .proxyBypass(let request): return .proxyBypass(nodes[node].kernel.carryOut(request))
        case .settings(let wanted): return .settings(nodes[node].kernel.apply(wanted))
        case .send(let interface, let source, let destination, let octets):
            send(from: node, interface: interface, source: source, destination: destination, octets: octets)
        case .membership(let membership, let joined):
            guard let port = port(of: node, interface: membership.interface) else { return nil }
            if membership.group == .allSPFRouters { ports[port].joinedAllSPFRouters = joined }
            if membership.group == .allDRouters { ports[port].joinedAllDRouters = joined }
        case .save(let change):
            switch change {
            case .identity(let identity): nodes[node].disk.identity = identity
            case .range(let range, let purpose): nodes[node].disk.ranges[purpose] = range
            case .authenticationSequence(let end): nodes[node].disk.authenticationSequence = end
            case .drained(let isDrained): nodes[node].disk.isDrained = isDrained
            case .kernel(let kernel): nodes[node].disk.kernel = kernel
            }
            return .saved(change, failure: nil)
        case .startCheck(let id, let check):
            nodes[node].checks[id] = check
            // In time for the start, which waits up to 250 ms for first outcomes.
            scheduleCheck(id, of: node, after: random.duration(upTo: .milliseconds(20)))
        case .stopCheck(let id): nodes[node].checks[id] = nil
        // As if the file had these contents already.
        case .networkConfiguration: return .networkConfiguration(.success(false))
        case .routeTable(let update):
            nodes[node].routes.apply(update)
            statistics.routeUpdates += 1
            statistics.lastRouteChange = now
        case .converged(let convergence): check(convergence, of: node)
        case .removeEverything: nodes[node].kernel.removeAllRoutes()
        case .preferredSource(_, let ipv4): nodes[node].kernel.preferredSource = ipv4
        // The protocol number, table and metric in the configuration never change in a scenario, so nothing of an earlier run
        // remains under others.
        case .offerPodRanges, .log, .removeStaleRoutes, .removeRemains, .stopped: break
        }
        return nil
    }

    // MARK: Routes

    private mutating func carryOut(_ request: FIBInstaller.Request, on node: Int) -> FIBInstaller.Outcome {
        if nodes[node].kernel.isUnreachable { return .unreachable("the simulated kernel is out of buffers") }
        switch request {
        case .read(let extent): return .read(nodes[node].kernel.read(extent))
        case .apply(let changes):
            statistics.kernelChanges += changes.count
            var failures: [(index: Int, failure: FIBFailure)] = []
            for (index, change) in changes.enumerated() {
                statistics.mix(change.fingerprint)
                guard let failure = nodes[node].kernel.apply(change) else { continue }
                failures.append((index, failure))
            }
            return .applied(failures: failures)
        }
    }

    // MARK: Checks

    private mutating func scheduleCheck(_ id: VIPTable.CheckID, of node: Int, after delay: Duration) {
        enqueue(.check(node: node, process: nodes[node].processNumber, id), after: delay)
    }

    /// Reports the outcome of a check, and schedules the next one. A process that does not run misses the outcome.
    mutating func check(_ id: VIPTable.CheckID, of node: Int) {
        guard let check = nodes[node].checks[id] else { return }
        if nodes[node].state == .running {
            let works = nodes[node].services[id.name] == true
            handle(.checked(id, works ? .success : .failure("connection refused")), on: node)
        }
        scheduleCheck(id, of: node, after: check.interval)
    }

    // MARK: Invariants

    /// Invariant: the kernel has every address that a node announces, except those of `advertise`, which nobody adds to
    /// `lo`, and those of which the process has not read yet that another program removed them.
    private mutating func checkPlacement(of node: Int) {
        guard let process = nodes[node].process, process.announcements.version != nodes[node].checkedAnnouncements
        else {
            return
        }
        nodes[node].checkedAnnouncements = process.announcements.version
        let advertised = Set(process.configuration.advertise.map(\.prefix))
        for announcement in process.announced
        where announcement.prefix.isHost && !advertised.contains(announcement.prefix) {
            let address = announcement.prefix.address
            guard nodes[node].kernel.addresses[address] == nil, !nodes[node].hasUnreadRemoval(of: address) else {
                continue
            }
            report(.placement, "\(name(node)) announces \(announcement.prefix), which is not on lo")
        }
    }
}

extension FIBChange {
    /// A hash of the change, the same in every run.
    fileprivate var fingerprint: UInt64 {
        func mix(_ kind: UInt64, _ values: UInt64...) -> UInt64 {
            values.reduce(kind) { ($0 ^ $1) &* 0x9e37_79b9_7f4a_7c15 }
        }
        switch self {
        case .addNextHop(let id, let hop):
            return mix(1, UInt64(id.rawValue), UInt64(hop.interface), hop.gateway.low)
        case .addGroup(let id, let group), .replaceGroup(let id, let group):
            let kind = UInt64(group.isResilient ? 1 : 0) | UInt64(group.members.count) << 1
            return group.objects.reduce(mix(2, UInt64(id.rawValue), kind)) {
                ($0 ^ UInt64($1.rawValue)) &* 0x9e37_79b9_7f4a_7c15
            }
        case .addRoute(let prefix, .group(let id)), .replaceRoute(let prefix, .group(let id)):
            return mix(3, prefix.address.high, prefix.address.low, UInt64(prefix.length), UInt64(id.rawValue))
        case .addRoute(let prefix, _), .replaceRoute(let prefix, _), .removeRoute(let prefix):
            return mix(4, prefix.address.high, prefix.address.low, UInt64(prefix.length))
        case .addServiceRoute(let prefix), .replaceServiceRoute(let prefix), .removeServiceRoute(let prefix):
            return mix(6, prefix.address.high, prefix.address.low, UInt64(prefix.length))
        case .removeGroup(let id), .removeNextHop(let id): return mix(5, UInt64(id.rawValue))
        }
    }
}
