import Addressing
import Testing

@testable import OSPF

/// RFC 2328 §9.4, as one router calculates it from its own state and the hellos of the others.
@Suite struct DesignatedRouterElectionTests {
    private typealias Candidate = DesignatedRouterElection.Candidate

    /// A router and whom its hellos name as designated router and backup; 0 is nobody.
    private func candidate(_ id: UInt32, priority: UInt8 = 1, designated: UInt32 = 0, backup: UInt32 = 0) -> Candidate {
        Candidate(
            routerID: RouterID(id), priority: priority, designated: RouterID(designated), backup: RouterID(backup))
    }

    /// The router IDs of the designated router and the backup, as `own` elects them.
    private func elect(_ own: Candidate, _ others: Candidate...) -> [UInt32] {
        let outcome = DesignatedRouterElection.elect(own: own, others: others)
        return [outcome.designated.rawValue, outcome.backup.rawValue]
    }

    @Test func theHighestPriorityWinsThenTheHighestID() {
        #expect(elect(candidate(1), candidate(2), candidate(3))[0] == 3)
        #expect(elect(candidate(1, priority: 9), candidate(2), candidate(3)) == [1, 3])
    }

    @Test func anElectedRouterIsNotReplacedByOneOfHigherPriority() {
        // 1 and 2 are designated router and backup; 9 comes with the highest priority of all.
        let own = candidate(9, priority: 200)
        #expect(
            elect(own, candidate(1, designated: 1, backup: 2), candidate(2, designated: 1, backup: 2)) == [1, 2])
    }

    @Test func theBackupBecomesDesignatedRouterAndANewBackupIsElected() {
        // Designated router 1 is gone. Its backup 2 becomes designated router, and 3 the backup.
        #expect(elect(candidate(2, designated: 1, backup: 2), candidate(3, designated: 1, backup: 2)) == [2, 3])
        // The same election by 3: 2 becomes designated router. The backup may still be open until the next hello of 2.
        #expect(elect(candidate(3, designated: 1, backup: 2), candidate(2, designated: 1, backup: 2))[0] == 2)
    }

    @Test func aRouterOfPriorityZeroIsNeverElected() {
        #expect(elect(candidate(9, priority: 0), candidate(1)) == [1, 0])
        #expect(elect(candidate(9, priority: 0), candidate(8, priority: 0)) == [0, 0])
    }

    @Test func ofTwoDesignatedRoutersTheOneWithTheHigherIDStays() {
        // Two parts of a segment are joined, each with its own designated router and backup.
        let result = elect(
            candidate(1, designated: 1, backup: 2), candidate(2, designated: 1, backup: 2),
            candidate(3, designated: 3, backup: 4), candidate(4, designated: 3, backup: 4))
        #expect(result == [3, 4])
    }

    @Test func aSingleRouterIsDesignatedWithoutABackup() {
        #expect(elect(candidate(5)) == [5, 0])
    }
}
