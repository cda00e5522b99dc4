import Addressing
import OSPFPacket
internal import Timing

/// Several interfaces of this router on one link (RFC 5340 §4.9). Neighbors know a router by its ID and talk to one
/// address, so one interface, the active one, speaks for the router. The others stand by: they send nothing, have no
/// neighbors and are not announced, and take over when the active one is gone or is heard no more.
///
/// An interface finds out by hearing a hello of its own router. Which one is active is a matter of this router alone, so
/// the one in use stays in use, whatever its number.
extension Router {
    /// So long a new interface listens before its first hello, where others of this router have neighbors: the link may
    /// be one of theirs, and a hello out of a second interface would end the conversation with them.
    static let listeningTime = Duration.milliseconds(10)

    /// Whether an interface that comes up has to listen first. The others speak at once, so that it hears them.
    mutating func speakBeforeNewInterface(at now: Instant) -> Bool {
        let others = interfaces.indices.filter { interfaces[$0].hasConversation }
        for other in others { promptHello(other, at: now) }
        return !others.isEmpty
    }

    /// The interface of this router that a hello with its own router ID came out of; `nil` for a hello of another router.
    func ownSender(of hello: Hello, from source: IPv6Address) -> UInt32? {
        let index = hello.interfaceID
        guard interfaces.contains(index), interfaces[index].configuration.linkLocalAddress == source else { return nil }
        return index
    }

    /// An interface has heard a hello of another interface of this router, so both are on one link.
    mutating func heardOwnInterface(_ sender: UInt32, on index: UInt32, at now: Instant) {
        // What a port said before it stood by may still be on its way.
        guard sender != index, !interfaces[sender].isSilent else { return }
        switch interfaces[index].mode {
        case .passive: break
        case .standby: interfaces[index].mode = standbyMode(for: sender, at: now)
        case .pointToPoint, .waiting, .elected:
            // The other hears this one as well. Nobody on one link can silence the interface of another.
            if isPreferred(sender, to: index) { standBy(index, for: sender, at: now) }
        }
    }

    private func isPreferred(_ one: UInt32, to other: UInt32) -> Bool {
        let (one, other) = (interfaces[one], interfaces[other])
        return one.hasConversation != other.hasConversation ? one.hasConversation : one.index < other.index
    }

    private func standbyMode(for active: UInt32, at now: Instant) -> Interface.Mode {
        .standby(for: active, until: now + interfaces[active].configuration.deadInterval)
    }

    private mutating func standBy(_ index: UInt32, for active: UInt32, at now: Instant) {
        removeNeighbors(index, reason: .standby, at: now)
        forgetLink(index, at: now)
        interfaces[index].becomeSilent()
        setMode(index, standbyMode(for: active, at: now), at: now)
        tell(.standby(interface: index, active: active))
        // Neighbors that have just taken this interface for the router's only one do not take another at once.
        interfaces[active].correctingHello = now + Self.replacementDistance + .milliseconds(10)
    }

    /// An interface is gone or speaks no more: one of those that stand by for it takes its place.
    mutating func takeOver(from index: UInt32, at now: Instant) {
        let waiting = interfaces.indices.filter { interfaces[$0].activeInterface == index }
        guard let next = waiting.first else { return }
        for other in waiting.dropFirst() { interfaces[other].mode = standbyMode(for: next, at: now) }
        leaveStandby(next, at: now)
    }

    /// An interface that stands by speaks for itself from now on.
    mutating func leaveStandby(_ index: UInt32, at now: Instant) {
        setMode(index, initialMode(interfaces[index].configuration, at: now), at: now)
        sendHello(index, at: now)
    }
}

extension Interface {
    /// The interface that speaks for this one, while this one stands by.
    var activeInterface: UInt32? {
        if case .standby(let active, _) = mode { active } else { nil }
    }

    /// Whether a neighbor hears it.
    fileprivate var hasConversation: Bool { neighbors.contains { $0.state >= .twoWay } }

    /// Drops whatever was to be sent.
    fileprivate mutating func becomeSilent() {
        flood.removeAll()
        delayedAcknowledgments.removeAll()
        acknowledgmentDeadline = nil
        promptHello = nil
        correctingHello = nil
    }
}
