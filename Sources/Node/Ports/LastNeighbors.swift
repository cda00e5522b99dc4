internal import Addressing
internal import OSPF
internal import Timing

/// The last neighbor on each port, to describe ports without one.
struct LastNeighbors: Sendable {
    /// A port without neighbors.
    struct Silence: Hashable, Sendable {
        /// Since when: the port came up, or the neighbor was lost.
        var since: Instant
        /// The last neighbor, also from before the port went down; `nil` if none was lost since the device was added or the
        /// node started.
        var last: LastNeighbor?
        /// Whether the last neighbor's hellos have failed to come for the dead interval: there is nothing more to wait for.
        var isCertain = false
    }

    /// A neighbor that was lost.
    struct LastNeighbor: Hashable, Sendable {
        var routerID: RouterID
        var lost: Instant
    }

    /// By interface index. Also for ports that have a neighbor; their entries are not read.
    private var ports: [UInt32: Silence] = [:]

    /// Notes that a port came up.
    mutating func opened(_ interface: UInt32, at now: Instant) {
        ports[interface] = Silence(since: now, last: ports[interface]?.last)
    }

    /// Notes that a port was removed.
    mutating func removed(_ interface: UInt32) { ports[interface] = nil }

    /// Notes that a neighbor was lost, by its silence (the inactivity timer, RFC 2328 §10.3) or otherwise.
    mutating func lost(_ neighbor: RouterID, on interface: UInt32, bySilence: Bool, at now: Instant) {
        ports[interface] = Silence(
            since: now, last: LastNeighbor(routerID: neighbor, lost: now), isCertain: bySilence)
    }

    /// Since when a port without neighbors has had none, and the last one; `nil` for a port that never came up and, unless the
    /// last one was lost by its silence, for less than two dead intervals, in which a neighbor may still appear. The caller
    /// checks that the port has no neighbor.
    func silence(of interface: InterfaceConfiguration, at now: Instant) -> Silence? {
        guard let silence = ports[interface.index],
            silence.isCertain || now - silence.since >= interface.deadInterval * 2
        else { return nil }
        return silence
    }
}
