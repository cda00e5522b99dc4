import Addressing
import OSPFPacket
internal import Timing

/// Flooding of LSAs (RFC 2328 §13.3, RFC 5340 §4.5.2).
extension Router {
    /// Adds an LSA to the retransmission lists of all neighbors that need it, and queues it on their interfaces (on the
    /// sender's only if it is flooded back). `sender` is the neighbor that the LSA was received from; `nil` for LSAs that this
    /// router originates or flushes. Returns whether the LSA is flooded back out of the sender's interface, which counts as an
    /// acknowledgment.
    @discardableResult
    mutating func flood(_ key: DatabaseKey, from sender: NeighborKey? = nil, at now: Instant) -> Bool {
        guard let header = database[key]?.header(at: now) else { return false }
        var floodedBack = false
        for index in interfaces.indices where key.interface == 0 || key.interface == index {
            let source = sender?.interface == index ? sender?.router : nil
            let (isNeeded, added) = interfaces[index].queue(key, header, from: source, at: now)
            if added > 0 { database.adjustUnacknowledged(key, by: added) }
            guard isNeeded else { continue }
            if let source {
                guard interfaces[index].floodsBack(from: source, by: routerID) else { continue }
                floodedBack = true
            }
            interfaces[index].flood.append(key)
        }
        return floodedBack
    }

    /// Removes an LSA from one neighbor's retransmission list. Returns whether it was there.
    mutating func removeFromRetransmissionList(_ key: DatabaseKey, of neighbor: NeighborKey) -> Bool {
        guard interfaces[neighbor].removeFromRetransmissionList(key) else { return false }
        database.adjustUnacknowledged(key, by: -1)
        return true
    }

    /// Removes an LSA from all retransmission lists, because another instance replaces it or it leaves the database.
    mutating func removeFromAllRetransmissionLists(_ key: DatabaseKey) {
        guard let entry = database[key], entry.unacknowledged > 0 else { return }
        for index in interfaces.indices {
            let count = interfaces[index].removeFromRetransmissionList(key)
            if count > 0 { database.adjustUnacknowledged(key, by: -count) }
        }
    }

    /// Sends queued LSAs, as far as the pacing allows.
    mutating func sendFloods(at now: Instant) {
        for index in interfaces.indices where !interfaces[index].flood.isEmpty {
            if let next = interfaces[index].flood.nextSend, next > now { continue }
            let destination = floodDestination(index)
            while !interfaces[index].flood.isEmpty, interfaces[index].flood.consumeToken(at: now) {
                sendQueuedUpdate(index, to: destination, at: now)
            }
        }
    }

    /// Sends one packet of the LSAs that have waited longest.
    mutating func sendQueuedUpdate(_ index: UInt32, to destination: IPv6Address, at now: Instant) {
        let configuration = interfaces[index].configuration
        // All neighbors get the same packets.
        let hasLosses = interfaces[index].neighbors.contains(where: \.usesSmallPackets)
        let mtu = hasLosses ? min(configuration.mtu, AdjacencyContext.smallestMTU) : configuration.mtu
        var encoder = UpdateEncoder(header: packetHeader, mtu: mtu)
        while let key = interfaces[index].flood.first {
            if let entry = database[key] {
                let age = Int(entry.age(at: now)) + Int(configuration.transmitDelay)
                guard encoder.append(entry.lsa, age: age) else { break }
            }
            interfaces[index].flood.removeFirst()
        }
        guard !encoder.isEmpty else { return }
        let octets = encoder.finish(source: configuration.linkLocalAddress, destination: destination)
        send(octets, type: .linkStateUpdate, on: index, to: destination)
    }

    /// Sends LSAs to one neighbor, in as many packets as needed.
    mutating func sendUpdates(_ keys: [DatabaseKey], to neighbor: NeighborKey, at now: Instant) {
        let address = interfaces[neighbor].address
        for octets in adjacencyContext(of: neighbor, at: now).updates(keys, of: database, to: address) {
            send(octets, type: .linkStateUpdate, on: neighbor.interface, to: address)
        }
    }
}

extension Interface {
    /// Whether an LSA from a neighbor is flooded back out of this interface for the others (RFC 2328 §13.3 (3), (4)). If
    /// the designated router or its backup sent it, the others have it too. If this router is the backup, the designated
    /// router floods it.
    fileprivate func floodsBack(from sender: RouterID, by router: RouterID) -> Bool {
        if isBroadcast, sender == designatedRouter || sender == backupDesignatedRouter { return false }
        return state(of: router) != .backup
    }

    /// Adds an LSA to the retransmission list of every neighbor that needs it. Returns whether any neighbor does, and how many
    /// of their lists did not have the LSA before.
    fileprivate mutating func queue(
        _ key: DatabaseKey, _ header: LSAHeader, from sender: RouterID?, at now: Instant
    ) -> (isNeeded: Bool, added: Int) {
        var isNeeded = false
        var added = 0
        let patience = configuration.deadInterval * AdjacencyContext.exchangePatienceInDeadIntervals
        for place in neighbors.indices {
            let isSender = neighbors[place].routerID == sender
            guard neighbors[place].needs(header, isSender: isSender, patience: patience, at: now) else { continue }
            isNeeded = true
            let delay =
                key.lsa.type == .grace
                ? min(Router.graceRetransmission, configuration.retransmitInterval) : configuration.retransmitInterval
            if neighbors[place].awaitAcknowledgment(of: key, after: delay, at: now) { added += 1 }
        }
        return (isNeeded, added)
    }

    /// Removes an LSA from the retransmission lists of all neighbors. Returns how many had it.
    fileprivate mutating func removeFromRetransmissionList(_ key: DatabaseKey) -> Int {
        var count = 0
        for place in neighbors.indices where neighbors[place].removeFromRetransmissionList(key) { count += 1 }
        return count
    }
}
