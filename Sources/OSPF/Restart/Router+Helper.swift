import Addressing
import OSPFPacket
internal import Timing

/// Helper mode (RFC 3623 §3, RFC 5187): a neighbor has announced with a grace-LSA that it restarts. When it leaves Full, its link
/// is held (`Router+HeldLink.swift`) until the grace period is over, instead of for ``linkHold``.
extension Router {
    /// A grace-LSA was installed: a new one, another instance, or its flush.
    mutating func noteGrace(_ lsa: LSA, _ key: DatabaseKey, at now: Instant) {
        guard key.lsa.type == .grace, key.lsa.advertisingRouter != routerID, interfaces.contains(key.interface) else {
            return
        }
        let neighbor = NeighborKey(interface: key.interface, router: key.lsa.advertisingRouter)
        guard lsa.age < LSAHeader.maxAge else {
            guard interfaces.contains(neighbor) else { return }
            return endHelping(
                neighbor, because: interfaces[neighbor].state == .full ? .completed : .abandoned, at: now)
        }
        let restart: AnnouncedRestart
        switch judge(lsa, of: neighbor, at: now) {
        case .success(let accepted): restart = accepted
        case .failure(let refusal):
            statistics.graceRefusals[refusal.reason, default: 0] += 1
            return notify(
                .restart(interface: neighbor.interface, neighbor: neighbor.router, .refused(refusal.reason)))
        }
        if interfaces[neighbor].restart == nil {
            statistics.helperEntries += 1
            notify(
                .restart(
                    interface: neighbor.interface, neighbor: neighbor.router,
                    .helping(restart.until - now, restart.reason)))
        }
        interfaces[neighbor].restart = restart
        if let held = interfaces[neighbor].held {
            interfaces[neighbor].held?.until = max(restart.until, held.since + Self.linkHold)
        }
    }

    private struct Refusal: Error { var reason: GraceRefusal }

    /// Whether to help the sender of a grace-LSA (RFC 3623 §3.1).
    private func judge(
        _ lsa: LSA, of neighbor: NeighborKey, at now: Instant
    ) -> Result<AnnouncedRestart, Refusal> {
        func refuse(_ reason: GraceRefusal) -> Result<AnnouncedRestart, Refusal> { .failure(Refusal(reason: reason)) }
        let options = configuration.gracefulRestart
        guard options.helps else { return refuse(.disabled) }
        guard resumption == nil else { return refuse(.restarting) }
        guard interfaces.contains(neighbor) else { return refuse(.unknownNeighbor) }
        guard !interfaces[neighbor.interface].isBroadcast else { return refuse(.broadcast) }
        guard interfaces[neighbor].isLinked else { return refuse(.notFull) }
        guard case .grace(let body)? = try? lsa.body(), let period = body.period, period > 0, let reason = body.reason
        else { return refuse(.malformed) }
        let bounded = min(Duration.seconds(Int64(period)), GracefulRestartOptions.longestPeriod)
        let age = Duration.seconds(Int64(lsa.age))
        guard age < bounded else { return refuse(.expired) }
        if options.checksLSAsStrictly, interfaces[neighbor].hasUnacknowledgedChanges { return refuse(.pendingChanges) }
        return .success(AnnouncedRestart(until: now + (bounded - age), reason: reason))
    }

    /// Ends helper mode, if we help the neighbor. A link that is held stays so for the rest of ``linkHold`` if the neighbor itself
    /// is well.
    mutating func endHelping(_ neighbor: NeighborKey, because exit: HelperExit, at now: Instant) {
        guard interfaces[neighbor].restart != nil else { return }
        interfaces[neighbor].restart = nil
        noteEndOfHelp(neighbor, because: exit)
        // The inactivity timer may have waited for the end of the grace period.
        let dead = interfaces[neighbor.interface].configuration.deadInterval
        interfaces[neighbor].inactivityDeadline = min(interfaces[neighbor].inactivityDeadline, now + dead)
        guard let held = interfaces[neighbor].held else { return }
        switch exit {
        case .completed, .abandoned, .topologyChanged:
            let until = min(held.until, held.since + Self.linkHold)
            if until <= now { releaseLink(neighbor, at: now) } else { interfaces[neighbor].held?.until = until }
        case .expired, .unresponsive, .replaced, .removed: releaseLink(neighbor, at: now)
        }
    }

    mutating func noteEndOfHelp(_ neighbor: NeighborKey, because exit: HelperExit) {
        statistics.helperExits[exit, default: 0] += 1
        notify(.restart(interface: neighbor.interface, neighbor: neighbor.router, .ended(exit)))
    }

    /// The contents of an LSA have changed, or (`new` is `nil`) it is no longer used: neighbors that restart, other than its
    /// originator, forward as before the change (RFC 3623 §3.2 (3)).
    mutating func noteTopologyChange(in key: DatabaseKey, from old: LSA?, to new: LSA?, at now: Instant) {
        guard configuration.gracefulRestart.checksLSAsStrictly, key.lsa.type.isTopology,
            interfaces.indices.contains(where: { interfaces[$0].neighbors.contains { $0.restart != nil } }),
            !movesPrefixes(key, from: old, to: new)
        else { return }
        for index in interfaces.indices where interfaces[index].neighbors.contains(where: { $0.restart != nil }) {
            for neighbor in interfaces[index].neighborKeys where neighbor.router != key.lsa.advertisingRouter {
                endHelping(neighbor, because: .topologyChanged, at: now)
            }
        }
    }

    /// Whether a change of an LSA changes no prefix: what is added or removed is in another LSA of the router too. Routers put
    /// their prefixes in fewer LSAs some seconds after changes of them.
    private func movesPrefixes(_ key: DatabaseKey, from old: LSA?, to new: LSA?) -> Bool {
        let before = old?.announcedPrefixes ?? []
        let after = new?.announcedPrefixes ?? []
        var missing = before.symmetricDifference(after)
        // Another part than the prefixes has changed.
        guard !missing.isEmpty else { return false }
        for (other, entry) in database.entries
        where other != key && other.lsa.advertisingRouter == key.lsa.advertisingRouter && other.lsa.type == key.lsa.type
        {
            guard entry.lsa.age < LSAHeader.maxAge else { continue }
            missing.subtract(entry.lsa.announcedPrefixes)
            if missing.isEmpty { return true }
        }
        return false
    }

    /// Keeps a neighbor whose hellos are missing, if it restarts: its link is held until the grace period is over. Returns
    /// whether it is kept.
    mutating func keepSilentNeighbor(_ neighbor: NeighborKey, at now: Instant) -> Bool {
        guard let restart = interfaces[neighbor].restart, restart.until > now else { return false }
        interfaces[neighbor].inactivityDeadline = restart.until
        let silence = interfaces[neighbor.interface].configuration.deadInterval
        neighborEvent(neighbor, .restarts, because: .silence(silence), at: now)
        return interfaces[neighbor].held != nil
    }
}

extension Neighbor {
    /// Whether it has not acknowledged an LSA that routes depend on. A refresh counts as a change.
    fileprivate var hasUnacknowledgedChanges: Bool {
        adjacency?.retransmissions.keys.contains { $0.lsa.type.isTopology } ?? false
    }
}

/// A prefix of a router or network, as an LSA announces it.
private struct AnnouncedPrefix: Hashable {
    var prefix: LSAPrefix
    var referencedType: LSAType?
    var referencedLinkStateID: UInt32 = 0
    var referencedAdvertisingRouter = RouterID.none
}

extension LSA {
    /// What the LSA announces, if that may be in one of several LSAs of its router.
    fileprivate var announcedPrefixes: Set<AnnouncedPrefix> {
        switch try? body() {
        case .intraAreaPrefix(let body)?:
            Set(
                body.prefixes.map {
                    AnnouncedPrefix(
                        prefix: $0, referencedType: body.referencedType,
                        referencedLinkStateID: body.referencedLinkStateID,
                        referencedAdvertisingRouter: body.referencedAdvertisingRouter)
                })
        case .ipv4Prefix(let body)?: Set(body.prefixes.map { AnnouncedPrefix(prefix: $0) })
        default: []
        }
    }
}

extension LSAType {
    /// Whether routes depend on LSAs of this type.
    fileprivate var isTopology: Bool {
        switch self {
        case .router, .network, .interAreaPrefix, .interAreaRouter, .asExternal, .nssa, .intraAreaPrefix, .ipv4Prefix:
            true
        default: false
        }
    }
}
