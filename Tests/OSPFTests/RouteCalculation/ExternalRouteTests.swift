import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct ExternalRouteTests {
    /// Links 1–2 at cost 10 and, from 1 to 3, at cost 20. Routers 2 and 3 are area border and AS boundary routers. The ID of an
    /// interface is the number of the router at the other end. The root is router 1 in all tests here.
    private func fork(isBackbone: Bool = true) -> Area {
        var area = Area(isBackbone: isBackbone)
        area.router(1, [cable(2, to: 2, 1), cable(3, to: 3, 1, cost: 20)])
        area.router(2, [cable(1, to: 1, 2)], flags: [.border, .external])
        area.router(3, [cable(1, to: 1, 3)], flags: [.border, .external])
        return area
    }
    private let neighbors = [neighbor(2, 2, 1), neighbor(3, 3, 1)]
    private let to2 = hop(2, 2, 1)
    private let to3 = hop(3, 3, 1)

    /// To fd01::/32: 10 + 15 over border router 2 and 20 + 5 over 3 are equal. 0xff_ffff is LSInfinity: fd02::/32 is
    /// unreachable.
    @Test func interAreaRoutesUseTheBestBorderRouters() {
        var area = fork()
        area.interAreaPrefix(2, "fd01::/32", metric: 15)
        area.interAreaPrefix(3, "fd01::/32", metric: 5)
        area.interAreaPrefix(2, "fd02::/32", metric: 0xff_ffff, linkStateID: 1)
        area.run(1, neighbors)
        #expect(
            area.route("fd01::/32")
                == Destination(kind: .interArea, metric: 25, announcers: [2, 3], nextHops: [to2, to3]))
        #expect(area.route("fd02::/32") == nil)
        // Without the B-bit, the inter-area-prefix-LSA of router 2 does not count. No path changes, so paths are not searched
        // again.
        area.router(2, [cable(1, to: 1, 2)], flags: [.external])
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [3])
        #expect(area.calculation.statistics.fullRuns == 1 && area.calculation.statistics.prefixRuns == 1)
    }

    /// A router whose R-bit is clear forwards nothing (RFC 5340 §A.2), so it is not used as a border router either.
    @Test func borderRoutersWithoutTheRBitAreNotUsed() {
        var area = fork()
        area.interAreaPrefix(2, "fd01::/32", metric: 1)
        area.interAreaPrefix(3, "fd01::/32", metric: 5)
        area.interAreaRouter(2, to: 9, metric: 1)
        area.external(9, "fd02::/32", metric: 1)
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [2] && area.route("fd02::/32")?.nextHops == [to2])
        // No shortest path changes with the bit, as no router is reached through router 2.
        area.router(2, [cable(1, to: 1, 2)], flags: [.border, .external], options: [.v6, .e])
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [3])
        #expect(area.route("fd02::/32") == nil)
        // Its own prefixes are still reached, also external ones.
        area.external(2, "fd03::/32", metric: 1, linkStateID: 1)
        area.prefixes(2, [LSAPrefix("fd00::2/128")])
        area.run(1, neighbors)
        #expect(area.route("fd00::2/128")?.nextHops == [to2] && area.route("fd03::/32")?.nextHops == [to2])
        area.router(2, [cable(1, to: 1, 2)], flags: [.border, .external])
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [2] && area.route("fd02::/32")?.nextHops == [to2])
    }

    /// Intra-area is preferred to inter-area, then external type 1, then type 2, whatever the metrics (RFC 2328 §11, §16.4).
    @Test func pathKindsAreComparedBeforeMetrics() {
        var area = fork()
        let prefix: IPv6Prefix = "fd01::/32"
        area.external(2, prefix, type2: true, metric: 1)
        area.run(1, neighbors)
        #expect(area.route(prefix)?.kind == .externalType2)
        area.external(3, prefix, type2: false, metric: 1000)
        area.run(1, neighbors)
        #expect(
            area.route(prefix)
                == Destination(kind: .externalType1, metric: 1020, announcers: [3], nextHops: [to3]))
        area.interAreaPrefix(2, prefix, metric: 5000)
        area.run(1, neighbors)
        #expect(area.route(prefix)?.kind == .interArea)
        area.prefixes(3, [LSAPrefix(prefix, 60000)])
        area.run(1, neighbors)
        #expect(area.route(prefix)?.kind == .intraArea && area.route(prefix)?.metric == 60020)
        #expect(
            area.calculation.candidates(for: prefix).map(\.kind) == [
                .intraArea, .interArea, .externalType1, .externalType2,
            ])
        // If router 3 is unreachable, so are the intra-area and type 1 paths: the best of the others is used.
        area.router(3, [])
        area.run(1, neighbors)
        #expect(area.route(prefix)?.kind == .interArea)
        #expect(area.calculation.candidates(for: prefix).map(\.distance) == [10, 10, nil, nil])
    }

    /// The lower external metric first; if equal, the lower distance to the announcer (RFC 2328 §16.4).
    @Test func type2PathsAreComparedByMetricThenByDistance() {
        var area = fork()
        area.external(2, .default, metric: 20)
        area.external(3, .default, metric: 10)
        area.run(1, neighbors)
        #expect(
            area.route(.default)
                == Destination(
                    kind: .externalType2, metric: 10, internalMetric: 20, announcers: [3], nextHops: [to3],
                    isAnycast: true))
        area.external(3, .default, metric: 20)
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == [2])
        #expect(area.route(.default)?.internalMetric == 10)
        area.router(1, [cable(2, to: 2, 1), cable(3, to: 3, 1)])
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == [2, 3])
        #expect(area.route(.default)?.nextHops == [to2, to3])
        // The AS-external-LSA of a router without the E-bit does not count.
        area.router(2, [cable(1, to: 1, 2)])
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == [3])
    }

    /// A prefix that the root imports itself has no route, unless another router has a lower type 2 metric.
    @Test func anOwnExternalPrefixHasNoRouteUnlessAnotherRouterHasALowerMetric() {
        var area = fork()
        area.router(1, [cable(2, to: 2, 1), cable(3, to: 3, 1, cost: 20)], flags: [.external])
        area.external(1, .default, metric: 10)
        area.external(2, .default, metric: 10)
        area.run(1, neighbors)
        #expect(area.route(.default) == nil)
        area.external(2, .default, metric: 9)
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == [2])
    }

    /// Router 9 is in another area. Its distance is 10 + 14 over border router 2 and 20 + 4 over 3; its own metric is 3.
    @Test func boundaryRoutersOfOtherAreasAreReachedThroughBorderRouters() {
        var area = fork()
        area.external(9, .default, type2: false, metric: 3)
        area.run(1, neighbors)
        #expect(area.route(.default) == nil)
        area.interAreaRouter(2, to: 9, metric: 14)
        area.interAreaRouter(3, to: 9, metric: 4)
        area.run(1, neighbors)
        #expect(
            area.route(.default)
                == Destination(kind: .externalType1, metric: 27, announcers: [9], nextHops: [to2, to3]))
        area.interAreaRouter(3, to: 9, metric: 5)
        area.run(1, neighbors)
        #expect(area.route(.default)?.nextHops == [to2])
        area.remove(.interAreaRouter, 2)
        area.run(1, neighbors)
        #expect(area.route(.default)?.metric == 28)
        area.remove(.interAreaRouter, 3)
        area.run(1, neighbors)
        #expect(area.route(.default) == nil)
        #expect(area.calculation.statistics.fullRuns == 1)
    }

    /// RFC 2328 §16.4.1: an intra-area path to an AS boundary router is preferred to one through a border router, unless the
    /// area is the backbone. Router 3 is inside the area at distance 100, router 9 behind border router 2 at 1 + 1.
    @Test(arguments: [false, true]) func intraAreaPathsToBoundaryRoutersArePreferredOutsideTheBackbone(isBackbone: Bool)
    {
        var area = fork(isBackbone: isBackbone)
        area.router(1, [cable(2, to: 2, 1, cost: 1), cable(3, to: 3, 1, cost: 100)])
        area.interAreaRouter(2, to: 9, metric: 1)
        for (part, type2) in [false, true].enumerated() {
            let prefix: IPv6Prefix = type2 ? "fd02::/32" : "fd01::/32"
            area.external(3, prefix, type2: type2, metric: 5, linkStateID: UInt32(part))
            area.external(9, prefix, type2: type2, metric: 5, linkStateID: UInt32(part))
            area.run(1, neighbors)
            #expect(area.route(prefix)?.announcers == (isBackbone ? [9] : [3]))
            #expect(area.calculation.candidates(for: prefix).map(\.announcer) == (isBackbone ? [9, 3] : [3, 9]))
            #expect(area.calculation.candidates(for: prefix).map(\.isBest) == [true, false])
        }
        // A lower type 2 metric is preferred whatever the path to the announcer.
        area.external(9, "fd02::/32", type2: true, metric: 4, linkStateID: 1)
        area.run(1, neighbors)
        #expect(area.route("fd02::/32")?.announcers == [9])
        // When no router inside the area announces the prefix any more, the path to router 9 is used.
        area.remove(.asExternal, 3)
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [9])
    }

    /// RFC 2328 §16.4.1 for forwarding addresses: that of router 2 is on an intra-area prefix at distance 100, that of router 3
    /// on an inter-area prefix at 1 + 1.
    @Test(arguments: [false, true]) func intraAreaPathsToForwardingAddressesArePreferredOutsideTheBackbone(
        isBackbone: Bool
    ) {
        var area = fork(isBackbone: isBackbone)
        area.router(1, [cable(2, to: 2, 1, cost: 1), cable(3, to: 3, 1, cost: 100)])
        area.prefixes(3, [LSAPrefix("fd00::/64")])
        area.interAreaPrefix(2, "fd00:1::/64", metric: 1)
        area.external(2, .default, metric: 5, forwarding: IPv6Address(0xfd00, 0, 0, 0, 0, 0, 0, 9))
        area.external(3, .default, metric: 5, forwarding: IPv6Address(0xfd00, 1, 0, 0, 0, 0, 0, 9))
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == (isBackbone ? [3] : [2]))
        #expect(area.route(.default)?.nextHops == (isBackbone ? [to2] : [to3]))
    }

    /// An external path with a forwarding address leads there; without a route to that address, there is no path (RFC 2328
    /// §16.4 (3)).
    @Test func externalRoutesLeadToTheForwardingAddress() {
        var area = fork()
        let gateway = IPv6Address(0xfd00, 0, 0, 0, 0, 0, 0, 99)
        area.external(2, .default, metric: 7, forwarding: gateway)
        area.run(1, neighbors)
        #expect(area.route(.default) == nil)
        // The route to the gateway, fd00::63, is the one with the longest prefix that is not external.
        area.external(3, "fd00::63/128", metric: 1, linkStateID: 1)
        area.prefixes(2, [LSAPrefix("fd00::/64", 1)])
        area.run(1, neighbors)
        #expect(
            area.route(.default)
                == Destination(
                    kind: .externalType2, metric: 7, internalMetric: 11, announcers: [2], nextHops: [to2]))
        area.prefixes(3, [LSAPrefix("fd00::/96", 2)])
        area.run(1, neighbors)
        #expect(area.route(.default)?.nextHops == [to3])
        #expect(area.route(.default)?.internalMetric == 22)
        // The announcer must still be an AS boundary router.
        area.router(2, [cable(1, to: 1, 2)], flags: [.border])
        area.run(1, neighbors)
        #expect(area.route(.default) == nil)
    }

    /// A change of the prefix that contains the forwarding address changes the external route, without a new search of paths.
    @Test func aChangedPrefixOfTheForwardingAddressChangesTheExternalRoute() {
        var area = fork()
        let gateway = IPv6Address(0xfd00, 0, 0, 0, 0, 0, 0, 99)
        area.external(2, .default, metric: 7, forwarding: gateway)
        area.prefixes(2, [LSAPrefix("fd00::/64")])
        area.run(1, neighbors)
        let update = { (area: inout Area) in area.run(1, [neighbor(2, 2, 1), neighbor(3, 3, 1)]) }
        area.prefixes(3, [LSAPrefix("fd00::/120")])
        #expect(update(&area).destinations.count == 2)
        #expect(area.route(.default)?.nextHops == [to3])
        area.prefixes(3, [])
        _ = update(&area)
        #expect(area.route(.default)?.nextHops == [to2])
        #expect(area.calculation.statistics.fullRuns == 1)
        area.remove(.asExternal, 2)
        _ = update(&area)
        #expect(area.route(.default) == nil)
    }

    /// External routes follow changes of distances to what they depend on: the router with the prefix of the forwarding address
    /// (router 4, at 10 + 10), and the border router to the announcer (router 4: 20 + 5 + 1 to fd09::/32).
    @Test func distanceChangesBeyondTheAnnouncerChangeExternalRoutes() {
        var area = fork()
        area.router(2, [cable(1, to: 1, 2), cable(4, to: 4, 2)], flags: [.border, .external])
        area.router(3, [cable(1, to: 1, 3), cable(4, to: 4, 3)], flags: [.border, .external])
        area.router(4, [cable(2, to: 2, 4), cable(3, to: 3, 4)], flags: .border)
        area.prefixes(4, [LSAPrefix("fd00::/64")])
        area.external(2, .default, metric: 7, forwarding: IPv6Address(0xfd00, 0, 0, 0, 0, 0, 0, 99))
        area.external(9, "fd09::/32", type2: false, metric: 1)
        area.interAreaRouter(4, to: 9, metric: 5)
        area.run(1, neighbors)
        #expect(area.route(.default)?.internalMetric == 20 && area.route(.default)?.nextHops == [to2])
        #expect(area.route("fd09::/32")?.metric == 26)
        // Router 4 is farther away, at 20 + 10 over router 3. The distance to announcer 2 and the root's first hops are as
        // before.
        area.router(2, [cable(1, to: 1, 2), cable(4, to: 4, 2, cost: 30)], flags: [.border, .external])
        area.run(1, neighbors)
        #expect(area.route(.default)?.internalMetric == 30 && area.route(.default)?.nextHops == [to3])
        #expect(area.route("fd09::/32")?.metric == 36 && area.route("fd09::/32")?.nextHops == [to3])
        // No shortest path from the root uses the link from 4 to 2, so the update is empty, and no search is made.
        area.router(4, [cable(2, to: 2, 4, cost: 50), cable(3, to: 3, 4)], flags: .border)
        #expect(area.run(1, neighbors).isEmpty)
        #expect(area.calculation.statistics.fullRuns == 2 && area.calculation.statistics.incrementalRuns == 1)
    }
}
