import Addressing
import OSPF
import Routing
import Testing

/// The order of a group's members, on which the kernel's choice of a member for each flow depends.
@Suite struct MemberOrderTests {
    private static let hops = (1...8).map { FIBTests.hop(UInt32($0)) }

    /// The only group in the kernel, as its next hops in order.
    private static func members(_ kernel: ModelKernel) -> [NextHop] {
        for case .group(let group) in kernel.objects.values {
            return group.members.compactMap { if case .single(let hop) = kernel.objects[$0] { hop } else { nil } }
        }
        return []
    }

    /// Makes the planned changes. Returns how many there were.
    @discardableResult
    private static func install(_ fib: inout FIB, _ kernel: inout ModelKernel) -> Int {
        let changes = fib.changes()
        for change in changes { #expect(kernel.apply(change) == nil) }
        return changes.count
    }

    /// The member that gets a flow with this hash, of 1,000, as the kernel chooses it: each has an equal range of hashes.
    private static func choice(_ flow: Int, _ members: [NextHop]) -> NextHop { members[flow * members.count / 1000] }

    private static func moved(_ before: [NextHop], _ after: [NextHop]) -> Int {
        (0..<1000).count { choice($0, before) != choice($0, after) }
    }

    @Test func aMemberThatIsReplacedMovesOnlyItsOwnFlows() {
        var kernel = ModelKernel()
        var fib = FIB()
        fib.update(FIBTests.update([(0, Array(Self.hops[1...4]))], [(1, 0)]))
        Self.install(&fib, &kernel)
        let before = Self.members(kernel)
        // Of the new members, the first sorts before those that stay, and takes the place of the one that goes.
        fib.update(FIBTests.update([(0, [Self.hops[0], Self.hops[1], Self.hops[2], Self.hops[4]])]))
        Self.install(&fib, &kernel)
        #expect(Self.members(kernel) == [Self.hops[1], Self.hops[2], Self.hops[0], Self.hops[4]])
        #expect(Self.moved(before, Self.members(kernel)) == 250)
    }

    @Test func aNewMemberIsLast() {
        var kernel = ModelKernel()
        var fib = FIB()
        fib.update(FIBTests.update([(0, Array(Self.hops[1...3]))], [(1, 0)]))
        Self.install(&fib, &kernel)
        fib.update(FIBTests.update([(0, Array(Self.hops[0...3]))]))
        Self.install(&fib, &kernel)
        #expect(Self.members(kernel) == [Self.hops[1], Self.hops[2], Self.hops[3], Self.hops[0]])
    }

    /// Random changes of the wanted next hops, lost links and restarts of the agent: members that stay keep their relative
    /// order, and where as many come as go, they keep their places.
    @Test(arguments: 0..<50) func membersThatStayKeepTheirOrder(seed: UInt64) {
        var random = SplitMix(state: seed)
        var kernel = ModelKernel()
        var fib = FIB()
        var wanted = Self.hops
        var destination: UInt32 = 0
        fib.update(FIBTests.update([(destination, wanted)], [(1, destination)]))
        Self.install(&fib, &kernel)
        for step in 0..<60 {
            var before = Self.members(kernel)
            switch random.below(4) {
            case 0:
                // The kernel removes the members of a link. The link returns, or the route goes elsewhere.
                guard before.count > 1 else { continue }
                let link = before[random.below(before.count)].interface
                kernel.loseLink(link)
                fib.linkLost(link)
                kernel.downLinks.remove(link)
                before = Self.members(kernel)
                Self.install(&fib, &kernel)
                #expect(
                    Self.members(kernel) == before, "seed \(seed), step \(step): nothing is changed after the kernel")
                fib.linkUsable(link)
            case 1:
                // A restart: a new FIB with the same routes takes the kernel's order.
                fib = FIB()
                fib.adopt(kernel.dump(routes: true))
                destination += 1
                fib.update(FIBTests.update([(destination, wanted)], [(1, destination)]))
                #expect(Self.install(&fib, &kernel) == 0, "seed \(seed), step \(step): a restart changes nothing")
                fib.sweep()
            default:
                wanted = random.subset(Self.hops)
                fib.update(FIBTests.update([(destination, wanted)]))
            }
            Self.install(&fib, &kernel)
            let after = Self.members(kernel)
            #expect(Set(after) == Set(wanted), "seed \(seed), step \(step)")
            let stayed = before.filter(after.contains)
            #expect(after.filter(before.contains) == stayed, "seed \(seed), step \(step): the order of those that stay")
            guard before.count == after.count else { continue }
            for (old, new) in zip(before, after) where after.contains(old) {
                #expect(old == new, "seed \(seed), step \(step): as many come as go, so the others keep their places")
            }
        }
    }
}
