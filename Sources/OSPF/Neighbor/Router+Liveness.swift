public import Addressing
internal import Timing

/// What something other than hellos tells of a neighbor (RFC 5882). A neighbor that does not answer is out of use at once: it
/// falls back to Init, its hellos are heard but do not change that, and ours do not list it, so that it learns, unless it learns by
/// itself. On a cable that carries packets one way only, hellos of one side arrive for ever.
extension Router {
    mutating func setLiveness(of address: IPv6Address, on index: UInt32, isAlive: Bool, isListed: Bool, at now: Instant)
    {
        guard interfaces.contains(index),
            let known = interfaces[index].neighbors.first(where: { $0.address == address }),
            (known.unresponsiveSince == nil) != isAlive || known.isListed != (isAlive || isListed)
        else { return }
        let neighbor = NeighborKey(interface: index, router: known.routerID)
        interfaces[neighbor].isListed = isAlive || isListed
        promptHello(index, at: now)
        guard (known.unresponsiveSince == nil) != isAlive else { return }
        interfaces[neighbor].listsUs = nil
        if isAlive {
            interfaces[neighbor].unresponsiveSince = nil
        } else {
            interfaces[neighbor].unresponsiveSince = now
            endHelping(neighbor, because: .unresponsive, at: now)
            if interfaces[neighbor].held != nil { releaseLink(neighbor, at: now) }
            neighborEvent(neighbor, .unresponsive, because: .unresponsive, at: now)
            electAgainIfNeeded(index, was: known, router: known.routerID, at: now)
        }
    }

    /// Processes the hello of a neighbor that does not answer. One that hears us lists us in all of its hellos. If it has for
    /// longer than the dead interval, the notice says so: over a dead cable, or one that loses most packets, it cannot.
    ///
    /// One that does not list us may have judged us in the same way, because echo requests are dropped at both ends. Neither could prove
    /// anything then, so after the dead interval our hellos list it again.
    mutating func receiveHello(ofUnresponsive neighbor: NeighborKey, isTwoWay: Bool, at now: Instant) {
        let configuration = interfaces[neighbor.interface].configuration
        guard isTwoWay else {
            interfaces[neighbor].listsUs = nil
            if let since = interfaces[neighbor].unresponsiveSince, now - since >= configuration.deadInterval {
                interfaces[neighbor].isListed = true
            }
            return
        }
        let gap = Duration.nanoseconds(configuration.helloInterval.nanoseconds * 3 / 2)
        let since = interfaces[neighbor].listsUs.flatMap { now - $0.last <= gap ? $0.since : nil } ?? now
        interfaces[neighbor].listsUs = (since, now)
        let proof = configuration.deadInterval + configuration.helloInterval
        guard now - since >= proof else { return }
        notify(
            .unresponsiveNeighborHearsUs(
                interface: neighbor.interface, address: interfaces[neighbor].address,
                isCertain: now - since >= proof * 3))
    }

    /// Whether we help a neighbor to restart.
    public func isHelping(_ address: IPv6Address, on index: UInt32) -> Bool {
        interfaces.contains(index)
            && interfaces[index].neighbors.contains { $0.address == address && $0.restart != nil }
    }

    /// The neighbors that may be asked whether they are alive: those that have heard us at least once.
    public var askableNeighbors: [(interface: UInt32, address: IPv6Address, source: IPv6Address, isBroadcast: Bool)] {
        interfaces.flatMap { interface in
            interface.neighbors.filter { $0.stateChanges > 0 }.map {
                (interface.index, $0.address, interface.configuration.linkLocalAddress, interface.isBroadcast)
            }
        }
    }
}
