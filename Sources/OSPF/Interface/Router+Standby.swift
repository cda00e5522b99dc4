import Addressing
import OSPFPacket
internal import Timing

/// Several interfaces of this router on one link (RFC 5340 §4.9). Neighbors identify a router by its ID and use one
/// address, so one interface, the active one, acts for the router. The others are on standby: they send nothing, have
/// no neighbors, are not announced, and one of them takes over when the active one fails.
///
/// An interface goes on standby when it receives a hello of another one that is preferred. For other routers it makes no
/// difference which interface is active. So the one that has neighbors in 2-Way or higher is preferred; if neither or both
/// have, the one with the lower index.
extension Router {
    /// How long a new interface listens before its first hello if other interfaces of this router have neighbors: the new one
    /// may be on the link of one of these, and a hello from a second address would end the adjacencies there. Within this
    /// time it receives the hello of ``sendHellosForNewInterface(at:)`` that shows this.
    static let listeningTime = Duration.milliseconds(10)

    /// Sends hellos on all interfaces that have a neighbor in 2-Way or higher. Returns whether there are such interfaces: the
    /// new one must then listen first.
    mutating func sendHellosForNewInterface(at now: Instant) -> Bool {
        let others = interfaces.indices.filter { interfaces[$0].hasTwoWayNeighbor }
        for other in others { promptHello(other, at: now) }
        return !others.isEmpty
    }

    /// The interface of this router that sent a hello with our router ID; `nil` if no interface has the interface ID and the
    /// source address of the hello, so that another router seems to have sent it.
    func ownSender(of hello: Hello, from source: IPv6Address) -> UInt32? {
        let index = hello.interfaceID
        guard interfaces.contains(index), interfaces[index].configuration.linkLocalAddress == source else { return nil }
        return index
    }

    /// An interface has received a hello of an interface of this router. If it is another one, both are on one link.
    mutating func receivedOwnHello(_ sender: UInt32, on index: UInt32, at now: Instant) {
        // The sender may have changed to standby since it sent the hello.
        guard sender != index, !interfaces[sender].isSilent else { return }
        switch interfaces[index].mode {
        case .passive: break
        case .standby: interfaces[index].mode = standbyMode(for: sender, at: now)
        case .pointToPoint, .waiting, .elected:
            // If this interface is preferred, the sender stands by when it receives a hello of this one. An interface stands by
            // only for hellos that it receives itself, so a forged hello silences no other interface.
            if isPreferred(sender, to: index) { standBy(index, for: sender, at: now) }
        }
    }

    /// Whether the first of two interfaces on one link should be the active one.
    private func isPreferred(_ one: UInt32, to other: UInt32) -> Bool {
        let (one, other) = (interfaces[one], interfaces[other])
        return one.hasTwoWayNeighbor != other.hasTwoWayNeighbor ? one.hasTwoWayNeighbor : one.index < other.index
    }

    private func standbyMode(for active: UInt32, at now: Instant) -> Interface.Mode {
        .standby(for: active, until: now + interfaces[active].configuration.deadInterval)
    }

    private mutating func standBy(_ index: UInt32, for active: UInt32, at now: Instant) {
        removeNeighbors(index, reason: .standby, at: now)
        removeLinkLSAs(index, at: now)
        interfaces[index].becomeStandby()
        setMode(index, standbyMode(for: active, at: now), at: now)
        notify(.standby(interface: index, active: active))
        // Neighbors that have just received a hello of this interface ignore those of the active one, from another address,
        // for `replacementDistance`. 10 ms more are enough for the packets' way.
        interfaces[active].correctingHello = now + Self.replacementDistance + .milliseconds(10)
    }

    /// An interface went down or became passive: the first of those on standby for it takes over, the others stand by for that
    /// one.
    mutating func takeOver(from index: UInt32, at now: Instant) {
        let onStandby = interfaces.indices.filter { interfaces[$0].activeInterface == index }
        guard let next = onStandby.first else { return }
        for other in onStandby.dropFirst() { interfaces[other].mode = standbyMode(for: next, at: now) }
        leaveStandby(next, at: now)
    }

    /// An interface leaves standby: no hello of the active one was received for that one's dead interval, or that one went
    /// down or became passive.
    mutating func leaveStandby(_ index: UInt32, at now: Instant) {
        setMode(index, initialMode(interfaces[index].configuration, at: now), at: now)
        sendHello(index, at: now)
    }
}

extension Interface {
    /// The active interface that this one is on standby for; `nil` if it is not on standby.
    var activeInterface: UInt32? {
        if case .standby(let active, _) = mode { active } else { nil }
    }

    /// Whether it has a neighbor in state 2-Way or higher.
    fileprivate var hasTwoWayNeighbor: Bool { neighbors.contains { $0.state >= .twoWay } }

    /// Drops everything that waits to be sent.
    fileprivate mutating func becomeStandby() {
        flood.removeAll()
        delayedAcknowledgments.removeAll()
        acknowledgmentDeadline = nil
        promptHello = nil
        correctingHello = nil
    }
}
