internal import Addressing
internal import ControlAPI
internal import Links
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import Netlink
internal import Node
internal import OSPF
internal import PrometheusMetrics
internal import Routing
internal import Timing

// The effects of the node.

extension MeshAgent {
    /// Carries out an effect. Returns the event with its outcome, if it has one.
    func perform(_ effect: NodeEffect) -> NodeEvent? {
        switch effect {
        case .routes(let request): return .installed(carryOut(request))
        case .preferredSource(let source, let ipv4):
            kernel.configuration.preferredSource = source
            kernel.configuration.preferredSourceIPv4 = ipv4
        case .send(let interface, let source, let destination, let octets):
            do {
                try sockets.send(interface: interface, source: source, destination: destination, octets: octets)
            } catch {
                log.debug("\(error)")
            }
        case .membership(let membership, let joined): return setMembership(membership, joined: joined)
        case .addresses(let requests):
            let outcomes = carryOut(requests)
            let removals = requests.count { if case .remove = $0 { true } else { false } }
            // Read the notifications of our removals now: later, the node could take them for removals by another program.
            if removals > 0 { noteKernelEvents(through: removals) }
            return .addresses(outcomes)
        case .readForeignRoutes(let pools): return .foreignRoutes(reader.foreignRoutes(overlapping: pools))
        case .settings(let wanted):
            return .settings(loop.withOrdinaryPriority { wanted.flatMap(KernelSettings.apply(_:)) })
        case .save(let change): return save(change)
        case .startCheck(let id, let check): checker.start(id, check)
        case .stopCheck(let id): checker.stop(id)
        case .watchNeighbors(let targets): prober?.targets.send(targets)
        case .watchPorts(let ports): portReader?.ports.send(ports)
        case .watchSessions(let targets): bfd.targets.send(targets)
        case .proxyBypass(let request):
            bypassTask = Task(executorPreference: background) { [bypass] in
                await self.bypassed(bypass.carryOut(request))
            }
        case .offerPodRanges(let ranges): connection?.offer(ranges)
        case .networkConfiguration(let network): return .networkConfiguration(write(network))
        case .routeTable(let update): ages.note(update, at: EventLoop.now)
        case .converged(let convergence):
            let message = convergence.text.asOneLine
            log.info("\(message)", metadata: ["seconds": "\(convergence.secondsText)"])
            store.append(events.append(convergence, message))
        case .log(let level, let message, let metadata):
            write(Logger.Level(level), message, metadata.mapValues { .string($0) })
        case .removeStaleRoutes:
            do { try kernel.removeStaleRoutes() } catch { write(.warning, "\(error)") }
        case .removeRemains(let kernel):
            let outcome = removeRemains(of: kernel)
            // The notifications of the removal must not be taken for changes by other programs. The routes are read after this.
            noteKernelEvents()
            _ = try? routeMonitor.read()
            return .remainsRemoved(outcome)
        case .removeEverything: removeEverything()
        case .stopped:
            stopWaiter?.resume()
            stopWaiter = nil
        }
        return nil
    }

    private func carryOut(_ request: FIBInstaller.Request) -> FIBInstaller.Outcome {
        do {
            switch request {
            case .read(let extent): return .read(try kernel.read(extent))
            case .apply(let changes):
                let failures = try kernel.apply(changes)
                counters.convergence.observe(EventLoop.now - turnBegan)
                return .applied(failures: failures)
            }
        } catch {
            return .unreachable("\(error)")
        }
    }

    /// Adds and removes addresses. One that must be unclaimed is added only if the neighbor table has no other machine with it.
    private func carryOut(_ requests: [AddressLedger.Request]) -> [AddressOutcome] {
        let unclaimed = requests.compactMap { request in
            if case .add(let address, ifUnclaimed: true) = request { address } else { nil }
        }
        let owners = unclaimed.isEmpty ? .success([:]) : reader.owners(of: Set(unclaimed))
        return requests.map { request in
            guard case .add(let address, ifUnclaimed: true) = request else {
                return AddressOutcome(request, addresses.carryOut(request))
            }
            switch owners {
            case .failure(let failure): return AddressOutcome(request, .refused(failure.reason))
            case .success(let owners):
                guard let owner = owners[address] else { return AddressOutcome(request, addresses.carryOut(request)) }
                let place = "on \(node.name(ofInterface: owner.interface))"
                let text = owner.macAddress.map { "\($0) \(place)" } ?? place
                return AddressOutcome(request, .refused("another machine has it: \(text)"))
            }
        }
    }

    /// Joins or leaves a multicast group. Only the outcome of joining is an event: a failure to leave has no consequence.
    private func setMembership(_ membership: Membership, joined: Bool) -> NodeEvent? {
        do {
            try sockets.setMembership(interface: membership.interface, group: membership.group, joined: joined)
            return joined ? .membership(membership, failure: nil) : nil
        } catch {
            return joined ? .membership(membership, failure: "\(error)") : nil
        }
    }

    /// Saves a part of the state in the directory where it belongs: drains, the protocol number and the table are lost on
    /// reboot.
    private func save(_ change: StateChange) -> NodeEvent {
        do {
            switch change {
            case .identity(let identity): try state.save(identity)
            case .range(let range, let purpose): try state.save(range, for: purpose)
            case .authenticationSequence(let end): try state.save(authenticationSequence: end)
            case .drained(let isDrained): try runtime.save(isDrained: isDrained)
            case .kernel(let kernel): try runtime.save(kernel)
            }
            return .saved(change, failure: nil)
        } catch {
            return .saved(change, failure: "\(error)")
        }
    }

    /// Writes the CNI file unless its contents are the same already. Returns whether it was written.
    private func write(_ network: NetworkConfiguration) -> Result<Bool, NodeFailure> {
        do {
            let text = try network.text
            guard (try? SmallFile.read(network.file, upTo: 1 << 16)) != Array(text.utf8) else { return .success(false) }
            try StateDirectory(besideSocket: network.file).create()
            try SmallFile.write(text, to: network.file)
            return .success(true)
        } catch {
            return .failure(NodeFailure("\(error)"))
        }
    }

    /// Removes what an earlier run left under another protocol number or table. Returns what it removed, as text.
    private func removeRemains(of kernel: SavedKernel) -> Result<String, NodeFailure> {
        var former = node.configuration.kernel
        (former.routeProtocol, former.table) = (kernel.routeProtocol, kernel.table)
        do {
            return .success(try KernelCleanup.remove(former).text)
        } catch {
            return .failure(NodeFailure("\(error)"))
        }
    }

    /// Removes all our routes, next hops and tables, for a stop that leaves nothing behind. The ledger removes the addresses.
    private func removeEverything() {
        do {
            let removed = try kernel.cleanUp()
            write(
                .notice,
                "removed \(counted(removed.routes, "route")) and \(counted(removed.nextHops, "next hop"))")
        } catch {
            write(.error, "cannot remove our routes: \(error)")
        }
        removeTables()
    }

    func removeTables() { do { try KernelCleanup.removeTables() } catch { write(.error, "\(error)") } }

    private func bypassed(_ outcome: ProxyBypass.Outcome) { handle(.proxyBypass(outcome)) }

    // MARK: The log

    /// Adds the events of earlier runs.
    func adopt(_ earlier: [Event]) { events.adopt(earlier) }

    /// Writes a line to the log. At level notice or above, also keeps it for `meshctl status`. The message may have text from
    /// the network, so spaces replace control characters.
    func write(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:]) {
        let message = message.asOneLine
        log.log(level: level, "\(message)", metadata: metadata)
        if level >= .notice { store.append(events.append(level: level, message)) }
    }
}
