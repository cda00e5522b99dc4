import OSPF
import Routing
import Testing

/// A next hop that all groups drop is removed from all of them by one request.
@Suite struct DroppedHopTests {
    private static let hop = FIBTests.hop(_:_:)

    /// Destinations with their next hops and backups, by number, and a route to each.
    private static func update(_ destinations: [(UInt32, [UInt32], backup: UInt32?)]) -> RouteTableUpdate {
        RouteTableUpdate(
            destinations: destinations.map { number, links, backup in
                var destination = ModelRouter.destination(links.map { hop($0, 1) })
                destination.backup = backup.map { hop($0, 1) }
                return (FIBTests.id(number), destination)
            }, routes: destinations.map { (FIBTests.prefix(Int($0.0)), FIBTests.id($0.0)) })
    }

    private static func isRemoval(_ change: FIBChange) -> Bool {
        if case .removeNextHop = change { true } else { false }
    }

    /// Applies the update, and then the other one. Returns the changes that need it, in a kernel that refuses none.
    private static func changes(
        _ before: [(UInt32, [UInt32], backup: UInt32?)], _ after: [(UInt32, [UInt32], backup: UInt32?)]
    ) -> [FIBChange] {
        var kernel = ModelKernel()
        var fib = FIB()
        fib.update(update(before))
        for change in fib.changes() { #expect(kernel.apply(change) == nil) }
        fib.update(update(after))
        let changes = fib.changes()
        for change in changes {
            #expect(kernel.apply(change) == nil)
            // No route is ever lost.
            #expect(before.allSatisfy { kernel.nextHops(of: FIBTests.prefix(Int($0.0)))?.isEmpty == false })
        }
        for (number, links, backup) in after {
            #expect(kernel.nextHops(of: FIBTests.prefix(Int(number))) == Set(links.map { hop($0, 1) }))
            #expect(kernel.backup(of: FIBTests.prefix(Int(number))) == backup.map { hop($0, 1) })
        }
        #expect(fib.changes().isEmpty)
        return changes
    }

    @Test func aHundredGroupsLoseANeighborByOneRequest() {
        let changes = Self.changes((0..<100).map { ($0, [1, 2], nil) }, (0..<100).map { ($0, [2], nil) })
        #expect(changes.count == 1 && changes.allSatisfy(Self.isRemoval))
    }

    @Test func backupsTakeOverByOneRequest() {
        let changes = Self.changes((0..<100).map { ($0, [1], 2) }, (0..<100).map { ($0, [2], nil) })
        #expect(changes.count == 1 && changes.allSatisfy(Self.isRemoval))
    }

    /// The removal is first, so that traffic is safe before groups are replaced one by one.
    @Test func theRemovalIsMadeBeforeGroupsAreReplaced() {
        let changes = Self.changes([(0, [1], 2), (1, [1, 2], nil)], [(0, [3], 2), (1, [2], nil)])
        #expect(changes.map(Self.isRemoval) == [true] + changes.dropFirst().map { _ in false })
        #expect(changes.count == 3)
    }

    /// A removal that would empty a group, or that a destination does not want, is not made at once.
    @Test func nothingIsRemovedThatIsNeeded() {
        let emptied = Self.changes([(0, [1], nil), (1, [1, 2], nil)], [(0, [2], nil), (1, [2], nil)])
        #expect(emptied.map(Self.isRemoval) == [false, false, true])
        let kept = Self.changes([(0, [1, 2], nil), (1, [1, 2], nil)], [(0, [2], nil), (1, [1], nil)])
        #expect(!kept.contains(where: Self.isRemoval))
        let moved = Self.changes([(0, [1, 2], nil), (1, [2], nil)], [(0, [2], nil), (1, [1], nil)])
        #expect(!moved.contains(where: Self.isRemoval))
    }

    /// The member and its backup go together: one of them stays until the group is replaced.
    @Test func aGroupThatDropsAllIsNeverEmpty() {
        _ = Self.changes([(0, [1], 2), (1, [2, 3], nil)], [(0, [3], nil), (1, [3], nil)])
        _ = Self.changes([(0, [1, 2], nil), (1, [1, 2], nil)], [(0, [3], nil), (1, [3], nil)])
    }
}
