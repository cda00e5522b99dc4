import Addressing
import OSPFPacket
internal import Timing

/// Sending LSAs on (RFC 2328 §13.3, RFC 5340 §4.5.2).
extension Router {
    /// Where an LSA belongs in the database when it is on the link of an interface. Unknown types without the U-bit
    /// stay on their link (RFC 5340 §4.5.1).
    func databaseKey(_ key: LSAKey, on position: Int) -> DatabaseKey {
        let isLocal = key.type.scope == .linkLocal || !key.type.isFloodedWhenUnknown && !key.type.isKnown
        return DatabaseKey(interface: isLocal ? interfaces[position].index : 0, lsa: key)
    }

    /// Puts an LSA on the way to every neighbour that should have it. Returns whether it goes back out of the
    /// interface it came from, which then stands for an acknowledgment.
    @discardableResult
    mutating func flood(
        _ key: DatabaseKey, received: (position: Int, router: RouterID)? = nil, at now: Instant
    ) -> Bool {
        var floodedBack = false
        for position in interfaces.indices where key.interface == 0 || key.interface == interfaces[position].index {
            var isWanted = false
            for index in interfaces[position].neighbors.indices
            where needs(key, position, index, received: received, at: now) {
                queueRetransmission(of: key, position, index, at: now)
                isWanted = true
            }
            guard isWanted else { continue }
            if let received, received.position == position {
                // The designated router and its backup have sent, or will send, to all others (§13.3 (3), (4)).
                let interface = interfaces[position]
                let speakers = [interface.designatedRouter, interface.backupDesignatedRouter]
                if interface.isBroadcast, speakers.contains(received.router) { continue }
                if interface.state(of: routerID) == .backup { continue }
                floodedBack = true
            }
            interfaces[position].flood.append(key)
        }
        return floodedBack
    }

    /// Whether a neighbour lacks the installed instance (§13.3 (1)); what it has makes a request for it needless.
    private mutating func needs(
        _ key: DatabaseKey, _ position: Int, _ index: Int, received: (position: Int, router: RouterID)?,
        at now: Instant
    ) -> Bool {
        let neighbor = interfaces[position].neighbors[index]
        guard neighbor.state >= .exchange, let entry = database[key] else { return false }
        if neighbor.state < .full, let described = neighbor.requests[key.lsa] {
            let header = entry.header(at: now)
            satisfyRequest(with: header, position, index, at: now)
            guard header.recency(comparedTo: described) == .newer else { return false }
        }
        if let received, received.position == position, received.router == neighbor.routerID { return false }
        return true
    }

    mutating func queueRetransmission(
        of key: DatabaseKey, _ position: Int, _ index: Int, after delay: Duration? = nil, at now: Instant
    ) {
        let deadline = now + (delay ?? interfaces[position].configuration.retransmitInterval)
        if interfaces[position].neighbors[index].retransmissions.insert(key, deadline: deadline) {
            database.adjustUnacknowledged(key, by: 1)
        }
    }

    /// Takes an LSA off one neighbour's retransmission list; whether it was there.
    mutating func takeOffRetransmissions(_ key: DatabaseKey, _ position: Int, _ index: Int) -> Bool {
        guard interfaces[position].neighbors[index].retransmissions.remove(key) else { return false }
        database.adjustUnacknowledged(key, by: -1)
        return true
    }

    /// Takes an LSA off all retransmission lists, because another instance takes its place.
    mutating func takeOffAllRetransmissions(_ key: DatabaseKey) {
        guard let entry = database[key], entry.unacknowledged > 0 else { return }
        for position in interfaces.indices {
            for index in interfaces[position].neighbors.indices {
                _ = takeOffRetransmissions(key, position, index)
            }
        }
    }

    /// Sends what was queued, as far as the pace allows.
    mutating func sendFloods(at now: Instant) {
        for position in interfaces.indices where !interfaces[position].flood.isEmpty {
            if let next = interfaces[position].flood.nextSend, next > now { continue }
            let destination = floodDestination(position)
            while !interfaces[position].flood.isEmpty, interfaces[position].flood.takeToken(at: now) {
                sendQueuedUpdate(position, to: destination, at: now)
            }
        }
    }

    /// Sends one packet of the LSAs that have waited longest.
    mutating func sendQueuedUpdate(_ position: Int, to destination: IPv6Address, at now: Instant) {
        let configuration = interfaces[position].configuration
        var encoder = UpdateEncoder(header: packetHeader, mtu: configuration.mtu)
        while let key = interfaces[position].flood.first {
            if let entry = database[key] {
                let age = Int(entry.age(at: now)) + Int(configuration.transmitDelay)
                guard encoder.append(entry.lsa, age: age) else { break }
            }
            interfaces[position].flood.removeFirst()
        }
        guard !encoder.isEmpty else { return }
        let octets = encoder.finish(source: configuration.linkLocalAddress, destination: destination)
        send(octets, type: .linkStateUpdate, on: position, to: destination)
    }

    /// Sends LSAs to one neighbour, in as many packets as they need.
    mutating func sendUpdates(_ keys: [DatabaseKey], on position: Int, to destination: IPv6Address, at now: Instant) {
        let configuration = interfaces[position].configuration
        var encoder = UpdateEncoder(header: packetHeader, mtu: configuration.mtu)
        for key in keys {
            guard let entry = database[key] else { continue }
            let age = Int(entry.age(at: now)) + Int(configuration.transmitDelay)
            if !encoder.append(entry.lsa, age: age) {
                let octets = encoder.finish(source: configuration.linkLocalAddress, destination: destination)
                send(octets, type: .linkStateUpdate, on: position, to: destination)
                _ = encoder.append(entry.lsa, age: age)
            }
        }
        guard !encoder.isEmpty else { return }
        let octets = encoder.finish(source: configuration.linkLocalAddress, destination: destination)
        send(octets, type: .linkStateUpdate, on: position, to: destination)
    }

    /// Sends again what a neighbour has not acknowledged (RFC 2328 §13.6).
    mutating func retransmit(_ position: Int, _ index: Int, at now: Instant) {
        let interval = interfaces[position].configuration.retransmitInterval
        let due = interfaces[position].neighbors[index].retransmissions.takeDue(
            at: now, limit: Self.retransmissionBatch, interval: interval)
        // What still waits in the flood queue has not been sent for the first time.
        statistics.lsaRetransmissions += UInt64(due.count)
        sendUpdates(due, on: position, to: interfaces[position].neighbors[index].address, at: now)
    }
}
