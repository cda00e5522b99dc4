import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct IntraAreaRouteTests {
    /// Links 1–2, 1–3, 2–4 and 3–4, all at cost 10; router r announces fd00::r/128. The ID of an interface is the number of the
    /// router at the other end. The root is router 1 in all tests here.
    private func square() -> Area {
        var area = Area()
        area.router(1, [cable(2, to: 2, 1), cable(3, to: 3, 1)])
        area.router(2, [cable(1, to: 1, 2), cable(4, to: 4, 2)])
        area.router(3, [cable(1, to: 1, 3), cable(4, to: 4, 3)])
        area.router(4, [cable(2, to: 2, 4), cable(3, to: 3, 4)])
        for router in 1...4 as ClosedRange<UInt32> {
            area.prefixes(RouterID(router), [LSAPrefix(IPv6Prefix("fd00::\(router)/128")!)])
        }
        return area
    }
    private let squareNeighbors = [neighbor(2, 2, 1), neighbor(3, 3, 1)]

    @Test func aSquareHasTwoEqualPathsToTheOppositeRouter() {
        var area = square()
        let update = area.run(1, squareNeighbors)
        #expect(update.destinations.count == 3 && update.routes.count == 3 && update.released.isEmpty)
        #expect(area.route("fd00::1/128") == nil)
        #expect(
            area.route("fd00::2/128")
                == Destination(kind: .intraArea, metric: 10, announcers: [2], nextHops: [hop(2, 2, 1)]))
        #expect(
            area.route("fd00::4/128")
                == Destination(
                    kind: .intraArea, metric: 20, announcers: [4], nextHops: [hop(2, 2, 1), hop(3, 3, 1)]))
        #expect(area.run(1, squareNeighbors).isEmpty)
        #expect(area.calculation.statistics.idleRuns == 1)
    }

    /// Of too many next hops, the lowest in order are kept.
    @Test func maximumPathsKeepsTheLowestNextHops() {
        var area = square()
        area.run(1, squareNeighbors, maximumPaths: 1)
        #expect(area.route("fd00::4/128")?.nextHops == [hop(2, 2, 1)])
        let update = area.run(1, squareNeighbors, maximumPaths: 2)
        #expect(update.destinations.count == 1 && update.routes.isEmpty)
    }

    /// All 101 prefixes of router 4 share one destination, so the loss of one of its two links changes that destination and no
    /// route.
    @Test func aLostLinkChangesDestinationsNotRoutes() {
        var area = square()
        area.prefixes(4, (0..<100).map { LSAPrefix(IPv6Prefix(IPv6Address(high: 0xfd, low: $0), length: 128)) })
        area.run(1, squareNeighbors)
        area.router(4, [cable(3, to: 3, 4)])
        let update = area.run(1, squareNeighbors)
        #expect(update.destinations.map(\.destination.announcers) == [[4]])
        #expect(update.destinations.first?.destination.nextHops == [hop(3, 3, 1)])
        #expect(update.routes.isEmpty && update.released.isEmpty)
    }

    @Test func theRoutesOfAnUnreachableRouterAreRemovedUntilItIsReachableAgain() {
        var area = square()
        area.run(1, squareNeighbors)
        let id = area.table.routes["fd00::4/128"]
        area.remove(.router, 4)
        let lost = area.run(1, squareNeighbors)
        #expect(lost.routes.map(\.prefix) == ["fd00::4/128"] && lost.routes[0].destination == nil)
        #expect(lost.released == [id] && lost.destinations.isEmpty)
        area.router(4, [cable(2, to: 2, 4), cable(3, to: 3, 4)])
        let found = area.run(1, squareNeighbors)
        #expect(found.routes.count == 1 && found.destinations.count == 1)
        #expect(area.route("fd00::4/128")?.metric == 20)
    }

    /// A drained router uses its own links, although others route nothing through it: its paths change with them.
    @Test func aDrainedRouterCalculatesPathsOverItsOwnLinks() {
        var area = Area()
        let stub: OSPFOptions = [.v6, .e]
        area.router(1, [cable(5, to: 2, 15, cost: 3817), cable(7, to: 2, 17, cost: 1)], options: stub)
        area.router(2, [cable(15, to: 1, 5), cable(17, to: 1, 7)])
        area.prefixes(2, [LSAPrefix("fd00::2/128")])
        area.run(1, [neighbor(5, 2, 15)])
        // Both ends still announce the cheap cable, but it has no usable neighbor: it is lost, and the LSA is on its way.
        let route = Destination(kind: .intraArea, metric: 3817, announcers: [2], nextHops: [hop(5, 2, 15)])
        #expect(area.route("fd00::2/128") == route)
        area.router(1, [cable(5, to: 2, 15, cost: 3817)], options: stub)
        area.run(1, [neighbor(5, 2, 15)])
        #expect(area.route("fd00::2/128") == route)
    }

    /// Router 2 does not announce the link to router 1, so it is reached over 3 and 4.
    @Test func aLinkThatOnlyOneEndAnnouncesIsNotUsed() {
        var area = square()
        area.router(2, [cable(4, to: 4, 2)])
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::2/128")?.nextHops == [hop(3, 3, 1)])
        #expect(area.route("fd00::2/128")?.metric == 30)
    }

    /// The first two cables are equal and the third costs more. The links of both ends must have each other's interface IDs.
    @Test func parallelCablesAreMatchedByInterfaceID() {
        var area = Area()
        area.router(1, [cable(1, to: 2, 11), cable(2, to: 2, 12), cable(3, to: 2, 13, cost: 11), cable(4, to: 2, 14)])
        // Only router 1 announces the fourth cable. Router 2 has links back, but those of other cables.
        area.router(2, [cable(11, to: 1, 1), cable(12, to: 1, 2), cable(13, to: 1, 3)])
        area.prefixes(2, [LSAPrefix("fd00::2/128", 5)])
        let neighbors = (1...4).map { neighbor($0, 2, $0 + 10) }
        area.run(1, neighbors)
        #expect(
            area.route("fd00::2/128")
                == Destination(
                    kind: .intraArea, metric: 15, announcers: [2], nextHops: [hop(1, 2, 11), hop(2, 2, 12)]))
        // A cable without a usable neighbor gives no next hop.
        area.run(1, [neighbors[1]])
        #expect(area.route("fd00::2/128")?.nextHops == [hop(2, 2, 12)])
        area.run(1, [])
        #expect(area.route("fd00::2/128") == nil)
    }

    /// Routers 2, 3 and 4 announce one prefix; 2 and 3 are the nearest, both at 10.
    @Test func anycastUsesAllNearestAnnouncers() {
        var area = square()
        for router in [2, 3, 4] as [RouterID] {
            area.prefixes(router, [LSAPrefix("fd00::a/128")], linkStateID: 1)
        }
        area.run(1, squareNeighbors)
        #expect(
            area.route("fd00::a/128")
                == Destination(
                    kind: .intraArea, metric: 10, announcers: [2, 3], nextHops: [hop(2, 2, 1), hop(3, 3, 1)],
                    isAnycast: true))
        area.remove(.intraAreaPrefix, 2, linkStateID: 1)
        let update = area.run(1, squareNeighbors)
        #expect(area.route("fd00::a/128")?.announcers == [3])
        // The destination changes in place; the route still refers to it.
        #expect(update.routes.isEmpty && update.destinations.count == 1)
        #expect(area.calculation.statistics.prefixRuns == 1)
        // A router that announces the prefix itself has no route to it, even if another announces it at a lower metric.
        area.prefixes(1, [LSAPrefix("fd00::a/128", 1000)], linkStateID: 1)
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::a/128") == nil)
    }

    /// Both sums of distance and metric are 21: 10 + 11 to router 2 and 20 + 1 to router 4.
    @Test func theMetricOfAPrefixIsAddedToTheDistance() {
        var area = square()
        area.prefixes(2, [LSAPrefix("fd00::a/128", 11)], linkStateID: 1)
        area.prefixes(4, [LSAPrefix("fd00::a/128", 1)], linkStateID: 1)
        area.run(1, squareNeighbors)
        let expected = Destination(
            kind: .intraArea, metric: 21, announcers: [2, 4], nextHops: [hop(2, 2, 1), hop(3, 3, 1)], isAnycast: true)
        #expect(area.route("fd00::a/128") == expected)
    }

    /// LSInfinity has 24 bits and is for inter-area and external LSAs (RFC 2328 §B). The largest metric of an intra-area
    /// prefix, 0xffff, only says that any other announcer is preferred.
    @Test func aPrefixAtTheLargestMetricIsReachable() {
        var area = square()
        area.prefixes(2, [LSAPrefix("fd00::a/128", 0xffff), LSAPrefix("fd00::b/128", 0xffff)], linkStateID: 1)
        area.prefixes(4, [LSAPrefix("fd00::b/128", 0xfffe)], linkStateID: 1)
        area.run(1, squareNeighbors)
        let expected = Destination(kind: .intraArea, metric: 0x10009, announcers: [2], nextHops: [hop(2, 2, 1)])
        #expect(area.route("fd00::a/128") == expected)
        #expect(area.route("fd00::b/128")?.announcers == [2], "router 2 is at 65545, router 4 at 65554")
        area.prefixes(2, [])
        area.remove(.intraAreaPrefix, 2, linkStateID: 1)
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::a/128") == nil && area.route("fd00::b/128")?.announcers == [4])
    }

    /// With the R-bit clear, router 2 itself is reached, but router 4 only over 3 (RFC 5340 §A.2).
    @Test func noPathLeadsThroughAStubRouter() {
        var area = square()
        area.router(2, [cable(1, to: 1, 2), cable(4, to: 4, 2)], options: [.v6, .e])
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::4/128")?.nextHops == [hop(3, 3, 1)])
        #expect(area.route("fd00::2/128")?.nextHops == [hop(2, 2, 1)])
        #expect(area.calculation.nodes().map(\.isStub) == [false, true, false, false])
    }

    /// With the V6-bit clear, router 2 is excluded from the calculation (RFC 5340 §A.2).
    @Test func routersWithoutTheV6BitAreExcluded() {
        var area = square()
        area.router(2, [cable(1, to: 1, 2), cable(4, to: 4, 2)], options: [.r, .e])
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::2/128") == nil)
        #expect(area.route("fd00::4/128")?.nextHops == [hop(3, 3, 1)])
    }

    /// The links of all router-LSAs of a router count. Flags and options are those of the LSA with the lowest link state ID
    /// (RFC 5340 §A.4.3), so the R-bit that the second lacks does not matter.
    @Test func theLinksOfAllRouterLSAsOfARouterCount() {
        var area = square()
        area.router(2, [cable(1, to: 1, 2)], linkStateID: 0)
        area.router(2, [cable(4, to: 4, 2)], options: [.v6], linkStateID: 7)
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::4/128")?.nextHops.count == 2)
        area.remove(.router, 2, linkStateID: 7)
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::4/128")?.nextHops.count == 1)
        #expect(area.route("fd00::2/128")?.metric == 10)
    }

    @Test func prefixesForOtherRoutersAndUnusablePrefixesAreIgnored() {
        var area = square()
        // Router 3 announces a prefix for router 2. Router 2 announces a link-local and a multicast prefix, and one with the
        // NU-bit.
        area.set(
            LSAKey(type: .intraAreaPrefix, linkStateID: 9, advertisingRouter: 3),
            .intraAreaPrefix(
                IntraAreaPrefixLSA(
                    referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: 2,
                    prefixes: [LSAPrefix("fd00::b/128")])))
        area.prefixes(
            2,
            [
                LSAPrefix("fe80::/64"), LSAPrefix("ff02::5/128"), LSAPrefix("fd00::d/128"),
                LSAPrefix(prefix: "fd00::c/128", options: .noUnicast),
            ], linkStateID: 1)
        area.run(1, squareNeighbors)
        #expect(Set(area.table.routes.keys) == ["fd00::2/128", "fd00::3/128", "fd00::4/128", "fd00::d/128"])
    }

    /// While one of two LSAs with the prefix is left, the update is empty.
    @Test func aPrefixThatMovesBetweenLSAsCausesNoUpdate() {
        var area = square()
        area.run(1, squareNeighbors)
        area.prefixes(4, [LSAPrefix("fd00::4/128"), LSAPrefix("fd00::44/128")], linkStateID: 3)
        area.run(1, squareNeighbors)
        area.prefixes(4, [])
        #expect(area.run(1, squareNeighbors).isEmpty)
        #expect(area.route("fd00::4/128") != nil)
        area.remove(.intraAreaPrefix, 4, linkStateID: 3)
        area.run(1, squareNeighbors)
        #expect(area.route("fd00::4/128") == nil)
    }

    /// The queries for `meshctl`: names, nodes, candidates of a prefix, and prefixes that several routers announce.
    @Test func queriesReturnNamesNodesCandidatesAndDuplicatePrefixes() {
        var area = square()
        area.set(
            LSAKey(type: .routerInformation, linkStateID: 0, advertisingRouter: 4),
            .routerInformation(RouterInformationLSA(values: [.hostname("four")])))
        area.prefixes(2, [LSAPrefix("fd00:a::/64", 3)], linkStateID: 1)
        area.prefixes(4, [LSAPrefix("fd00:a::/64", 3), LSAPrefix("fd00::2/128")], linkStateID: 1)
        area.run(1, squareNeighbors)
        #expect(area.calculation.hostname(of: 4) == "four")
        let nodes = area.calculation.nodes()
        #expect(nodes.map(\.routerID) == [1, 2, 3, 4])
        #expect(nodes.map(\.distance) == [0, 10, 10, 20])
        #expect(nodes[3].hostname == "four" && nodes[3].prefixes.count == 3)
        #expect(nodes[3].nextHops == [hop(2, 2, 1), hop(3, 3, 1)])
        #expect(area.calculation.duplicatePrefixes() == [DuplicatePrefix(prefix: "fd00:a::/64", routers: [2, 4])])
        let candidates = area.calculation.candidates(for: "fd00:a::/64")
        #expect(candidates.map(\.announcer) == [2, 4])
        #expect(candidates.map(\.distance) == [10, 20])
        #expect(candidates.map(\.isBest) == [true, false])
        area.set(LSAKey(type: .routerInformation, linkStateID: 0, advertisingRouter: 4), nil)
        #expect(area.calculation.hostname(of: 4) == nil)
    }

    /// IPv4 prefixes are in LSAs of their own type. In an intra-area-prefix-LSA (10.9.0.0/16) they are ignored, as are
    /// link-local, multicast and loopback prefixes everywhere.
    @Test func ipv4PrefixesShareTheDestinationOfTheirRouter() {
        var area = square()
        area.prefixes(4, [LSAPrefix("2001:db8:4::/120"), LSAPrefix("10.9.0.0/16")])
        area.ipv4Prefixes(4, [LSAPrefix("10.4.0.0/24"), LSAPrefix("0.0.0.0/0", 5)])
        area.ipv4Prefixes(2, [LSAPrefix("169.254.0.0/16"), LSAPrefix("224.0.0.0/24"), LSAPrefix("127.0.0.1/32")])
        area.ipv4Prefixes(3, [LSAPrefix("0.0.0.0/0", 65535)])
        area.run(1, squareNeighbors)
        let ipv4 = area.table.routes.keys.filter { $0.ipv4 != nil }
        #expect(Set(ipv4) == ["10.4.0.0/24", "0.0.0.0/0"])
        // Both families share a destination, so the kernel needs one next-hop group.
        #expect(area.table.routes["10.4.0.0/24"] == area.table.routes["2001:db8:4::/120"])
        #expect(area.route("10.4.0.0/24")?.nextHops == [hop(2, 2, 1), hop(3, 3, 1)])
        #expect(area.route("0.0.0.0/0")?.metric == 25)
        #expect(area.calculation.candidates(for: "0.0.0.0/0").map(\.metric) == [5, 65535])
        // Several routers may announce a default route, but a prefix should belong to one node.
        area.ipv4Prefixes(2, [LSAPrefix("0.0.0.0/0"), LSAPrefix("10.4.0.0/24")])
        area.run(1, squareNeighbors)
        #expect(area.calculation.duplicatePrefixes().map(\.prefix) == ["10.4.0.0/24"])
        area.remove(.ipv4Prefix, 4)
        area.remove(.ipv4Prefix, 2)
        area.run(1, squareNeighbors)
        #expect(area.route("0.0.0.0/0")?.metric == 65545, "a prefix at the largest metric is reachable")
        area.remove(.ipv4Prefix, 3)
        area.run(1, squareNeighbors)
        #expect(!area.table.routes.keys.contains { $0.ipv4 != nil })
    }
}
