public import Addressing
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import OSPFPacket
internal import Routing
internal import Services
internal import Timing

/// The node's own addresses as sources in our routes.
struct PreferredSource: Hashable, Sendable {
    /// The source of IPv6 routes; `nil` leaves the choice to the kernel.
    var ipv6: IPv6Address?
    /// The source of IPv4 routes; `nil` leaves the choice to the kernel.
    var ipv4: IPv4Address?
    /// The source before ``ipv4``, until it is removed from `lo` and with it the routes that still have it.
    var earlierIPv4: IPv4Address?
}

extension MeshNode {
    /// The node's own addresses, placed or not.
    var ownAddresses: [IPv6Address] {
        guard let identity else { return [] }
        return [identity.address] + (ipv4.address.map { [IPv6Address($0)] } ?? [])
    }

    /// The node's own addresses that are on `lo`, IPv6 first.
    public var placedOwnAddresses: [IPv6Address] { ownAddresses.filter { ledger.isPlaced($0) } }

    /// Takes over the addresses that an earlier run left on `lo`, and removes those that no owner wants, except VIPs without an
    /// outcome of their check yet. Which addresses services want is known from the saved copy of the cluster, if there is one:
    /// the agent reports it before the start.
    mutating func adoptAddresses(at now: Instant) {
        for address in addresses.on(Self.loopback) {
            if address.origin == configuration.kernel.routeProtocol { ledger.adopt(address.address) }
        }
        let keptVIPs = vips.entries.filter { $0.isAnnounced || $0.health == .unknown }
        let kept = Set(keptVIPs.map(\.vip.address) + serviceAddresses.entries.keys + ownAddresses)
        for address in ledger.sweep(keeping: kept) {
            log(.swept, .notice, "removing \(address), left by an earlier run", at: now)
        }
    }

    /// The node wants its own addresses, announced with the LA-bit: they belong to one machine (RFC 5340 §A.4.1.1).
    mutating func wantOwnAddresses() {
        for address in ownAddresses {
            ledger.want(
                address, by: .node, as: AdvertisedPrefix(prefix: IPv6Prefix(host: address), options: .localAddress))
        }
    }

    /// Requests the next batch of additions and removals of addresses.
    mutating func requestAddresses(at now: Instant) {
        switch life {
        case .new, .waiting, .adopting, .announcingRestart, .stopping: return
        case .starting, .synchronizing, .running, .draining: break
        }
        // One batch per turn, so that hellos are not delayed.
        guard !ledger.isBusy, pacing.mayRequestAddresses, ledger.hasRequests(at: now) else { return }
        // While the node starts, it has no neighbors and sends no hellos, so one batch contains all addresses.
        let isStarting = if case .starting = life { true } else { false }
        // An address must be withdrawn before it is removed.
        if ledger.hasWork, router != nil { _ = announce(at: now) }
        let requests = ledger.nextRequests(
            limit: isStarting ? .max : pacing.addressBatch.size,
            mayRemove: router == nil || announcements.isCurrent(ledgerVersion: ledger.version), at: now,
            isShared: isAnnouncedByOthers)
        guard !requests.isEmpty else { return }
        pacing.addressBatch.begin(at: now)
        effects.append(.addresses(requests))
    }

    /// Whether other routers announce an address, reachable or not. If so, the machine that has it by the kernel's neighbor
    /// tables may be one of these nodes, even a failed one, and does not prevent this node from adding it.
    private func isAnnouncedByOthers(_ address: IPv6Address) -> Bool {
        guard let router else { return false }
        return router.candidates(for: IPv6Prefix(host: address)).contains { $0.announcer != router.routerID }
    }

    mutating func receive(_ outcomes: [AddressOutcome], at now: Instant) {
        pacing.addressBatch.end(at: now)
        pacing.mayRequestAddresses = false
        for outcome in outcomes {
            let address =
                switch outcome.request {
                case .add(let address, _), .remove(let address): address
                }
            // The outcome counts: the kernel's notification of the address may come later.
            let wasPlaced = ledger.isPlaced(address)
            let change = ledger.record(outcome.outcome, of: outcome.request, at: now)
            if case .remove = outcome.request, address.ipv4 != nil, address.ipv4 == preferredSource.earlierIPv4 {
                // The kernel has removed the routes that still had it as their source, and does not notify that.
                preferredSource.earlierIPv4 = nil
                installer.requireRead(.everything)
            }
            if !wasPlaced, ledger.isPlaced(address) { placed(address, isNew: outcome.outcome == .added, at: now) }
            report(change, address, at: now)
        }
    }

    private mutating func placed(_ address: IPv6Address, isNew: Bool, at now: Instant) {
        if let entry = vips.entry(of: address), entry.isAnnounced {
            log(.announced, .notice, "VIP \(entry.vip.name), \(address): announced", at: now)
        }
        guard ownAddresses.contains(address) else { return }
        // If the address was on `lo` before, its removal removed it from all routes (IPv6) or the routes themselves (IPv4).
        updatePreferredSource(mustRewriteRoutes: isNew)
    }

    /// Uses the own addresses as sources in routes: the IPv6 address unless it is refused, the IPv4 address if it is on `lo`.
    /// With `mustRewriteRoutes`, all routes are written again even if the sources are the same, because the kernel may have
    /// removed one from them.
    mutating func updatePreferredSource(mustRewriteRoutes: Bool) {
        guard let identity else { return }
        let old = preferredSource
        var source = old
        // The IPv6 address is wanted since the start, so it is normally there before the first route, unless it is refused.
        // An IPv4 address may be assigned at any time.
        source.ipv6 = ledger.isRefused(identity.address) ? nil : identity.address
        source.ipv4 = ipv4.address.flatMap { ledger.isPlaced(IPv6Address($0)) ? $0 : nil }
        if source.ipv4 != old.ipv4, let earlier = old.ipv4 { source.earlierIPv4 = earlier }
        let hasChanged = source != old
        let hasRoutes = installer.fib.installedRoutes + installer.fib.installedServiceRoutes > 0
        guard hasChanged || mustRewriteRoutes && hasRoutes else { return }
        preferredSource = source
        kernelEffects.append(.preferredSource(source.ipv6, ipv4: source.ipv4))
        if hasRoutes { installer.rewriteRoutes() }
    }

    private mutating func report(_ change: AddressLedger.Change?, _ address: IPv6Address, at now: Instant) {
        switch change {
        case nil: break
        case .removalNotified:
            log(.removalNotified, .warning, "another program removed \(address) from lo; it is put back", at: now)
        case .refused(let reason):
            if ownAddresses.contains(address) { updatePreferredSource(mustRewriteRoutes: false) }
            log(.refused, .error, "cannot add \(address) to lo, so it is not announced: \(reason)", at: now)
        case .accepted: log(.placed, .notice, "\(address) is on lo now", at: now)
        case .notRemoved(let reason): log(.notRemoved, .error, "cannot remove \(address) from lo: \(reason)", at: now)
        }
    }

    /// Handles the notification that an address was removed from `lo`.
    mutating func addressGone(_ address: IPv6Address, at now: Instant) {
        report(ledger.removalNotified(address), address, at: now)
    }

    // MARK: VIPs of the configuration

    /// Carries out the actions of the VIP table.
    mutating func perform(_ actions: [VIPTable.Action], at now: Instant) {
        for action in actions {
            switch action {
            case .announce(let vip): want(vip)
            case .withdraw(let vip, let reason):
                ledger.drop(vip.address, by: .vip)
                log(.withdrawn, .notice, "VIP \(vip.name), \(vip.address): withdrawn: \(reason)", at: now)
            case .startChecking(let id, let check): effects.append(.startCheck(id, check))
            case .stopChecking(let id): effects.append(.stopCheck(id))
            }
        }
        if !actions.isEmpty { announcements.invalidate() }
    }

    private mutating func want(_ vip: VIP) {
        let metric = isDrained ? AdvertisedPrefix.lastResort : 0
        ledger.want(
            vip.address, by: .vip, as: AdvertisedPrefix(prefix: IPv6Prefix(host: vip.address), metric: metric))
    }

    /// Updates the metric of the announced VIPs: last resort while the node is drained, otherwise 0.
    mutating func refreshVIPs() {
        for entry in vips.entries where entry.isAnnounced { want(entry.vip) }
    }

    mutating func checked(_ id: VIPTable.CheckID, _ outcome: CheckOutcome, at now: Instant) {
        // The VIP table and the service gate each ignore the IDs of the other.
        perform(vips.handle(.checked(id, outcome), at: now), at: now)
        handleGate(.checked(id, outcome), at: now)
    }
}
