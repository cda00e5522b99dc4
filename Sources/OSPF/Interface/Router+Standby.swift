import Addressing
import OSPFPacket
internal import Timing

/// Several interfaces of this router on one link (RFC 5340 §4.9). Neighbors identify a router by its ID and use one
/// address, so one interface, the active one, acts for the router. The others are on standby: they send nothing, have
/// no neighbors, are not announced, and take over when the active one fails.
///
/// An interface detects this when it receives a hello of its own router. The choice of the active one concerns only
/// this router, so the current one stays active, regardless of its index.
extension Router {
    /// How long a new interface listens before its first hello if other interfaces of this router have neighbors: it
    /// may be on the link of one of these, and a hello from a second interface would end the adjacency with them.
    static let listeningTime = Duration.milliseconds(10)

    /// Sends hellos on all interfaces that have two-way neighbors. Returns whether there are any, so that the new interface
    /// must listen first.
    mutating func sendHellosForNewInterface(at now: Instant) -> Bool {
        let others = interfaces.indices.filter { interfaces[$0].hasTwoWayNeighbor }
        for other in others { promptHello(other, at: now) }
        return !others.isEmpty
    }

    /// The interface of this router that sent a hello with its own router ID; `nil` if another router sent the hello.
    func ownSender(of hello: Hello, from source: IPv6Address) -> UInt32? {
        let index = hello.interfaceID
        guard interfaces.contains(index), interfaces[index].configuration.linkLocalAddress == source else { return nil }
        return index
    }

    /// An interface has received a hello of another interface of this router, so both are on one link.
    mutating func receivedOwnHello(_ sender: UInt32, on index: UInt32, at now: Instant) {
        // The sender may have changed to standby since it sent the hello.
        guard sender != index, !interfaces[sender].isSilent else { return }
        switch interfaces[index].mode {
        case .passive: break
        case .standby: interfaces[index].mode = standbyMode(for: sender, at: now)
        case .pointToPoint, .waiting, .elected:
            // The sender does the same when it receives our hello. A forged hello silences only the interface that receives it.
            if isPreferred(sender, to: index) { standBy(index, for: sender, at: now) }
        }
    }

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
        // Neighbors that have just received a hello of this interface may ignore those of the active one for that time.
        interfaces[active].correctingHello = now + Self.replacementDistance + .milliseconds(10)
    }

    /// An interface failed or stopped: one on standby for it takes over.
    mutating func takeOver(from index: UInt32, at now: Instant) {
        let waiting = interfaces.indices.filter { interfaces[$0].activeInterface == index }
        guard let next = waiting.first else { return }
        for other in waiting.dropFirst() { interfaces[other].mode = standbyMode(for: next, at: now) }
        leaveStandby(next, at: now)
    }

    /// An interface leaves standby.
    mutating func leaveStandby(_ index: UInt32, at now: Instant) {
        setMode(index, initialMode(interfaces[index].configuration, at: now), at: now)
        sendHello(index, at: now)
    }
}

extension Interface {
    /// The active interface that this one is on standby for.
    var activeInterface: UInt32? {
        if case .standby(let active, _) = mode { active } else { nil }
    }

    /// Whether it has bidirectional communication with a neighbor.
    fileprivate var hasTwoWayNeighbor: Bool { neighbors.contains { $0.state >= .twoWay } }

    /// Drops whatever was to be sent.
    fileprivate mutating func becomeStandby() {
        flood.removeAll()
        delayedAcknowledgments.removeAll()
        acknowledgmentDeadline = nil
        promptHello = nil
        correctingHello = nil
    }
}
