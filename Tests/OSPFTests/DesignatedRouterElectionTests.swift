import Addressing
import Testing

@testable import OSPF

@Suite struct DesignatedRouterElectionTests {
    private typealias Candidate = DesignatedRouterElection.Candidate

    private func candidate(_ id: UInt32, priority: UInt8 = 1, designated: UInt32 = 0, backup: UInt32 = 0) -> Candidate {
        Candidate(
            routerID: RouterID(id), priority: priority, designated: RouterID(designated), backup: RouterID(backup))
    }

    private func elect(_ own: Candidate, _ others: Candidate...) -> [UInt32] {
        let outcome = DesignatedRouterElection.elect(own: own, others: others)
        return [outcome.designated.rawValue, outcome.backup.rawValue]
    }

    @Test func theHighestPriorityWinsThenTheHighestID() {
        #expect(elect(candidate(1), candidate(2), candidate(3))[0] == 3)
        #expect(elect(candidate(1, priority: 9), candidate(2), candidate(3)) == [1, 3])
    }

    @Test func nobodyIsDeposed() {
        // 1 and 2 have settled; 9 comes with the highest priority of all.
        let own = candidate(9, priority: 200)
        #expect(
            elect(own, candidate(1, designated: 1, backup: 2), candidate(2, designated: 1, backup: 2)) == [1, 2])
    }

    @Test func theBackupMovesUpAndItsPostIsFilled() {
        // The designated router 1 has gone; 2 was its backup and computes for itself.
        #expect(elect(candidate(2, designated: 1, backup: 2), candidate(3, designated: 1, backup: 2)) == [2, 3])
        // 3 sees 2 move up, and will hear of its own post from 2's next hello.
        #expect(elect(candidate(3, designated: 1, backup: 2), candidate(2, designated: 1, backup: 2))[0] == 2)
    }

    @Test func priorityZeroIsNeverElected() {
        #expect(elect(candidate(9, priority: 0), candidate(1)) == [1, 0])
        #expect(elect(candidate(9, priority: 0), candidate(8, priority: 0)) == [0, 0])
    }

    @Test func ofTwoThatBothClaimThePostTheHigherKeepsIt() {
        // Two parts of a segment grow together, each with its own pair.
        let result = elect(
            candidate(1, designated: 1, backup: 2), candidate(2, designated: 1, backup: 2),
            candidate(3, designated: 3, backup: 4), candidate(4, designated: 3, backup: 4))
        #expect(result == [3, 4])
    }

    @Test func aloneOneIsDesignatedWithoutBackup() {
        #expect(elect(candidate(5)) == [5, 0])
    }
}
