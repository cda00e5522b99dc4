import Addressing
import OSPFPacket
internal import Timing

/// Hellos (RFC 5340 §4.2.1.1, §4.2.2.1; RFC 2328 §9.5, §10.5).
extension Router {
    /// The minimum time between replacements of neighbors on one interface. Hellos that would replace a neighbor sooner are
    /// ignored. Every new neighbor address needs an entry in the kernel's neighbor table, which is small and shared by all
    /// interfaces. If that table is full, no packet can be sent, not even a hello.
    static let replacementDistance = Duration.milliseconds(50)

    mutating func sendHello(_ index: UInt32, at now: Instant) {
        let configuration = interfaces[index].configuration
        let hello = Hello(
            interfaceID: configuration.index, priority: configuration.priority, options: options,
            helloInterval: configuration.helloSeconds, deadInterval: configuration.deadSeconds,
            designatedRouter: interfaces[index].designatedRouter,
            backupDesignatedRouter: interfaces[index].backupDesignatedRouter,
            neighbors: interfaces[index].neighbors.lazy.filter(\.isListed).map(\.routerID))
        send(.hello(hello), on: index, to: .allSPFRouters)
        interfaces[index].lastHello = now
        interfaces[index].promptHello = nil
        if let moment = interfaces[index].correctingHello, moment <= now {
            interfaces[index].correctingHello = nil
        }
        // Up to a tenth of the interval is subtracted at random, so that routers that started together do not keep sending at
        // the same moment.
        interfaces[index].nextHello =
            now + configuration.helloInterval - random.duration(below: interfaces[index].helloSpread)
    }

    /// Sends a hello now, or as soon as ``promptHelloDistance`` since the last one is over, so that its receivers learn without
    /// delay what is new: that they are listed, for example, or who is designated.
    mutating func promptHello(_ index: UInt32, at now: Instant) {
        guard interfaces[index].promptHello == nil else { return }
        if let last = interfaces[index].lastHello, now < last + Self.promptHelloDistance {
            interfaces[index].promptHello = last + Self.promptHelloDistance
        } else {
            sendHello(index, at: now)
        }
    }

    mutating func receive(_ hello: Hello, from router: RouterID, at source: IPv6Address, on index: UInt32, now: Instant)
    {
        guard hasDistinctAddress(hello, from: router, at: source, on: index, now: now),
            helloAgrees(hello, from: router, on: index, at: now)
        else { return reject(.helloMismatch) }
        tryPointToPoint(index, after: hello, from: router, at: now)
        let neighbor = NeighborKey(interface: index, router: router)
        guard let isNew = makeNeighbor(neighbor, at: source, hello: hello, now: now) else { return }
        let interfaceIDChanged = interfaces[neighbor].interfaceID != hello.interfaceID
        // Only an election needs the neighbor as it was, so nothing is copied on point-to-point links.
        let old = isNew || !interfaces[index].isBroadcast ? nil : interfaces[neighbor]
        let deadInterval = interfaces[index].configuration.deadInterval
        interfaces[neighbor].update(from: hello, deadInterval: deadInterval, at: now)

        let isTwoWay = hello.neighbors.contains(routerID)
        if interfaces[neighbor].unresponsiveSince != nil {
            return receiveHello(ofUnresponsive: neighbor, isTwoWay: isTwoWay, at: now)
        }
        if !isTwoWay || isNew { promptHello(index, at: now) }
        if isTwoWay {
            // In other states, in which most hellos are received, the event has no effect.
            if interfaces[neighbor].state == .initial { neighborEvent(neighbor, .twoWayReceived, at: now) }
        } else {
            let fault = NeighborFault.notListed(among: hello.neighbors.count)
            neighborEvent(neighbor, .oneWayReceived, because: fault, at: now)
        }
        // With another interface ID, the neighbor is another machine or has booted again, and may not forward as before.
        if interfaceIDChanged {
            endHelping(neighbor, because: .replaced, at: now)
            releaseLink(neighbor, at: now)
        }
        electAgainIfNeeded(index, was: old, router: router, at: now)
    }

    /// Why a hello makes an `auto` link broadcast; `nil` if it does not.
    private func broadcastCause(
        _ hello: Hello, from router: RouterID, isKnown: Bool, on index: UInt32
    ) -> BroadcastCause? {
        if hello.designatedRouter != .none { return .election(by: router) }
        return isKnown || interfaces[index].neighbors.isEmpty ? nil : .secondNeighbor
    }

    /// Makes the sender a neighbor unless it is one. Before that, an `auto` interface becomes broadcast if the hello requires
    /// it, which removes all neighbors. Returns whether the neighbor is new; `nil` if the hello must be ignored because of
    /// ``RouterLimits/neighborsPerInterface`` or ``replacementDistance``.
    private mutating func makeNeighbor(
        _ key: NeighborKey, at source: IPv6Address, hello: Hello, now: Instant
    ) -> Bool? {
        let index = key.interface
        guard replaceOther(than: key, at: source, now: now) else { return nil }
        let isKnown = interfaces.contains(key)
        if interfaces[index].configuration.kind == .auto, !interfaces[index].isBroadcast,
            let cause = broadcastCause(hello, from: key.router, isKnown: isKnown, on: index)
        {
            becomeBroadcast(index, because: cause, at: now)
        } else if isKnown {
            return false
        }
        guard interfaces[index].neighbors.count < self.configuration.limits.neighborsPerInterface else {
            reject(.limit)
            refuse(because: .neighbors, at: now)
            return nil
        }
        let neighbor = Neighbor(
            routerID: key.router, interfaceID: hello.interfaceID, address: source, priority: hello.priority,
            options: hello.options, designatedRouter: hello.designatedRouter,
            backupDesignatedRouter: hello.backupDesignatedRouter, since: now,
            inactivityDeadline: now + interfaces[index].configuration.deadInterval,
            sequenceNumber: UInt32(truncatingIfNeeded: random.next()))
        let place = interfaces[index].neighbors.partitioningIndex { $0.routerID > key.router }
        interfaces[index].neighbors.insert(neighbor, at: place)
        notify(
            .neighborState(
                interface: index, neighbor: key.router, from: .down, to: .initial, reason: .helloReceived))
        return true
    }

    /// Removes the neighbor that the sender replaces, if there is one: the same router at another address, or another router at
    /// the same address. Returns `false` if the last replacement was too recent: the hello must be ignored.
    private mutating func replaceOther(than key: NeighborKey, at source: IPv6Address, now: Instant) -> Bool {
        let index = key.interface
        guard
            let known = interfaces[index].neighbors.first(where: {
                ($0.routerID == key.router) != ($0.address == source)
            })
        else { return true }
        if let last = interfaces[index].lastReplacement, now < last + Self.replacementDistance {
            reject(.limit)
            return false
        }
        interfaces[index].lastReplacement = now
        let fault: NeighborFault =
            known.routerID == key.router
            ? .address(was: known.address, is: source) : .routerID(was: known.routerID, is: key.router)
        let old = NeighborKey(interface: index, router: known.routerID)
        removeNeighbor(old, reason: .replaced, because: fault, at: now)
        neighborGone(index, at: now)
        return true
    }
}

extension Neighbor {
    fileprivate mutating func update(from hello: Hello, deadInterval: Duration, at now: Instant) {
        inactivityDeadline = now + deadInterval
        interfaceID = hello.interfaceID
        priority = hello.priority
        options = hello.options
        designatedRouter = hello.designatedRouter
        backupDesignatedRouter = hello.backupDesignatedRouter
    }
}

extension InterfaceConfiguration {
    /// HelloInterval in hellos, in whole seconds (rounded up), at least 1.
    var helloSeconds: UInt16 { Self.wireSeconds(helloInterval) }
    /// RouterDeadInterval in hellos, in whole seconds (rounded up), at least 1.
    var deadSeconds: UInt16 { Self.wireSeconds(deadInterval) }

    private static func wireSeconds(_ duration: Duration) -> UInt16 {
        UInt16(clamping: max(1, (duration.nanoseconds + 999_999_999) / 1_000_000_000))
    }
}
