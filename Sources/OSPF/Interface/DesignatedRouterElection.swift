import Addressing

/// The election of the designated router and its backup (RFC 2328 §9.4), as a function of the hellos of all routers on
/// the link.
enum DesignatedRouterElection {
    /// The elected routers; ``RouterID/none`` for no router.
    struct Outcome: Hashable, Sendable {
        var designated: RouterID
        var backup: RouterID
    }

    /// This router, or a neighbor in state 2-Way or higher.
    struct Candidate: Hashable, Sendable {
        var routerID: RouterID
        var priority: UInt8
        /// The designated router and the backup in its hellos. A router claims a role by naming itself.
        var designated: RouterID
        var backup: RouterID
    }

    /// Elects among all candidates, of which `own` is this router. Steps 2 and 3 run again when this router's own role
    /// changes (step 4), so that no router is both designated and backup.
    static func elect(own: Candidate, others: [Candidate]) -> Outcome {
        let first = round(others + [own])
        let changed =
            (first.designated == own.routerID) != (own.designated == own.routerID)
            || (first.backup == own.routerID) != (own.backup == own.routerID)
        guard changed else { return first }
        var again = own
        again.designated = first.designated
        again.backup = first.backup
        return round(others + [again])
    }

    /// Steps 2 and 3 of RFC 2328 §9.4.
    private static func round(_ candidates: [Candidate]) -> Outcome {
        let eligible = candidates.filter { $0.priority > 0 }
        func best(_ among: [Candidate]) -> RouterID? {
            among.max { ($0.priority, $0.routerID) < ($1.priority, $1.routerID) }?.routerID
        }
        // Those that do not claim to be designated.
        let notDesignated = eligible.filter { $0.designated != $0.routerID }
        let backup = best(notDesignated.filter { $0.backup == $0.routerID }) ?? best(notDesignated) ?? .none
        guard let designated = best(eligible.filter { $0.designated == $0.routerID }) else {
            // No router claims to be designated: the backup is promoted. The second round, or a later election, chooses a new
            // backup.
            return Outcome(designated: backup, backup: .none)
        }
        return Outcome(designated: designated, backup: backup)
    }
}
