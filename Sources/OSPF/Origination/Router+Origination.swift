import Addressing
import OSPFPacket
internal import Timing

/// Origination, refresh and flushing of this router's own LSAs (RFC 2328 §12.4, RFC 5340 §4.4.3).
extension Router {
    /// Updates own LSAs after changes (during a resumption only the link-LSAs), and originates those whose delay is over.
    mutating func originateOwn(at now: Instant) {
        let changes = origination.takeChanges(at: now)
        if resumption != nil {
            resumption!.withheld.formUnion(changes)
            if changes.contains(.interfaces) { for (key, body) in linkLSAs() { want(body, for: key, at: now) } }
        } else if !changes.isEmpty {
            for (key, body) in wantedBodies(after: changes, at: now) { want(body, for: key, at: now) }
        }
        while let key = origination.pending.popDue(at: now) {
            // It may have been originated already, at an earlier moment.
            guard let moment = origination.own[key]?.pendingMoment, moment <= now else { continue }
            origination.own[key]!.pendingMoment = nil
            // What has come and gone while it waited needs no new instance.
            if let body = origination.own[key]?.body, hasBody(body, key, at: now), !isRefreshDue(key, at: now) {
                continue
            }
            originate(key, at: now)
        }
    }

    /// Records the wanted body of an own LSA. If the body has changed, originates the LSA or (`nil`) flushes it.
    mutating func want(_ body: LSABody?, for key: DatabaseKey, at now: Instant) {
        if origination.own[key] == nil {
            // Nothing is wanted, and there is nothing to flush.
            guard body != nil || database[key] != nil else { return }
            origination.own[key] = Origination.OwnLSA(key.lsa, body: body)
            // The database already has the LSA, of an earlier run, with the same body. Its refresh may be due.
            if let body, hasBody(body, key, at: now) { return scheduleAging(of: key) }
        } else {
            guard origination.own[key]!.body != body else { return }
            origination.own[key]!.body = body
        }
        originate(key, at: now)
    }

    /// Originates a new instance of one of our LSAs with the wanted body: now if `isUrgent`, else when the throttle allows. An
    /// LSA that is not wanted is flushed.
    private mutating func originate(_ key: DatabaseKey, at now: Instant, isUrgent: Bool = false) {
        guard let own = origination.own[key] else { return }
        guard let body = own.body else {
            // A flush is never delayed.
            flush(key, at: now)
            return removeFlushed(key, at: now)
        }
        let earliest = withdrawsLinks(body, key) ? own.throttle.earliestWithdrawal : own.throttle.earliest
        guard isUrgent || earliest <= now else { return origination.schedule(key, at: earliest) }
        var sequenceNumber = own.firstSequenceNumber
        if let last = database[key]?.lsa.header.sequenceNumber {
            guard last < LSAHeader.maxSequenceNumber else {
                // The numbers are used up: the LSA must be flushed from the routing domain before a new sequence starts
                // (RFC 2328 §12.1.6).
                flush(key, at: now)
                return removeFlushed(key, at: now)
            }
            sequenceNumber = last + 1
        }
        var lsa = LSA(key: key.lsa, sequenceNumber: sequenceNumber, body: body)
        // The database has a late copy from the end of a sequence that has restarted, and only the last number is left. It
        // was used before, so late acknowledgments of its earlier use would count for this instance. So this instance only
        // flushes the LSA, and the sequence starts again.
        let wasUsedBefore = sequenceNumber == LSAHeader.maxSequenceNumber && own.sequenceRestarts > 0
        if wasUsedBefore { lsa.age = LSAHeader.maxAge }
        origination.own[key]!.throttle.originated(at: now)
        statistics.lsaOriginations += 1
        install(lsa, for: key, at: now)
        flood(key, at: now)
        if wasUsedBefore { removeFlushed(key, at: now) }
    }

    /// Originates a new instance of a wanted LSA of ours, usually at LSRefreshTime (RFC 2328 §12.4 (1)). Flushes an LSA that is
    /// not wanted, but not during a resumption, when that is not known yet.
    mutating func refreshOwn(_ key: DatabaseKey, at now: Instant) {
        if origination.own[key]?.body != nil {
            originate(key, at: now)
        } else if resumption == nil {
            flush(key, at: now)
        }
    }

    /// Whether a body of a router-LSA has less than the instance in the database: links are gone, cost more, or the router takes no
    /// transit traffic any more; and nothing is better.
    private func withdrawsLinks(_ body: LSABody, _ key: DatabaseKey) -> Bool {
        guard case .router(let new) = body, let lsa = database[key]?.lsa, case .router(let old)? = try? lsa.body(),
            old.flags == new.flags, old.options.subtracting(.r) == new.options.subtracting(.r),
            old.options.contains(.r) || !new.options.contains(.r)
        else { return false }
        func places(_ body: RouterLSA) -> [RouterLSA.Link: UInt16] {
            var result: [RouterLSA.Link: UInt16] = [:]
            for var link in body.links {
                let metric = link.metric
                link.metric = 0
                result[link] = metric
            }
            return result
        }
        let (before, after) = (places(old), places(new))
        return after.allSatisfy { link, metric in before[link].map { metric >= $0 } ?? false } && before != after
    }

    /// Whether an LSA of ours is so old that it must be originated again.
    private func isRefreshDue(_ key: DatabaseKey, at now: Instant) -> Bool {
        database[key].map { $0.age(at: now) >= LSAHeader.refreshTime } ?? true
    }

    /// Whether the database has an LSA of ours with this body.
    private func hasBody(_ body: LSABody, _ key: DatabaseKey, at now: Instant) -> Bool {
        guard let entry = database[key], entry.age(at: now) < LSAHeader.maxAge else { return false }
        let sequenceNumber = entry.lsa.header.sequenceNumber
        return entry.lsa.bodyOctets == LSA(key: key.lsa, sequenceNumber: sequenceNumber, body: body).bodyOctets
    }

    /// A newer instance of one of our LSAs was received and installed: from an earlier run of this router, or from another
    /// router with the same ID (RFC 2328 §13.4). It is replaced, or flushed if we do not want it. During a resumption it stays
    /// if it has the wanted body, or if the wanted body is not known yet.
    mutating func receivedOwn(_ lsa: LSA, _ key: DatabaseKey, at now: Instant) {
        checkForDuplicate(lsa, at: now)
        if let own = origination.own[key], let body = own.body {
            if resumption != nil, hasBody(body, key, at: now) { return }
            // Urgent, so that no route calculation uses the contents of the other instance.
            originate(key, at: now, isUrgent: own.throttle.allowsUrgent)
        } else if lsa.age < LSAHeader.maxAge, resumption == nil {
            flush(key, at: now)
        }
    }

    /// Flushes all our LSAs and sends a last hello that lists nobody, so that neighbors route around this router at once
    /// instead of after RouterDeadInterval. Does not wait for acknowledgments: where a packet is lost, the adjacency ends
    /// after RouterDeadInterval.
    mutating func shutDown(at now: Instant) {
        for key in ownKeys { flush(key, at: now) }
        for index in interfaces.indices {
            while !interfaces[index].flood.isEmpty {
                let destination = floodDestination(index)
                sendQueuedUpdate(index, to: destination, at: now)
            }
            guard !interfaces[index].isSilent else { continue }
            removeNeighbors(index, reason: .shutdown, at: now)
            sendHello(index, at: now)
        }
        isShutDown = true
    }
}
