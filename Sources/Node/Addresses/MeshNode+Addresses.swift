public import Addressing
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import OSPFPacket
internal import Routing
internal import Services
internal import Timing

// The addresses of the node: who wants them, and what the kernel says.

/// How many addresses are put on the node, or taken from it, at a time: for each the kernel looks at all its routes, which
/// with thousands of both would keep hellos waiting for seconds. It adapts to how long the kernel takes.
struct AddressBatch: Hashable, Sendable {
    private(set) var size = 16
    private var asked: Instant?

    private static let longest = Duration.milliseconds(5)
    private static let bounds = 1...256

    mutating func begin(at now: Instant) { asked = now }

    mutating func end(at now: Instant) {
        guard let asked else { return }
        self.asked = nil
        let took = now - asked
        if took > Self.longest { size /= 2 } else if took < Self.longest / 2 { size *= 2 }
        size = min(max(size, Self.bounds.lowerBound), Self.bounds.upperBound)
    }
}

/// The sources that our routes are written with.
struct PreferredSource: Hashable, Sendable {
    var ipv6: IPv6Address?
    var ipv4: IPv4Address?
}

extension MeshNode {
    /// The addresses the node wants for itself.
    var ownAddresses: [IPv6Address] {
        guard let identity else { return [] }
        return [identity.address] + (ipv4.address.map { [IPv6Address($0)] } ?? [])
    }

    /// The node's own addresses, as far as they are on it: IPv6's first.
    public var placedOwnAddresses: [IPv6Address] { ownAddresses.filter { ledger.isPlaced($0) } }

    /// What an earlier run left on `lo` goes, but for what may be wanted once the checks have spoken.
    mutating func adoptAddresses(at now: Instant) {
        for address in addresses.on(Self.loopback) {
            if address.origin == configuration.kernel.routeProtocol { ledger.adopt(address.address) }
        }
        let undecided = vips.entries.filter { $0.isAnnounced || $0.health == .unknown }
        let wanted = Set(undecided.map(\.vip.address) + serviceVIPs.entries.keys + ownAddresses)
        for address in ledger.sweep(keeping: wanted) {
            log(.swept, .notice, "removing \(address), left by an earlier run", at: now)
        }
    }

    mutating func wantOwnAddresses() {
        for address in ownAddresses {
            ledger.want(
                address, by: .node, as: AdvertisedPrefix(prefix: IPv6Prefix(host: address), options: .localAddress))
        }
    }

    /// Asks the kernel for the next addresses. Those that go are announced no more by now.
    mutating func requestAddresses(at now: Instant) {
        switch life {
        case .new, .waiting, .adopting, .stopping: return
        case .starting, .synchronizing, .running, .draining: break
        }
        // One batch a turn: outcomes that come at once do not lead to the next, so that hellos have their turn.
        guard !ledger.isBusy, mayRequestAddresses else { return }
        // At the start nobody has heard of this node yet, and then it is to be of all of them.
        let isStarting = if case .starting = life { true } else { false }
        // An address that goes must not be announced any more.
        if ledger.hasWork, router != nil { _ = announce(at: now) }
        let requests = ledger.takeRequests(
            limit: isStarting ? .max : addressBatch.size, mayRemove: true, at: now, isShared: isAnnouncedByOthers)
        guard !requests.isEmpty else { return }
        addressBatch.begin(at: now)
        effects.append(.addresses(requests))
    }

    /// Whether other routers announce an address, reachable or not: one that died had it by right.
    private func isAnnouncedByOthers(_ address: IPv6Address) -> Bool {
        guard let router else { return false }
        return router.candidates(for: IPv6Prefix(host: address)).contains { $0.announcer != router.routerID }
    }

    mutating func take(_ outcomes: [AddressOutcome], at now: Instant) {
        addressBatch.end(at: now)
        mayRequestAddresses = false
        for outcome in outcomes {
            let address =
                switch outcome.request {
                case .add(let address, _), .remove(let address): address
                }
            // The kernel's own news of it may still be on their way.
            let wasPlaced = ledger.isPlaced(address)
            let news = ledger.take(outcome.outcome, of: outcome.request, at: now)
            if !wasPlaced, ledger.isPlaced(address) { placed(address, isNew: outcome.outcome == .added, at: now) }
            report(news, address, at: now)
        }
    }

    private mutating func placed(_ address: IPv6Address, isNew: Bool, at now: Instant) {
        for entry in vips.entries where entry.vip.address == address && entry.isAnnounced {
            log(.announced, .notice, "VIP \(entry.vip.name), \(address): announced", at: now)
        }
        guard ownAddresses.contains(address) else { return }
        // While the address was away the kernel has taken it off all routes, or, if it is IPv4's, has removed them all.
        renewPreferredSource(isRewritten: isNew)
    }

    /// Routes are written with those own addresses as preferred sources that are on the node.
    private mutating func renewPreferredSource(isRewritten: Bool) {
        guard let identity else { return }
        let source = PreferredSource(
            ipv6: ledger.isRefused(identity.address) ? nil : identity.address,
            ipv4: ipv4.address.flatMap { ledger.isPlaced(IPv6Address($0)) ? $0 : nil })
        let hasChanged = source != preferredSource
        guard hasChanged || isRewritten && installer.fib.installedRoutes > 0 else { return }
        preferredSource = source
        kernelEffects.append(.preferredSource(source.ipv6, ipv4: source.ipv4))
        if installer.fib.installedRoutes > 0 { installer.rewriteRoutes() }
    }

    private mutating func report(_ news: AddressLedger.News?, _ address: IPv6Address, at now: Instant) {
        switch news {
        case nil: break
        case .stolen: log(.stolen, .warning, "another program removed \(address) from lo; it is put back", at: now)
        case .refused(let reason):
            if ownAddresses.contains(address) { renewPreferredSource(isRewritten: false) }
            log(.refused, .error, "cannot add \(address) to lo, so it is not announced: \(reason)", at: now)
        case .accepted: log(.placed, .notice, "\(address) is on lo now", at: now)
        case .stuck(let reason): log(.stuck, .error, "cannot remove \(address) from lo: \(reason)", at: now)
        }
    }

    /// An address is gone from `lo`.
    mutating func addressGone(_ address: IPv6Address, at now: Instant) {
        report(ledger.gone(address), address, at: now)
    }

    // MARK: VIPs of the configuration

    /// Does what a table of VIPs wants.
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
        if !actions.isEmpty { isAnnouncementStale = true }
    }

    private mutating func want(_ vip: VIP) {
        let metric = isDrained ? AdvertisedPrefix.lastResort : 0
        ledger.want(
            vip.address, by: .vip, as: AdvertisedPrefix(prefix: IPv6Prefix(host: vip.address), metric: metric))
    }

    /// Announces VIPs at another metric, as the node is drained or no longer.
    mutating func renewVIPs() {
        for entry in vips.entries where entry.isAnnounced { want(entry.vip) }
    }

    mutating func checked(_ id: VIPTable.CheckID, _ outcome: CheckOutcome, at now: Instant) {
        perform(vips.handle(.checked(id, outcome), at: now), at: now)
        handleGate(.checked(id, outcome), at: now)
    }
}
