internal import Addressing
internal import OSPF
internal import Timing

/// Who was last heard on each port, and when: what can be said of a port on which nobody is heard now.
struct LastHeard: Sendable {
    /// That nobody has been heard for a while.
    struct Silence: Hashable, Sendable {
        /// Since when.
        var since: Instant
        /// Who was there before; `nil` if nobody was since the port came up.
        var neighbor: RouterID?
    }

    private var ports: [UInt32: Silence] = [:]

    /// A port came up.
    mutating func opened(_ interface: UInt32, at now: Instant) {
        ports[interface] = Silence(since: now, neighbor: ports[interface]?.neighbor)
    }

    /// A port is gone.
    mutating func removed(_ interface: UInt32) { ports[interface] = nil }

    /// A neighbour was lost on a port.
    mutating func lost(_ neighbor: RouterID, on interface: UInt32, at now: Instant) {
        ports[interface] = Silence(since: now, neighbor: neighbor)
    }

    /// How long nobody has been heard on a port that is up, if that is longer than a neighbour may take to be heard.
    func silence(of interface: InterfaceConfiguration, at now: Instant) -> Silence? {
        guard let silence = ports[interface.index], now - silence.since >= interface.deadInterval * 2 else {
            return nil
        }
        return silence
    }
}
