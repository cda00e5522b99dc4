import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct ExternalRouteTests {
    /// 1–2 at cost 10, 1–3 at cost 20. 2 and 3 are border and AS boundary routers.
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

    @Test func interAreaRoutesTakeTheBestBorder() {
        var area = fork()
        area.interAreaPrefix(2, "fd01::/32", metric: 15)
        area.interAreaPrefix(3, "fd01::/32", metric: 5)
        area.interAreaPrefix(2, "fd02::/32", metric: 0xff_ffff, part: 1)
        area.run(1, neighbors)
        #expect(
            area.route("fd01::/32")
                == Destination(kind: .interArea, metric: 25, announcers: [2, 3], nextHops: [to2, to3]))
        #expect(area.route("fd02::/32") == nil)
        // Without the B-bit its word counts no more.
        area.router(2, [cable(1, to: 1, 2)], flags: [.external])
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [3])
        #expect(area.calculation.statistics.fullRuns == 1 && area.calculation.statistics.prefixRuns == 1)
    }

    /// Nothing is routed through a router whose R-bit is clear (RFC 5340 §A.2), so neither into other areas.
    @Test func bordersThatCarryNothingAreNotUsed() {
        var area = fork()
        area.interAreaPrefix(2, "fd01::/32", metric: 1)
        area.interAreaPrefix(3, "fd01::/32", metric: 5)
        area.interAreaRouter(2, to: 9, metric: 1)
        area.external(9, "fd02::/32", metric: 1)
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [2] && area.route("fd02::/32")?.nextHops == [to2])
        // No path changes with the bit, as nobody is behind the router.
        area.router(2, [cable(1, to: 1, 2)], flags: [.border, .external], options: [.v6, .e])
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [3])
        #expect(area.route("fd02::/32") == nil)
        // What it announces itself, also from outside, is still to be had from it.
        area.external(2, "fd03::/32", metric: 1, part: 1)
        area.prefixes(2, [LSAPrefix("fd00::2/128")])
        area.run(1, neighbors)
        #expect(area.route("fd00::2/128")?.nextHops == [to2] && area.route("fd03::/32")?.nextHops == [to2])
        area.router(2, [cable(1, to: 1, 2)], flags: [.border, .external])
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [2] && area.route("fd02::/32")?.nextHops == [to2])
    }

    @Test func kindsComeBeforeMetrics() {
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
        // The worse kinds step in when the better are out of reach.
        area.router(3, [])
        area.run(1, neighbors)
        #expect(area.route(prefix)?.kind == .interArea)
        #expect(area.calculation.candidates(for: prefix).map(\.distance) == [10, 10, nil, nil])
    }

    @Test func type2ComparesMetricsThenDistances() {
        var area = fork()
        area.external(2, .default, metric: 20)
        area.external(3, .default, metric: 10)
        area.run(1, neighbors)
        #expect(
            area.route(.default)
                == Destination(
                    kind: .externalType2, metric: 10, internalMetric: 20, announcers: [3], nextHops: [to3]))
        area.external(3, .default, metric: 20)
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == [2])
        #expect(area.route(.default)?.internalMetric == 10)
        area.router(1, [cable(2, to: 2, 1), cable(3, to: 3, 1)])
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == [2, 3])
        #expect(area.route(.default)?.nextHops == [to2, to3])
        // An announcer that is no AS boundary router says nothing.
        area.router(2, [cable(1, to: 1, 2)])
        area.run(1, neighbors)
        #expect(area.route(.default)?.announcers == [3])
    }

    @Test func ownExternalsAreLocalWhileTheyAreTheBest() {
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

    @Test func boundaryRoutersOfOtherAreasAreFoundThroughBorders() {
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

    /// RFC 2328 §16.4.1: a path inside an area other than the backbone comes before any through a border router.
    @Test(arguments: [false, true]) func boundaryRoutersInsideAnotherAreaArePreferred(isBackbone: Bool) {
        var area = fork(isBackbone: isBackbone)
        area.router(1, [cable(2, to: 2, 1, cost: 1), cable(3, to: 3, 1, cost: 100)])
        area.interAreaRouter(2, to: 9, metric: 1)
        for (part, type2) in [false, true].enumerated() {
            let prefix: IPv6Prefix = type2 ? "fd02::/32" : "fd01::/32"
            area.external(3, prefix, type2: type2, metric: 5, part: UInt32(part))
            area.external(9, prefix, type2: type2, metric: 5, part: UInt32(part))
            area.run(1, neighbors)
            #expect(area.route(prefix)?.announcers == (isBackbone ? [9] : [3]))
            #expect(area.calculation.candidates(for: prefix).map(\.announcer) == (isBackbone ? [9, 3] : [3, 9]))
            #expect(area.calculation.candidates(for: prefix).map(\.isBest) == [true, false])
        }
        // The metric of type 2 comes first of all.
        area.external(9, "fd02::/32", type2: true, metric: 4, part: 1)
        area.run(1, neighbors)
        #expect(area.route("fd02::/32")?.announcers == [9])
        // Once nobody inside announces it, the other serves.
        area.remove(.asExternal, 3)
        area.run(1, neighbors)
        #expect(area.route("fd01::/32")?.announcers == [9])
    }

    /// The same holds for the way to a forwarding address.
    @Test(arguments: [false, true]) func forwardingAddressesInsideAnotherAreaArePreferred(isBackbone: Bool) {
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

    @Test func forwardingAddressesAreFollowed() {
        var area = fork()
        let gateway = IPv6Address(0xfd00, 0, 0, 0, 0, 0, 0, 99)
        area.external(2, .default, metric: 7, forwarding: gateway)
        area.run(1, neighbors)
        #expect(area.route(.default) == nil)
        // A route to it, by the longest prefix, and not by an external one.
        area.external(3, "fd00::63/128", metric: 1, part: 1)
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
        // The announcer has to be reachable all the same.
        area.router(2, [cable(1, to: 1, 2)], flags: [.border])
        area.run(1, neighbors)
        #expect(area.route(.default) == nil)
    }

    @Test func aForwardingAddressOnALinkIsFollowedWhenOnlyPrefixesChange() {
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

    @Test func changesFarBehindTheAnnouncerAreFollowed() {
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
        // Only router 4 gets farther away, neither announcer does, and no neighbor of the root is another.
        area.router(2, [cable(1, to: 1, 2), cable(4, to: 4, 2, cost: 30)], flags: [.border, .external])
        area.run(1, neighbors)
        #expect(area.route(.default)?.internalMetric == 30 && area.route(.default)?.nextHops == [to3])
        #expect(area.route("fd09::/32")?.metric == 36 && area.route("fd09::/32")?.nextHops == [to3])
        // A change that no path from here depends on.
        area.router(4, [cable(2, to: 2, 4, cost: 50), cable(3, to: 3, 4)], flags: .border)
        #expect(area.run(1, neighbors).isEmpty)
        #expect(area.calculation.statistics.fullRuns == 2 && area.calculation.statistics.incrementalRuns == 1)
    }
}
