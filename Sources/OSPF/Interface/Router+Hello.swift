import Addressing
import OSPFPacket
internal import Timing

/// Hellos (RFC 5340 §4.2.1.1, §4.2.2.1; RFC 2328 §9.5, §10.5).
extension Router {
    /// Neighbours of one interface are replaced at this distance at least; a hello that comes earlier is passed over.
    /// Whoever is new is spoken to at its address, and each address takes a place among the kernel's neighbours, which are
    /// few and those of all ports: without a place for it, no packet leaves, not even a hello.
    static let replacementDistance = Duration.milliseconds(50)

    mutating func sendHello(_ position: Int, at now: Instant) {
        let configuration = interfaces[position].configuration
        let hello = Hello(
            interfaceID: configuration.index, priority: configuration.priority, options: options,
            helloInterval: configuration.helloSeconds, deadInterval: configuration.deadSeconds,
            designatedRouter: interfaces[position].designatedRouter,
            backupDesignatedRouter: interfaces[position].backupDesignatedRouter,
            neighbors: interfaces[position].neighbors.map(\.routerID))
        send(.hello(hello), on: position, to: .allSPFRouters)
        interfaces[position].lastHello = now
        interfaces[position].promptHello = nil
        if let moment = interfaces[position].correctingHello, moment <= now {
            interfaces[position].correctingHello = nil
        }
        // A tenth of the interval is spread at random, always to the early side, so that routers started together do
        // not speak together for ever.
        interfaces[position].nextHello =
            now + configuration.helloInterval - random.duration(below: interfaces[position].helloSpread)
    }

    /// Has a hello sent now, or as soon as the distance to the last one allows: a new neighbour need not wait an
    /// interval to learn that it is heard.
    mutating func promptHello(_ position: Int, at now: Instant) {
        guard interfaces[position].promptHello == nil else { return }
        if let last = interfaces[position].lastHello, now < last + Self.promptHelloDistance {
            interfaces[position].promptHello = last + Self.promptHelloDistance
        } else {
            sendHello(position, at: now)
        }
    }

    mutating func receive(_ hello: Hello, from router: RouterID, at source: IPv6Address, on position: Int, now: Instant)
    {
        guard helloAgrees(hello, from: router, on: position, at: now) else { return reject(.helloMismatch) }
        tryPointToPoint(position, after: hello, from: router, at: now)
        guard let (index, isNew) = neighbor(for: router, at: source, hello: hello, on: position, now: now) else {
            return
        }
        let interfaceIDChanged = interfaces[position].neighbors[index].interfaceID != hello.interfaceID
        let old = isNew || !interfaces[position].isBroadcast ? nil : interfaces[position].neighbors[index]
        let deadInterval = interfaces[position].configuration.deadInterval
        interfaces[position].neighbors[index].take(hello, deadInterval: deadInterval, at: now)

        let hearsUs = hello.neighbors.contains(routerID)
        if !hearsUs || isNew { promptHello(position, at: now) }
        if hearsUs {
            neighborEvent(position, index, .twoWayReceived, at: now)
        } else {
            let fault = NeighborFault.notListed(among: hello.neighbors.count)
            neighborEvent(position, index, .oneWayReceived, because: fault, at: now)
        }
        // A neighbour whose interfaces have other numbers is another machine, or the same started anew.
        if interfaceIDChanged { releaseLink(position, index, at: now) }
        reconsiderElection(position, was: old, router: router, at: now)
    }

    /// What in a hello makes an `auto` link broadcast.
    private func broadcastCause(
        _ hello: Hello, from router: RouterID, isKnown: Bool, on position: Int
    ) -> BroadcastCause? {
        if hello.designatedRouter != .none { return .election(by: router) }
        return isKnown || interfaces[position].neighbors.isEmpty ? nil : .secondNeighbor
    }

    /// Finds the sender among the neighbours, or makes it one. `nil` when there are too many.
    private mutating func neighbor(
        for router: RouterID, at source: IPv6Address, hello: Hello, on position: Int, now: Instant
    ) -> (index: Int, isNew: Bool)? {
        // The same router at another address, or another router at the same: the old conversation is over.
        if let index = interfaces[position].neighbors.firstIndex(where: {
            ($0.routerID == router) != ($0.address == source)
        }) {
            if let last = interfaces[position].lastReplacement, now < last + Self.replacementDistance {
                reject(.limit)
                return nil
            }
            interfaces[position].lastReplacement = now
            let known = interfaces[position].neighbors[index]
            let fault: NeighborFault =
                known.routerID == router
                ? .address(was: known.address, is: source) : .routerID(was: known.routerID, is: router)
            removeNeighbor(position, index, reason: .replaced, because: fault, at: now)
            neighborGone(position, at: now)
        }
        let known = interfaces[position].neighborIndex(of: router)
        let configuration = interfaces[position].configuration
        if configuration.kind == .auto, !interfaces[position].isBroadcast,
            let cause = broadcastCause(hello, from: router, isKnown: known != nil, on: position)
        {
            becomeBroadcast(position, because: cause, at: now)
        } else if let known {
            return (known, false)
        }
        guard interfaces[position].neighbors.count < self.configuration.limits.neighborsPerInterface else {
            reject(.limit)
            tellOnce(.neighbors)
            return nil
        }
        let neighbor = Neighbor(
            routerID: router, interfaceID: hello.interfaceID, address: source, priority: hello.priority,
            options: hello.options, designatedRouter: hello.designatedRouter,
            backupDesignatedRouter: hello.backupDesignatedRouter, since: now,
            inactivityDeadline: now + configuration.deadInterval,
            sequenceNumber: UInt32(truncatingIfNeeded: random.next()))
        let index =
            interfaces[position].neighbors.firstIndex { $0.routerID > router }
            ?? interfaces[position].neighbors.endIndex
        interfaces[position].neighbors.insert(neighbor, at: index)
        tellState(position, neighbor, from: .down, to: .initial, reason: .helloReceived)
        return (index, true)
    }
}

extension Neighbor {
    fileprivate mutating func take(_ hello: Hello, deadInterval: Duration, at now: Instant) {
        inactivityDeadline = now + deadInterval
        interfaceID = hello.interfaceID
        priority = hello.priority
        options = hello.options
        designatedRouter = hello.designatedRouter
        backupDesignatedRouter = hello.backupDesignatedRouter
    }
}

extension InterfaceConfiguration {
    /// HelloInterval on the wire, at least 1.
    var helloSeconds: UInt16 { Self.wireSeconds(helloInterval) }
    /// RouterDeadInterval on the wire, at least 1.
    var deadSeconds: UInt16 { Self.wireSeconds(deadInterval) }

    private static func wireSeconds(_ duration: Duration) -> UInt16 {
        UInt16(clamping: max(1, (duration.nanoseconds + 999_999_999) / 1_000_000_000))
    }
}
