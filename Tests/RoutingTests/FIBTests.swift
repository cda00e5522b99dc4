import Addressing
import OSPF
import Routing
import Testing

/// The changes that single events cause: as few as possible.
@Suite struct FIBTests {
    static func hop(_ link: UInt32, _ gateway: UInt16 = 1) -> NextHop {
        NextHop(interface: link, gateway: IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, gateway))
    }

    static func prefix(_ number: Int) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32, low: UInt64(number)))
    }

    static func id(_ number: UInt32) -> DestinationID { DestinationID(rawValue: number) }
    /// The ID of an object of ours: IDs are assigned in order from 71,000,000.
    static func object(_ number: UInt32) -> NextHopID { NextHopID(rawValue: 71_000_000 + number) }

    /// An update: destinations with their next hops, and prefixes with their destination or `nil`, all by number.
    static func update(
        _ destinations: [(UInt32, [NextHop])], _ routes: [(Int, UInt32?)] = [], released: [UInt32] = []
    ) -> RouteTableUpdate {
        RouteTableUpdate(
            destinations: destinations.map { (id($0.0), ModelRouter.destination($0.1)) },
            routes: routes.map { (prefix($0.0), $0.1.map(id)) }, released: released.map(id))
    }

    /// A FIB with routes to prefixes 0..<count, all of one destination and installed.
    static func fib(_ count: Int, _ hops: [NextHop], mode: FIB.Mode = .objects) -> FIB {
        var fib = FIB(configuration: FIB.Configuration(mode: mode))
        fib.update(update([(0, hops)], (0..<count).map { ($0, 0) }))
        _ = fib.changes()
        return fib
    }

    /// A next hop, the group with it, and the route to the group, in this order.
    @Test func nextHopsAndGroupsAreAddedBeforeTheirRoutes() {
        var fib = FIB()
        fib.update(Self.update([(0, [Self.hop(2)])], [(1, 0)]))
        #expect(fib.state(of: Self.prefix(1)) == .pending)
        #expect(
            fib.changes() == [
                .addNextHop(Self.object(1), Self.hop(2)), .addGroup(Self.object(0), [Self.object(1)]),
                .addRoute(Self.prefix(1), .group(Self.object(0))),
            ])
        #expect(fib.state(of: Self.prefix(1)) == .installed)
        #expect(fib.state(of: Self.prefix(2)) == nil)
        #expect(fib.changes().isEmpty)
    }

    @Test func losingANextHopOfTenThousandPrefixesRemovesOneObject() {
        var fib = Self.fib(10_000, [Self.hop(1), Self.hop(2)])
        fib.update(Self.update([(0, [Self.hop(2)])]))
        let changes = fib.changes()
        #expect(changes == [.removeNextHop(Self.object(1))])
        #expect(fib.state(of: Self.prefix(9_999)) == .installed)
        #expect(fib.changes().isEmpty)
    }

    /// The kernel removes the next hop of a lost link from the group by itself. When the link is back, the next hop is added
    /// and the group replaced.
    @Test func losingOneOfTwoLinksCausesNoChange() {
        var fib = Self.fib(10_000, [Self.hop(1), Self.hop(2)])
        fib.linkLost(1)
        fib.update(Self.update([(0, [Self.hop(2)])]))
        #expect(fib.changes().isEmpty)
        fib.linkUsable(1)
        fib.update(Self.update([(0, [Self.hop(1), Self.hop(2)])]))
        let changes = fib.changes()
        #expect(changes.count == 2)
        #expect(changes.first.map { if case .addNextHop = $0 { true } else { false } } == true)
    }

    /// With the only next hop, the kernel removes the group and all routes. Then a next hop, a group and 100 routes are added.
    @Test func routesLostWithTheOnlyLinkAreAddedAgainOverAnother() {
        var fib = Self.fib(100, [Self.hop(1)])
        fib.linkLost(1)
        #expect(fib.changes().isEmpty)
        #expect(fib.state(of: Self.prefix(5)) == .pending)
        #expect(fib.counts.routes == 0)
        fib.update(Self.update([(0, [Self.hop(2)])]))
        let changes = fib.changes()
        #expect(changes.count == 102)
        #expect(changes.dropFirst(2).allSatisfy { if case .addRoute = $0 { true } else { false } })
        #expect(fib.state(of: Self.prefix(5)) == .installed)
    }

    /// A new destination with the prefixes of a released one takes over its group, and with it the routes.
    @Test func aDestinationWithANewIDKeepsItsGroupAndRoutes() {
        var fib = Self.fib(1000, [Self.hop(1)])
        fib.update(Self.update([(7, [Self.hop(1)])], (0..<1000).map { ($0, 7) }, released: [0]))
        #expect(fib.changes().isEmpty)
        fib.update(Self.update([(8, [Self.hop(2)])], (0..<1000).map { ($0, 8) }, released: [7]))
        #expect(
            fib.changes() == [
                .addNextHop(Self.object(2), Self.hop(2)), .replaceGroup(Self.object(0), [Self.object(2)]),
                .removeNextHop(Self.object(1)),
            ])
    }

    /// One of 1000 prefixes moves to a destination with the first next hop, the others to one with the second: a new group for
    /// the one, a replaced group for the others, and one moved route.
    @Test func whenADestinationSplitsTheLargerPartKeepsTheGroup() {
        var fib = Self.fib(1000, [Self.hop(1), Self.hop(2)])
        fib.update(
            Self.update(
                [(5, [Self.hop(1)]), (6, [Self.hop(2)])], (0..<1000).map { ($0, $0 == 0 ? 5 : 6) }, released: [0]))
        let changes = fib.changes()
        #expect(changes.count == 3)
        #expect(changes.contains(.replaceGroup(Self.object(0), [Self.object(2)])))
    }

    /// The kernel removes the 10,000 routes with their group.
    @Test func removingAGroupRemovesAllItsRoutes() {
        var fib = Self.fib(10_000, [Self.hop(1)])
        fib.update(Self.update([], (0..<10_000).map { ($0, nil) }, released: [0]))
        #expect(fib.changes() == [.removeGroup(Self.object(0)), .removeNextHop(Self.object(1))])
        #expect(fib.counts == FIB().counts)
        #expect(!fib.isDirty)
    }

    @Test func aMetricChangeCausesNoChange() {
        var fib = Self.fib(10, [Self.hop(1)])
        var update = Self.update([(0, [Self.hop(1)])])
        update.destinations[0].destination.metric = 99
        fib.update(update)
        #expect(fib.changes().isEmpty)
    }

    /// A next hop, a group and 1000 routes, at most 100 routes per slice.
    @Test func slicesAreBoundedAndComplete() {
        var fib = FIB()
        fib.update(Self.update([(0, [Self.hop(1)])], (0..<1000).map { ($0, 0) }))
        var total = 0
        var slices = 0
        while fib.isDirty {
            let changes = fib.changes(limit: 100)
            #expect(changes.count <= 102)
            total += changes.count
            slices += 1
        }
        #expect(total == 1002)
        #expect(slices == 10)
    }

    /// Two of three routes fit, with a next hop and a group.
    @Test func routesPastTheLimitAreAddedWhenThereIsRoom() {
        var fib = FIB(configuration: FIB.Configuration(maximumRoutes: 2))
        fib.update(Self.update([(0, [Self.hop(1)])], [(1, 0), (2, 0), (3, 0)]))
        #expect(fib.changes().count == 4)
        #expect(fib.state(of: Self.prefix(2)) == .installed)
        guard case .failed(let failure) = fib.state(of: Self.prefix(3)) else {
            Issue.record("the route past the limit did not fail")
            return
        }
        #expect(failure.reason == .limit)
        fib.update(Self.update([], [(1, nil)]))
        _ = fib.changes()
        fib.retry()
        #expect(fib.changes() == [.addRoute(Self.prefix(3), .group(Self.object(0)))])
    }

    /// Code 12 is ENOMEM. Only `retry()` tries the route again.
    @Test func aRefusedRouteIsReportedAndRetriedOnlyOnDemand() {
        var fib = Self.fib(1, [Self.hop(1)])
        let change = FIBChange.addRoute(Self.prefix(0), .group(Self.object(0)))
        fib.failed(change, FIBFailure(.refused, code: 12, message: "Cannot allocate memory"))
        #expect(fib.changes().isEmpty)
        #expect(
            fib.state(of: Self.prefix(0))
                == .failed(FIBFailure(.refused, code: 12, message: "Cannot allocate memory")))
        #expect(fib.hasFailures)
        fib.retry()
        #expect(fib.changes() == [change])
        #expect(fib.state(of: Self.prefix(0)) == .installed)
        #expect(!fib.hasFailures)
    }

    /// A next hop over a link that is down is no failure to report: the kernel will notify us of the link.
    @Test(arguments: [FIBFailure.Reason.refused, .linkUnusable]) func aRefusedNextHopIsReportedUnlessItsLinkIsDown(
        reason: FIBFailure.Reason
    ) {
        var fib = Self.fib(1, [Self.hop(1), Self.hop(2)])
        let failure = FIBFailure(reason, code: 12, message: "Cannot allocate memory")
        fib.failed(.addNextHop(Self.object(2), Self.hop(2)), failure)
        #expect(fib.refusedNextHops == (reason == .refused ? [Self.hop(2): failure] : [:]))
        #expect(fib.groupFailure == nil && fib.hasFailures)
        fib.retry()
        #expect(fib.refusedNextHops.isEmpty)
    }

    @Test func aRefusedGroupIsReported() throws {
        var fib = Self.fib(1, [Self.hop(1)])
        let failure = FIBFailure(.refused, code: 12, message: "Cannot allocate memory")
        fib.failed(.addGroup(Self.object(0), [Self.object(1)]), failure)
        let reported = try #require(fib.groupFailure)
        #expect(reported.count == 1 && reported.failure == failure)
        fib.retry()
        #expect(fib.groupFailure == nil)
    }

    /// Another program has a route to the prefix, so ours cannot be added (EEXIST). Ours is added when the other is gone.
    @Test func ourRouteIsAddedWhenAForeignRouteToItsPrefixIsGone() {
        var fib = Self.fib(1, [Self.hop(1)])
        fib.failed(.addRoute(Self.prefix(0), .group(Self.object(0))), FIBFailure(.exists, message: "File exists"))
        #expect(fib.requiredRead == .everything)
        fib.reconcile(
            KernelRoutes(
                nextHops: [Self.object(1): Self.hop(1)], groups: [Self.object(0): [Self.object(1)]], routes: [:]))
        #expect(fib.changes().isEmpty)
        guard case .failed = fib.state(of: Self.prefix(0)) else {
            Issue.record("a route to a prefix with a foreign route did not fail")
            return
        }
        // The removal of a route to another prefix changes nothing.
        fib.foreignRouteRemoved(Self.prefix(1))
        #expect(fib.changes().isEmpty)
        fib.foreignRouteRemoved(Self.prefix(0))
        #expect(fib.changes() == [.addRoute(Self.prefix(0), .group(Self.object(0)))])
    }

    /// Routes of an earlier run, of which one is still wanted.
    @Test func adoptedRoutesAreKeptUntilTheSweep() {
        let kernel = KernelRoutes(
            nextHops: [Self.object(4): Self.hop(1), Self.object(5): Self.hop(2)],
            groups: [Self.object(8): [Self.object(4)], Self.object(9): [Self.object(5)]],
            routes: [Self.prefix(1): .group(Self.object(8)), Self.prefix(2): .group(Self.object(9))])
        var fib = FIB()
        fib.adopt(kernel)
        #expect(fib.changes().isEmpty)
        fib.update(Self.update([(0, [Self.hop(1)])], [(1, 0)]))
        #expect(fib.changes().isEmpty)
        #expect(fib.state(of: Self.prefix(1)) == .installed)
        #expect(fib.counts.routes == 2)
        fib.sweep()
        #expect(fib.changes() == [.removeGroup(Self.object(9)), .removeNextHop(Self.object(5))])
        #expect(fib.counts.routes == 1)
    }

    /// Other programs have the first two IDs of our range.
    @Test func idsOfForeignObjectsAreNotUsed() {
        var fib = FIB()
        fib.adopt(KernelRoutes(foreignIDs: [Self.object(0), Self.object(1)]))
        fib.update(Self.update([(0, [Self.hop(2)])], [(1, 0)]))
        #expect(
            fib.changes().prefix(2) == [
                .addNextHop(Self.object(3), Self.hop(2)), .addGroup(Self.object(2), [Self.object(3)]),
            ])
    }

    /// Another program replaced our next hop: the object is no longer ours, but still in our group.
    @Test func aForeignReplacementOfOurNextHopIsReplacedAndRemoved() {
        var fib = Self.fib(3, [Self.hop(1), Self.hop(2)])
        let (group, hop, other) = (Self.object(0), Self.object(1), Self.object(2))
        let route = Optional(RouteTarget.group(group))
        let kernel = KernelRoutes(
            nextHops: [other: Self.hop(2)], groups: [group: [hop, other]], foreignIDs: [hop],
            routes: [Self.prefix(0): route, Self.prefix(1): route, Self.prefix(2): route])
        fib.reconcile(kernel)
        let replacement = Self.object(3)
        #expect(
            fib.changes() == [
                .addNextHop(replacement, Self.hop(1)), .replaceGroup(group, [other, replacement]), .removeNextHop(hop),
            ])
    }

    /// Another program replaced a next hop of an earlier run. The replacement is removed by the sweep, unless it is gone by
    /// then.
    @Test func aForeignReplacementOfAnAdoptedNextHopIsRemovedByTheSweepIfItStillExists() {
        let (hop, group) = (Self.object(0), Self.object(1))
        func adopted() -> FIB {
            var fib = FIB()
            fib.adopt(
                KernelRoutes(
                    nextHops: [hop: Self.hop(1)], groups: [group: [hop]], routes: [Self.prefix(0): .group(group)]))
            fib.reconcile(
                KernelRoutes(groups: [group: [hop]], foreignIDs: [hop], routes: [Self.prefix(0): .group(group)]))
            return fib
        }
        var fib = adopted()
        #expect(fib.changes().isEmpty)
        // After a second read the replacement is still removed by the sweep.
        fib.reconcile(KernelRoutes(groups: [group: [hop]], foreignIDs: [hop], routes: [Self.prefix(0): .group(group)]))
        fib.sweep()
        #expect(fib.changes().contains(.removeNextHop(hop)))

        var other = adopted()
        other.reconcile(KernelRoutes(foreignIDs: [], routes: [:]))
        other.sweep()
        #expect(!other.changes().contains(.removeNextHop(hop)))
    }

    /// A group with different weights is read as one without members.
    @Test func aGroupWithForeignWeightsIsReplaced() {
        var fib = Self.fib(3, [Self.hop(1), Self.hop(2)])
        let (group, hop, other) = (Self.object(0), Self.object(1), Self.object(2))
        fib.reconcile(
            KernelRoutes(nextHops: [hop: Self.hop(1), other: Self.hop(2)], groups: [group: []], routes: nil))
        #expect(fib.changes() == [.replaceGroup(group, [hop, other])])
        #expect(fib.changes().isEmpty)
    }

    /// `rewriteRoutes()` is called when the source address of our routes changes.
    @Test func aNewSourceAddressRewritesEveryRouteOnce() {
        var fib = Self.fib(10, [Self.hop(1)])
        fib.rewriteRoutes()
        let changes = fib.changes()
        #expect(changes.count == 10)
        #expect(changes.allSatisfy { if case .replaceRoute = $0 { true } else { false } })
        #expect(fib.changes().isEmpty)
    }

    /// In multipath mode each route has its own next hops, so each of three is rewritten. A move to a destination with the same
    /// next hops changes nothing.
    @Test func inMultipathModeChangedRoutesAreRewritten() {
        var fib = Self.fib(3, [Self.hop(1), Self.hop(2)], mode: .multipath)
        fib.update(Self.update([(0, [Self.hop(2)])]))
        #expect(fib.changes() == (0..<3).map { .replaceRoute(Self.prefix($0), .nextHops([Self.hop(2)])) })
        fib.update(Self.update([(1, [Self.hop(2)])], [(0, 1)]))
        #expect(fib.changes().isEmpty)
    }

    /// The two IDs of the range are enough for the next hop and the group of the first destination only.
    @Test func aRouteFailsWhenNoNextHopIDIsLeft() {
        var fib = FIB(configuration: FIB.Configuration(nextHopIDs: 1...2))
        fib.update(Self.update([(0, [Self.hop(1)]), (1, [Self.hop(2)])], [(1, 0), (2, 1)]))
        #expect(fib.changes().count == 3)
        guard case .failed(let failure) = fib.state(of: Self.prefix(2)) else {
            Issue.record("a route without a free next-hop ID did not fail")
            return
        }
        #expect(failure.reason == .limit)
    }
}
