internal import Addressing
internal import Timing

/// The multicast groups that could not be joined. A port without its groups receives no hellos. Joining is tried again until it
/// works or is not wanted any more.
struct MembershipTable: Sendable {
    /// The groups that could not be joined, with the reasons.
    private var missing: [Membership: String] = [:]
    /// The groups that are joined, or about to be.
    private var wanted: Set<Membership> = []
    /// When joining the missing groups is tried again; `nil` if none is missing.
    private(set) var nextDeadline: Instant?

    /// Short, because a port hears no router until then, and joining costs little.
    private static let retryInterval = Duration.seconds(2)

    /// The missing groups and the reasons, by port and group.
    var problems: [(membership: Membership, reason: String)] {
        missing.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Notes that a group is about to be joined or left.
    mutating func want(_ membership: Membership, _ joined: Bool) {
        if joined {
            wanted.insert(membership)
        } else {
            wanted.remove(membership)
            missing[membership] = nil
        }
        if missing.isEmpty { nextDeadline = nil }
    }

    /// All groups that are wanted, by port and group.
    var all: [Membership] { wanted.sorted() }

    /// Records the outcome of joining. Returns whether it differs from the last one.
    mutating func record(_ failure: String?, of membership: Membership, at now: Instant) -> Bool {
        defer { if missing.isEmpty { nextDeadline = nil } }
        guard let failure else { return missing.removeValue(forKey: membership) != nil }
        nextDeadline = nextDeadline ?? now + Self.retryInterval
        return missing.updateValue(failure, forKey: membership) == nil
    }

    /// The groups whose joining must be tried again now. The caller does that.
    mutating func takeDue(at now: Instant) -> [Membership] {
        guard let deadline = nextDeadline, deadline <= now else { return [] }
        nextDeadline = now + Self.retryInterval
        return missing.keys.sorted()
    }
}

extension MeshNode {
    mutating func receive(_ failure: String?, of membership: Membership, at now: Instant) {
        guard memberships.record(failure, of: membership, at: now) else { return }
        let port = name(ofInterface: membership.interface)
        if let failure {
            log(.error, "cannot join the OSPF multicast groups on \(port): \(failure)")
        } else {
            log(.notice, "joined the OSPF multicast groups on \(port)")
        }
    }
}
