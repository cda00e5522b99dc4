import Addressing
import OSPFPacket
import Testing

@testable import OSPF

/// Loop-free alternates in small areas that are drawn by hand. `fd00::N/128` is the address of router N.
struct AlternateTests {
    /// Router 1 and its neighbors 2 and 3; the target 4 behind 2. Costs: 1–2 and 2–4 10, the others as given.
    private func area(oneToThree: UInt16 = 10, threeToTwo: UInt16? = nil, threeToFour: UInt16? = nil) -> Area {
        var area = Area()
        var three = [cable(31, to: 1, 13, cost: oneToThree)]
        var two = [cable(21, to: 1, 12), cable(24, to: 4, 42)]
        var four = [cable(42, to: 2, 24)]
        if let threeToTwo {
            three.append(cable(32, to: 2, 23, cost: threeToTwo))
            two.append(cable(23, to: 3, 32, cost: threeToTwo))
        }
        if let threeToFour {
            three.append(cable(34, to: 4, 43, cost: threeToFour))
            four.append(cable(43, to: 3, 34, cost: threeToFour))
        }
        area.router(1, [cable(12, to: 2, 21), cable(13, to: 3, 31, cost: oneToThree)])
        area.router(2, two)
        area.router(3, three)
        area.router(4, four)
        for router in 1...4 as ClosedRange<UInt32> {
            let address = IPv6Address(high: 0xfd00 << 48, low: UInt64(router))
            area.prefixes(RouterID(router), [LSAPrefix(IPv6Prefix(host: address))])
        }
        return area
    }
    private let neighbors = [neighbor(12, 2, 21), neighbor(13, 3, 31)]

    private func backup(_ prefix: IPv6Prefix, in area: Area, _ neighbors: [UsableNeighbor]) -> NextHop? {
        var area = area
        area.run(1, neighbors, findsAlternates: true)
        return area.route(prefix)?.backup
    }

    @Test func aNeighborWhosePathAvoidsTheNextHopIsTheBackup() {
        // From 3 the way over 4 costs 15, the way back over 1 and 2 40.
        #expect(backup("fd00::4/128", in: area(oneToThree: 20, threeToFour: 15), neighbors) == hop(13, 3, 31))
        // Without the wish for alternates there is none.
        var area = area(oneToThree: 20, threeToFour: 15)
        area.run(1, neighbors)
        #expect(area.route("fd00::4/128")?.backup == nil)
    }

    @Test func aNeighborThatSendsThePacketsBackIsNone() {
        #expect(backup("fd00::4/128", in: area(oneToThree: 10), neighbors) == nil)
        // Its way over 4 costs 30, and that over 1 and 2 as much.
        #expect(backup("fd00::4/128", in: area(oneToThree: 10, threeToFour: 30), neighbors) == nil)
        #expect(backup("fd00::4/128", in: area(oneToThree: 10, threeToFour: 29), neighbors) == hop(13, 3, 31))
    }

    /// 3 reaches 4 over 2, at 25, and is not nearer than 1. If 2 failed, a router like 3 might use 1 as its alternate.
    @Test func aNeighborThatProtectsOnlyFromTheLossOfTheLinkMustBeNearer() {
        #expect(backup("fd00::4/128", in: area(oneToThree: 30, threeToTwo: 15), neighbors) == nil)
        #expect(backup("fd00::4/128", in: area(oneToThree: 30, threeToTwo: 9), neighbors) == hop(13, 3, 31))
        // As near as 1, and its router ID is higher.
        #expect(backup("fd00::4/128", in: area(oneToThree: 30, threeToTwo: 10), neighbors) == nil)
    }

    @Test func severalNextHopsHaveNoBackup() {
        #expect(backup("fd00::4/128", in: area(oneToThree: 10, threeToFour: 10), neighbors) == nil)
    }

    /// A drained router, one that asks not to be used by its costs, and one that cannot be heard.
    @Test func aRouterThatMustNotBeUsedIsNone() {
        let good = area(oneToThree: 20, threeToFour: 15)
        var drained = good
        drained.router(3, [cable(31, to: 1, 13, cost: 20), cable(34, to: 4, 43, cost: 15)], options: [.v6, .e])
        #expect(backup("fd00::4/128", in: drained, neighbors) == nil)
        // It is still the backup of the way to itself, and that to 4 is found again when it returns.
        var costly = good
        costly.router(3, [cable(31, to: 1, 13, cost: 0xffff), cable(34, to: 4, 43, cost: 15)])
        #expect(backup("fd00::4/128", in: costly, neighbors) == nil)
        #expect(backup("fd00::4/128", in: good, [neighbors[0]]) == nil)
    }

    @Test func aSecondCableToTheSameNeighborIsABackup() {
        var area = area()
        area.router(1, [cable(12, to: 2, 21), cable(14, to: 2, 22, cost: 30)])
        area.router(2, [cable(21, to: 1, 12), cable(22, to: 1, 14, cost: 30), cable(24, to: 4, 42)])
        let both = [neighbor(12, 2, 21), neighbor(14, 2, 22)]
        #expect(backup("fd00::4/128", in: area, both) == hop(14, 2, 22))
        #expect(backup("fd00::2/128", in: area, both) == hop(14, 2, 22))
    }

    /// Routers 1, 2 and 3 on a segment. Neither protects the other: the port of 1 may be what fails.
    @Test func aNeighborOnTheSamePortIsNone() {
        var area = Area()
        area.router(1, [transit(10, designated: 3, 30)])
        area.router(2, [transit(20, designated: 3, 30), cable(24, to: 4, 42)])
        area.router(3, [transit(30, designated: 3, 30), cable(34, to: 4, 43, cost: 15)])
        area.router(4, [cable(42, to: 2, 24), cable(43, to: 3, 34, cost: 15)])
        area.network(3, interface: 30, [3, 1, 2])
        area.prefixes(4, [LSAPrefix("fd00::4/128")])
        #expect(backup("fd00::4/128", in: area, [neighbor(10, 2, 20), neighbor(10, 3, 30)]) == nil)
    }

    @Test func anotherAnnouncerIsABackup() {
        var area = area(oneToThree: 30)
        let service: IPv6Prefix = "fd00::99/128"
        area.prefixes(2, [LSAPrefix("fd00::2/128"), LSAPrefix(service)])
        area.prefixes(3, [LSAPrefix("fd00::3/128"), LSAPrefix(service)])
        #expect(backup(service, in: area, neighbors) == hop(13, 3, 31))
        #expect(backup("fd00::2/128", in: area, neighbors) == nil)
        area.run(1, neighbors)
        #expect(area.route(service)?.isAnycast == true)
        #expect(area.route("fd00::2/128")?.isAnycast == false)
    }

    @Test func externalRoutesHaveBackupsToo() {
        var area = area(oneToThree: 20, threeToFour: 15)
        area.router(4, [cable(42, to: 2, 24), cable(43, to: 3, 34, cost: 15)], flags: .external)
        area.external(4, "fd02::/64", metric: 5)
        area.external(4, "fd03::/64", type2: false, metric: 5, linkStateID: 1)
        area.external(4, "fd04::/64", metric: 5, forwarding: IPv6Address(high: 0xfd00 << 48, low: 4), linkStateID: 2)
        #expect(backup("fd02::/64", in: area, neighbors) == hop(13, 3, 31))
        #expect(backup("fd03::/64", in: area, neighbors) == hop(13, 3, 31))
        #expect(backup("fd04::/64", in: area, neighbors) == nil)
    }

    /// What changes far away changes the alternate, although the next hop stays.
    @Test func theBackupFollowsChangesThatDoNotConcernTheNextHop() {
        var area = area(oneToThree: 20, threeToFour: 15)
        area.run(1, neighbors, findsAlternates: true)
        #expect(area.route("fd00::4/128")?.backup == hop(13, 3, 31))
        area.router(3, [cable(31, to: 1, 13, cost: 20), cable(34, to: 4, 43, cost: 100)])
        let update = area.run(1, neighbors, findsAlternates: true)
        #expect(area.route("fd00::4/128")?.backup == nil)
        #expect(area.route("fd00::4/128")?.nextHops == [hop(12, 2, 21)])
        #expect(update.routes.isEmpty)
        area.router(3, [cable(31, to: 1, 13, cost: 20), cable(34, to: 4, 43, cost: 15)])
        area.run(1, neighbors, findsAlternates: true)
        #expect(area.route("fd00::4/128")?.backup == hop(13, 3, 31))
        #expect(area.run(1, neighbors, findsAlternates: true).isEmpty)
    }
}
