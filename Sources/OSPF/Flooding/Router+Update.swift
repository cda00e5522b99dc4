import Addressing
import OSPFPacket
internal import Timing

/// Received link state updates (RFC 2328 §13, RFC 5340 §4.5.1).
extension Router {
    /// MinLSArrival: the time between instances of an LSA below which they count as a burst (RFC 2328 §B).
    static let minLSArrival = Duration.seconds(1)
    /// The number of instances in a burst that are accepted. RFC 2328 accepts none; then the LSA of a router that starts, and
    /// changes with every neighbor it finds, would be accepted only when it is retransmitted.
    static let arrivalBurst = 16

    /// The minimum time between replies to neighbors with an older instance, per LSA. RFC 2328 §13 (8) has MinLSArrival, for
    /// which a neighbor would keep an LSA that was replaced.
    static let replyInterval = Duration.milliseconds(50)

    mutating func receive(_ update: LinkStateUpdate, from neighbor: NeighborKey, at now: Instant) {
        guard interfaces[neighbor].state >= .exchange else { return reject(.neighborState) }
        if update.damaged > 0 {
            statistics.rejections[.lsaChecksum, default: 0] += UInt64(update.damaged)
        }
        // LSAs to acknowledge at once, and to this neighbor alone (RFC 2328 §13.5).
        var direct: [LSAHeader] = []
        for lsa in update.lsas {
            receive(lsa, from: neighbor, direct: &direct, at: now)
            // An LSA may end the adjacency (BadLSReq), or show that this router must change its ID.
            guard interfaces.contains(neighbor), interfaces[neighbor].state >= .exchange,
                !duplicates.mustYield
            else { break }
        }
        guard interfaces.contains(neighbor) else { return }
        acknowledge(direct, on: neighbor.interface, to: interfaces[neighbor].address)
    }

    private mutating func receive(
        _ lsa: LSA, from neighbor: NeighborKey, direct: inout [LSAHeader], at now: Instant
    ) {
        guard let key = acceptableKey(lsa, on: neighbor.interface) else {
            // One bad LSA must not keep the adjacency from becoming Full.
            return satisfyRequest(with: lsa.header, by: neighbor, at: now)
        }
        let old = database[key]
        if lsa.age >= LSAHeader.maxAge, old == nil, !isAnyExchangeUnderWay {
            // The flush of an unknown LSA is not flooded, but stored for `maxAgeHold` in case an earlier instance follows.
            if hasRoom(for: lsa, key, insteadOf: nil) { install(lsa, for: key, at: now) }
            direct.append(lsa.header)
            return satisfyRequest(with: lsa.header, by: neighbor, at: now)
        }
        switch old.map({ lsa.header.recency(comparedTo: $0.header(at: now)) }) ?? .newer {
        case .newer where isEndOfSequence(lsa, insteadOf: old, key):
            direct.append(lsa.header)
            satisfyRequest(with: lsa.header, by: neighbor, at: now)
            sendRestartedSequence(key, to: neighbor, at: now)
        case .newer: receiveNewer(lsa, key, old: old, from: neighbor, at: now)
        case .same, .older:
            receiveKnown(lsa, key, old!, from: neighbor, direct: &direct, at: now)
        }
    }

    /// Processes an LSA that is not newer than ours (RFC 2328 §13 (6)–(8)).
    private mutating func receiveKnown(
        _ lsa: LSA, _ key: DatabaseKey, _ old: LinkStateDatabase.Entry, from neighbor: NeighborKey,
        direct: inout [LSAHeader], at now: Instant
    ) {
        satisfyRequest(with: lsa.header, by: neighbor, at: now)
        // Still requested: the neighbor described a later instance than the one it now sent (RFC 2328 §13 (6)).
        if let described = interfaces[neighbor].adjacency?.requests[lsa.key] {
            let fault = NeighborFault.earlierInstance(
                lsa.key, described: described.sequenceNumber, received: lsa.header.sequenceNumber)
            return neighborEvent(neighbor, .badLinkStateRequest, because: fault, at: now)
        }
        guard lsa.header.recency(comparedTo: old.header(at: now)) == .same else {
            return replyToOlder(key, old, to: neighbor, at: now)
        }
        guard removeFromRetransmissionList(key, of: neighbor) else { return direct.append(lsa.header) }
        removeFlushed(key, at: now)
        // The neighbor's copy of what we flooded to it acknowledges that (§13 (7a)), and needs no acknowledgment itself, except
        // by the backup to the designated router.
        let interface = interfaces[neighbor.interface]
        if interface.state(of: routerID) == .backup, neighbor.router == interface.designatedRouter {
            acknowledgeLater(lsa.header, on: neighbor.interface, at: now)
        }
    }

    /// Ends our request to a neighbor for an LSA, unless the neighbor has described a later instance than `header`.
    private mutating func satisfyRequest(with header: LSAHeader, by neighbor: NeighborKey, at now: Instant) {
        let patience =
            interfaces[neighbor.interface].configuration.deadInterval * AdjacencyContext.exchangePatienceInDeadIntervals
        interfaces[neighbor].satisfyRequest(with: header, patience: patience, at: now)
    }

    /// Checks scope, advertising router and, below MaxAge, the body. Counts rejections, and returns `nil` for a rejected
    /// LSA.
    private mutating func acceptableKey(_ lsa: LSA, on interface: UInt32) -> DatabaseKey? {
        guard lsa.key.type.scope != .reserved, lsa.key.advertisingRouter != .none else {
            reject(.lsaScope)
            return nil
        }
        if lsa.age < LSAHeader.maxAge {
            // The body of an LSA that is flushed does not matter.
            do { try lsa.validateBody() } catch {
                reject(.lsaBody)
                return nil
            }
        }
        return DatabaseKey(lsa.key, on: interface)
    }

    /// Processes an LSA that is newer than ours, or that we do not have (RFC 2328 §13 (5)).
    private mutating func receiveNewer(
        _ lsa: LSA, _ key: DatabaseKey, old: LinkStateDatabase.Entry?, from neighbor: NeighborKey, at now: Instant
    ) {
        var burst = 0
        if let old {
            if now - old.installed < Self.minLSArrival {
                guard old.arrivalBurst < Self.arrivalBurst else { return reject(.lsaTooSoon) }
                burst = old.arrivalBurst + 1
            }
        }
        guard hasRoom(for: lsa, key, insteadOf: old?.lsa) else {
            // Acknowledged, so that the neighbor does not retransmit it forever.
            reject(.limit)
            refuse(because: .database, at: now)
            acknowledgeLater(lsa.header, on: neighbor.interface, at: now)
            return satisfyRequest(with: lsa.header, by: neighbor, at: now)
        }
        statistics.lsasInstalled += 1
        install(lsa, for: key, at: now, arrivalBurst: burst)
        let floodedBack = flood(key, from: neighbor, at: now)
        satisfyRequest(with: lsa.header, by: neighbor, at: now)
        if !floodedBack {
            let interface = interfaces[neighbor.interface]
            if interface.state(of: routerID) != .backup || neighbor.router == interface.designatedRouter {
                acknowledgeLater(lsa.header, on: neighbor.interface, at: now)
            }
        }
        if lsa.key.advertisingRouter == routerID { receivedOwn(lsa, key, at: now) }
    }

    /// Whether an LSA is a late copy of the flush with which its sequence ended, before the sequence started again (RFC 2328
    /// §12.1.6). The copy's sequence number, the largest, makes it newer than ours, which is of the first half of all sequence
    /// numbers. If it was installed, it could follow the restarted sequence around a ring of routers, and that it, forever.
    /// If the LSA is ours, the sequence would have to end and start again, and the next late copy would cause the same.
    private func isEndOfSequence(_ lsa: LSA, insteadOf old: LinkStateDatabase.Entry?, _ key: DatabaseKey) -> Bool {
        guard lsa.age >= LSAHeader.maxAge, lsa.header.sequenceNumber == LSAHeader.maxSequenceNumber else {
            return false
        }
        if key.lsa.advertisingRouter == routerID {
            guard let own = origination.own[key] else { return false }
            return own.body != nil && own.sequenceRestarts > 0
        }
        guard let old else { return false }
        return old.lsa.header.sequenceNumber < 0 && old.lsa.age < LSAHeader.maxAge
    }

    /// A neighbor has the end of a sequence that has started again: sends it the restarted sequence until it acknowledges
    /// that, which it does when it has removed the end.
    private mutating func sendRestartedSequence(_ key: DatabaseKey, to neighbor: NeighborKey, at now: Instant) {
        // A new instance of our own: acknowledgments of the current one may still arrive, and would count as if the neighbor
        // had it.
        guard key.lsa.advertisingRouter != routerID else { return refreshOwn(key, at: now) }
        let interval = interfaces[neighbor.interface].configuration.retransmitInterval
        if interfaces[neighbor].awaitAcknowledgment(of: key, after: interval, at: now) {
            database.adjustUnacknowledged(key, by: 1)
        }
    }

    /// Whether the database has room for an instance in place of `old`. What an LSA grows by needs room like a new LSA. There
    /// is always room for own LSAs that this router wants, but not for others with our router ID.
    private func hasRoom(for lsa: LSA, _ key: DatabaseKey, insteadOf old: LSA?) -> Bool {
        if origination.own[key]?.body != nil { return true }
        let octets = lsa.octets.count - (old?.octets.count ?? 0)
        return (old != nil || database.entries.count < configuration.limits.lsas)
            && (octets <= 0 || database.octetCount + octets <= configuration.limits.lsaOctets)
    }

    /// The neighbor has an older instance. Sends it ours, but not more often than every ``replyInterval``, and not while
    /// our instance is the flush that ends a sequence (RFC 2328 §13 (8)).
    private mutating func replyToOlder(
        _ key: DatabaseKey, _ entry: LinkStateDatabase.Entry, to neighbor: NeighborKey, at now: Instant
    ) {
        let isWrapping =
            entry.age(at: now) >= LSAHeader.maxAge
            && entry.lsa.header.sequenceNumber == LSAHeader.maxSequenceNumber
        guard !isWrapping, now - (entry.lastReply ?? .distantPast) >= Self.replyInterval else { return }
        database.recordReply(key, at: now)
        sendUpdates([key], to: neighbor, at: now)
    }
}
