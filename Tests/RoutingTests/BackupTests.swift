import OSPF
import Routing
import Testing

/// What happens to the flows of a group with a backup.
@Suite struct BackupTests {
    private static func update(_ member: UInt32, backup: UInt32, _ routes: [Int] = []) -> RouteTableUpdate {
        var destination = ModelRouter.destination([FIBTests.hop(member)])
        destination.backup = FIBTests.hop(backup)
        destination.isAnycast = true
        return RouteTableUpdate(
            destinations: [(FIBTests.id(0), destination)], routes: routes.map { (FIBTests.prefix($0), FIBTests.id(0)) },
            released: [])
    }

    /// The kernel gives all flows to the backup when the carrier is lost. New routes may come from a neighbor before the
    /// notification of that; then the flows must leave the backup, which stays in the group.
    @Test func aBackupKeepsNoFlowsWhenNewRoutesComeBeforeTheLossOfTheCarrier() {
        var kernel = ModelKernel()
        var fib = FIB()
        fib.update(Self.update(1, backup: 3, [1]))
        for change in fib.changes() { #expect(kernel.apply(change) == nil) }
        #expect(kernel.group(of: FIBTests.prefix(1))?.isResilient == true)
        kernel.loseLink(1)
        #expect(kernel.nextHops(of: FIBTests.prefix(1)) == [FIBTests.hop(3)])
        fib.update(Self.update(2, backup: 3))
        for change in fib.changes() where change != .removeNextHop(FIBTests.object(1)) {
            #expect(kernel.apply(change) == nil)
        }
        #expect(kernel.nextHops(of: FIBTests.prefix(1)) == [FIBTests.hop(2)])
        #expect(kernel.backup(of: FIBTests.prefix(1)) == FIBTests.hop(3))
        #expect(kernel.demotions.isEmpty)
    }
}
