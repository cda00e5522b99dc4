internal import Addressing
internal import OSPF
internal import Timing

/// The last neighbor on each port, to describe ports without one.
struct LastHeard: Sendable {
    /// A port without neighbors.
    struct Silence: Hashable, Sendable {
        /// Since when.
        var since: Instant
        /// The last neighbor; `nil` if there was none since the port came up.
        var neighbor: RouterID?
    }

    private var ports: [UInt32: Silence] = [:]

    /// A port came up.
    mutating func opened(_ interface: UInt32, at now: Instant) {
        ports[interface] = Silence(since: now, neighbor: ports[interface]?.neighbor)
    }

    /// A port was removed.
    mutating func removed(_ interface: UInt32) { ports[interface] = nil }

    /// A neighbor was lost.
    mutating func lost(_ neighbor: RouterID, on interface: UInt32, at now: Instant) {
        ports[interface] = Silence(since: now, neighbor: neighbor)
    }

    /// Since when a port that is up has had no neighbor, if that is longer than a neighbor needs to appear.
    func silence(of interface: InterfaceConfiguration, at now: Instant) -> Silence? {
        guard let silence = ports[interface.index], now - silence.since >= interface.deadInterval * 2 else {
            return nil
        }
        return silence
    }
}
