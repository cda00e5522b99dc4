internal import Addressing
internal import Links
internal import Linux
internal import Logging
internal import Netlink
internal import OSPF
internal import Timing

// The multicast groups by which ports are heard.

/// A multicast group on a port.
struct Membership: Hashable, Sendable {
    var interface: UInt32
    var group: IPv6Address
}

extension MeshAgent {
    /// How long until a group is tried again that could not be joined.
    private static let membershipRetry = Duration.seconds(2)

    /// Joins a group or leaves it. One that cannot be joined, mostly for want of descriptors, is tried again until it can be
    /// or is wanted no more: the port is deaf meanwhile.
    func setMembership(_ membership: Membership, joined: Bool) {
        guard let sockets = routing?.sockets else { return }
        let port = interfaces.ports[membership.interface]?.link.name ?? "if\(membership.interface)"
        do {
            try sockets.setMembership(interface: membership.interface, group: membership.group, joined: joined)
            if missingGroups.removeValue(forKey: membership) != nil, joined { tell(.notice, "port \(port) is heard") }
        } catch {
            guard joined else {
                missingGroups[membership] = nil
                return tell(.warning, "\(error)")
            }
            if missingGroups[membership] == nil { tell(.error, "port \(port) cannot be heard: \(error)") }
            missingGroups[membership] = "port \(port) cannot be heard: \(error)"
            membershipDeadline = EventLoop.now + Self.membershipRetry
        }
        if missingGroups.isEmpty { membershipDeadline = nil }
        scheduleHousekeeping()
    }

    /// Tries again what could not be joined.
    func retryMemberships(at now: Instant) {
        guard let deadline = membershipDeadline, deadline <= now else { return }
        membershipDeadline = now + Self.membershipRetry
        for membership in missingGroups.keys { setMembership(membership, joined: true) }
    }
}
