import Addressing
import OSPFPacket

/// Putting LSAs into the database, keeping their ages, and taking them out (RFC 2328 §13.2, §14).
extension Router {
    /// Puts an instance into the database; whatever depends on its contents is told.
    mutating func install(_ lsa: LSA, for key: DatabaseKey, at now: Instant, arrivalBurst: Int = 0) {
        takeOffAllRetransmissions(key)
        let old = database[key]?.lsa
        database.install(lsa, for: key, at: now, arrivalBurst: arrivalBurst)
        if lsa.age < LSAHeader.maxAge {
            let isOwn = lsa.key.advertisingRouter == routerID
            scheduleAging(of: key, at: now, age: isOwn ? LSAHeader.refreshTime : LSAHeader.maxAge)
        }
        let wasUsable = old.map { $0.age < LSAHeader.maxAge } ?? false
        let isUsable = lsa.age < LSAHeader.maxAge
        if wasUsable != isUsable || isUsable && old!.bodyOctets != lsa.bodyOctets {
            contentsChanged(of: key, to: isUsable ? lsa : nil, at: now)
        }
    }

    /// Takes an LSA out of the database without a word to anybody.
    mutating func forget(_ key: DatabaseKey, at now: Instant) {
        guard let entry = database[key] else { return }
        takeOffAllRetransmissions(key)
        database.remove(key)
        if entry.lsa.age < LSAHeader.maxAge { contentsChanged(of: key, to: nil, at: now) }
    }

    private mutating func contentsChanged(of key: DatabaseKey, to lsa: LSA?, at now: Instant) {
        switch key.lsa.type {
        case .link:
            // The designated router speaks for the prefixes on its link.
            origination.interfacesChanged()
            return
        case .router, .network: topologyChanged(at: now)
        case .interAreaPrefix, .interAreaRouter, .asExternal, .intraAreaPrefix: prefixesChanged = true
        case .routerInformation, .autoConfiguration: break
        default: return
        }
        if key.interface == 0 { calculation.databaseChanged(key.lsa, to: lsa) }
    }

    private mutating func scheduleAging(of key: DatabaseKey, at now: Instant, age: UInt16) {
        guard let entry = database[key] else { return }
        aging.insert(key, at: entry.moment(ofAge: age))
        if aging.count > 4 * database.entries.count + 64 {
            let (database, routerID) = (database, routerID)
            aging.compact { key, deadline in
                guard let entry = database[key] else { return false }
                let isOwn = key.lsa.advertisingRouter == routerID
                return entry.moment(ofAge: isOwn ? LSAHeader.refreshTime : LSAHeader.maxAge) == deadline
            }
        }
    }

    /// Refreshes own LSAs and flushes others' that have come to MaxAge: every router that holds one does so, lest it
    /// lives on where its originator cannot be heard (RFC 2328 §14).
    mutating func runAging(at now: Instant) {
        while let key = aging.popDue(at: now) {
            guard let entry = database[key], entry.lsa.age < LSAHeader.maxAge else { continue }
            if key.lsa.advertisingRouter == routerID, entry.moment(ofAge: LSAHeader.refreshTime) <= now {
                refreshOwn(key, at: now)
            } else if entry.moment(ofAge: LSAHeader.maxAge) <= now {
                expire(key, at: now)
            }
        }
        removeMaxAged()
    }

    /// Has an LSA vanish from the domain: its age is set to MaxAge and that is flooded (premature aging, §14.1).
    mutating func expire(_ key: DatabaseKey, at now: Instant) {
        guard var lsa = database[key]?.lsa, lsa.age < LSAHeader.maxAge else { return }
        lsa.age = LSAHeader.maxAge
        install(lsa, for: key, at: now)
        flood(key, at: now)
    }

    /// Removes LSAs at MaxAge that nobody has to acknowledge any more (§14).
    mutating func removeMaxAged() {
        guard !database.maxAged.isEmpty, !isAnyExchangeUnderWay else { return }
        for key in database.maxAged where database[key]!.unacknowledged == 0 {
            database.remove(key)
            if key.lsa.advertisingRouter == routerID { origination.removed(key) }
        }
    }

    /// Whether any neighbour is being told what the database holds, so that nothing may vanish from it.
    var isAnyExchangeUnderWay: Bool {
        interfaces.contains { $0.neighbors.contains { $0.state == .exchange || $0.state == .loading } }
    }
}
