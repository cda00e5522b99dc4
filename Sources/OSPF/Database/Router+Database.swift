import Addressing
import OSPFPacket
internal import Timing

/// Installation, aging and removal of LSAs (RFC 2328 §13.2, §14).
extension Router {
    /// The minimum time that an LSA at MaxAge stays in the database. RFC 2328 §14 removes it with the last acknowledgment,
    /// and §13 (4) does not even store an unknown one. A late copy of an earlier instance would then be accepted as new,
    /// and a withdrawn prefix would be reachable again until that copy reaches MaxAge, up to an hour later.
    static let maxAgeHold = Duration.seconds(1)

    /// Installs an instance in the database. If the contents of the LSA change, originations and routes that depend on them
    /// are due.
    mutating func install(_ lsa: LSA, for key: DatabaseKey, at now: Instant, arrivalBurst: Int = 0) {
        removeFromAllRetransmissionLists(key)
        let old = database[key]?.lsa
        database.install(lsa, for: key, at: now, arrivalBurst: arrivalBurst)
        scheduleAging(of: key)
        noteGrace(lsa, key, at: now)
        let wasUsable = old.map { $0.age < LSAHeader.maxAge } ?? false
        let isUsable = lsa.age < LSAHeader.maxAge
        if wasUsable != isUsable || isUsable && old!.bodyOctets != lsa.bodyOctets {
            if wasUsable, isUsable { noteFingerprintChange(in: key.lsa, at: now) }
            contentsChanged(of: key, from: wasUsable ? old : nil, to: isUsable ? lsa : nil, at: now)
        }
    }

    /// Removes an LSA from the database without flooding.
    mutating func removeLSA(_ key: DatabaseKey, at now: Instant) {
        guard let entry = database[key] else { return }
        removeFromAllRetransmissionLists(key)
        database.remove(key)
        if entry.lsa.age < LSAHeader.maxAge { contentsChanged(of: key, from: entry.lsa, to: nil, at: now) }
    }

    /// The body of an LSA is new, or (`nil`) the LSA is no longer used.
    private mutating func contentsChanged(of key: DatabaseKey, from old: LSA?, to lsa: LSA?, at now: Instant) {
        noteTopologyChange(in: key, from: old, to: lsa, at: now)
        switch key.lsa.type {
        case .link:
            // If we are the designated router, we announce the prefixes in the link-LSAs of our link.
            origination.interfacesChanged()
            return
        case .router, .network: topologyChanged(at: now)
        case .interAreaPrefix, .interAreaRouter, .asExternal, .intraAreaPrefix, .ipv4Prefix:
            prefixesChanged = true
        case .routerInformation, .autoConfiguration: break
        default: return
        }
        guard key.interface == 0 else { return }
        calculation.databaseChanged(key.lsa, to: lsa)
        // No route depends on these.
        if key.lsa.type == .routerInformation || key.lsa.type == .autoConfiguration { return }
        uncalculatedChanges.note(key.lsa, from: old, to: lsa, at: now)
    }

    /// Adds the aging moment of an LSA to the queue. Entries of earlier instances stay, so the queue is compacted when most of
    /// it is outdated.
    mutating func scheduleAging(of key: DatabaseKey) {
        guard let entry = database[key] else { return }
        aging.insert(key, at: agingMoment(of: entry))
        if aging.count > 4 * database.entries.count + 64 {
            let router = self
            aging.compact { key, moment in
                // A flushed LSA may be in the queue at a later moment than its first (``runAging(at:)``).
                guard let entry = router.database[key] else { return false }
                return router.agingMoment(of: entry) == moment || entry.lsa.age >= LSAHeader.maxAge
            }
        }
    }

    /// When an LSA must be refreshed, flushed or removed because of its age.
    private func agingMoment(of entry: LinkStateDatabase.Entry) -> Instant {
        if entry.lsa.age >= LSAHeader.maxAge { return entry.installed + Self.maxAgeHold }
        let isOwn = entry.lsa.key.advertisingRouter == routerID
        return entry.moment(ofAge: isOwn ? LSAHeader.refreshTime : LSAHeader.maxAge)
    }

    /// Refreshes our own LSAs, flushes others' LSAs that reach MaxAge (every router does so, because the originator may
    /// not be reachable, RFC 2328 §14), and removes flushed ones.
    mutating func runAging(at now: Instant) {
        while let key = aging.popDue(at: now) {
            guard let entry = database[key], agingMoment(of: entry) <= now else { continue }
            if entry.lsa.age >= LSAHeader.maxAge {
                removeFlushed(key, at: now)
                // If it is still there, a neighbor must acknowledge it or an exchange is under way: try again later.
                if database[key] != nil { aging.insert(key, at: now + Self.maxAgeHold) }
            } else if key.lsa.advertisingRouter == routerID {
                refreshOwn(key, at: now)
            } else {
                flush(key, at: now)
            }
        }
    }

    /// Removes an LSA from the routing domain: sets its age to MaxAge and floods it (premature aging, RFC 2328 §14.1).
    mutating func flush(_ key: DatabaseKey, at now: Instant) {
        guard var lsa = database[key]?.lsa, lsa.age < LSAHeader.maxAge else { return }
        lsa.age = LSAHeader.maxAge
        install(lsa, for: key, at: now)
        flood(key, at: now)
    }

    /// Removes an LSA at MaxAge if no neighbor must acknowledge it, no database exchange is under way (RFC 2328 §14), and
    /// it was kept long enough.
    mutating func removeFlushed(_ key: DatabaseKey, at now: Instant) {
        guard let entry = database[key], entry.lsa.age >= LSAHeader.maxAge, entry.unacknowledged == 0,
            !isAnyExchangeUnderWay
        else { return }
        // An LSA of ours that was flushed only to start its sequence again is originated at once, and its new instance
        // replaces late copies. So it is not kept.
        let isWanted = origination.own[key]?.body != nil
        guard isWanted || agingMoment(of: entry) <= now else { return }
        database.remove(key)
        if key.lsa.advertisingRouter == routerID { origination.removed(key) }
    }

    /// Whether any neighbor is in Exchange or Loading: then no LSA at MaxAge may be removed (RFC 2328 §14).
    var isAnyExchangeUnderWay: Bool {
        interfaces.contains { $0.neighbors.contains { $0.state == .exchange || $0.state == .loading } }
    }
}
