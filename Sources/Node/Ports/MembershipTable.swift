internal import Addressing
internal import Timing

/// The multicast groups that the router wants, and those of them that could not be joined. Without AllSPFRouters (`ff02::5`) a
/// port receives no hellos. Without AllDRouters (`ff02::6`), which is for the designated router and its backup, it misses LSAs
/// of the other routers. Joining a group is tried again until it works or the router does not want the group any more.
struct MembershipTable: Sendable {
    /// The groups that the last attempt could not join, with the reasons.
    private var missing: [Membership: String] = [:]
    /// All groups that the router wants, those in ``missing`` included.
    private var wanted: Set<Membership> = []
    /// When joining the missing groups is tried again; `nil` if none is missing.
    private(set) var nextDeadline: Instant?

    /// Short, because a port without its groups misses hellos or LSAs, and joining costs little.
    private static let retryInterval = Duration.seconds(2)

    /// The missing groups and the reasons, by port and group.
    var problems: [(membership: Membership, reason: String)] {
        missing.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Notes that the router wants a group (`joined`), or not any more.
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

    /// Records the outcome of joining a group: the reason for the failure, or `nil` for success. Returns whether it is the
    /// first failure, or the first success after one.
    mutating func record(_ failure: String?, of membership: Membership, at now: Instant) -> Bool {
        defer { if missing.isEmpty { nextDeadline = nil } }
        guard let failure else { return missing.removeValue(forKey: membership) != nil }
        // The port may be gone since the attempt.
        guard wanted.contains(membership) else { return false }
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
    /// Handles the outcome of joining a group.
    mutating func receive(_ failure: String?, of membership: Membership, at now: Instant) {
        guard memberships.record(failure, of: membership, at: now) else { return }
        let port = name(ofInterface: membership.interface)
        if let failure {
            log(.error, "cannot join the multicast group \(membership.group) on \(port): \(failure)")
        } else {
            log(.notice, "joined the multicast group \(membership.group) on \(port)")
        }
    }
}
