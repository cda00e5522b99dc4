import Addressing
import OSPFPacket
internal import Timing

/// Received link state updates (RFC 2328 §13, RFC 5340 §4.5.1).
extension Router {
    /// An LSA that is received again within this time counts towards a burst (RFC 2328 §B, MinLSArrival).
    static let minLSArrival = Duration.seconds(1)
    /// The number of instances that may arrive faster. RFC 2328 allows none; then a router that starts, and originates
    /// with every neighbor it finds, would be delayed by retransmissions.
    static let arrivalBurst = 16

    /// The minimum time between replies to a neighbor with an older instance, per LSA.
    static let replyInterval = Duration.milliseconds(50)

    mutating func receive(_ update: LinkStateUpdate, from neighbor: NeighborKey, at now: Instant) {
        guard interfaces[neighbor].state >= .exchange else { return reject(.neighborState) }
        if update.damaged > 0 {
            statistics.rejections[.lsaChecksum, default: 0] += UInt64(update.damaged)
        }
        var direct: [LSAHeader] = []
        for lsa in update.lsas {
            receive(lsa, from: neighbor, direct: &direct, at: now)
            // An LSA may end the adjacency (a bad request), or make this router change its ID.
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
            return satisfyRequest(with: lsa.header, by: neighbor, at: now)
        }
        let old = database[key]
        if lsa.age >= LSAHeader.maxAge, old == nil, !isAnyExchangeUnderWay {
            // It is not flooded, but stored for a short time in case an earlier instance follows.
            if hasRoom(for: lsa, key, insteadOf: nil) { install(lsa, for: key, at: now) }
            direct.append(lsa.header)
            return satisfyRequest(with: lsa.header, by: neighbor, at: now)
        }
        switch old.map({ lsa.header.recency(comparedTo: $0.header(at: now)) }) ?? .newer {
        case .newer where isEndOfSequence(lsa, key):
            direct.append(lsa.header)
            satisfyRequest(with: lsa.header, by: neighbor, at: now)
            // The neighbor does not have the restarted sequence. A new instance is originated, because otherwise late
            // acknowledgments of the current one would be counted.
            refreshOwn(key, at: now)
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
        // The neighbor described a later instance than this one, which is not newer than ours (RFC 2328 §13 (6)).
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
        // An implied acknowledgment (§13 (7a)); the backup acknowledges to the designated router anyway.
        let interface = interfaces[neighbor.interface]
        if interface.state(of: routerID) == .backup, neighbor.router == interface.designatedRouter {
            acknowledgeLater(lsa.header, on: neighbor.interface, at: now)
        }
    }

    private mutating func satisfyRequest(with header: LSAHeader, by neighbor: NeighborKey, at now: Instant) {
        let patience = interfaces[neighbor.interface].configuration.deadInterval * AdjacencyContext.exchangePatience
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

    /// Processes an LSA that is newer than ours (RFC 2328 §13 (5)).
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
            // Reported, and acknowledged so that it is not retransmitted forever.
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

    /// Whether an LSA is a late copy of the end of an own sequence that has restarted since (RFC 2328 §12.1.6). Its
    /// number makes it newer than the restarted sequence. Flushing it again could continue forever.
    private func isEndOfSequence(_ lsa: LSA, _ key: DatabaseKey) -> Bool {
        guard lsa.age >= LSAHeader.maxAge, lsa.header.sequenceNumber == LSAHeader.maxSequenceNumber,
            let own = origination.own[key], own.body != nil, own.sequenceRestarts > 0
        else { return false }
        return true
    }

    /// Whether the database has room for an instance. Growth of an LSA counts like a new LSA, and so do LSAs that
    /// others originate in our name. Only LSAs that this router itself wants always have room.
    private func hasRoom(for lsa: LSA, _ key: DatabaseKey, insteadOf old: LSA?) -> Bool {
        if origination.own[key]?.body != nil { return true }
        let octets = lsa.octets.count - (old?.octets.count ?? 0)
        return (old != nil || database.entries.count < configuration.limits.lsas)
            && (octets <= 0 || database.octetCount + octets <= configuration.limits.lsaOctets)
    }

    /// The neighbor has an older instance. Sends it ours, but not more often than every ``replyInterval``, and not while
    /// the sequence number of ours wraps (RFC 2328 §13 (8)).
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
