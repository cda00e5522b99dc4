import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct NetworkRouteTests {
    /// Routers 1, 2, 3 on one shared link (3 is designated, interface 30), and 4 behind 2 and 3 by cable.
    private func lan() -> Area {
        var area = Area()
        area.router(1, [transit(10, designated: 3, 30, cost: 5)])
        area.router(2, [transit(20, designated: 3, 30, cost: 7), cable(24, to: 4, 42)])
        area.router(3, [transit(30, designated: 3, 30, cost: 9), cable(34, to: 4, 43)])
        area.router(4, [cable(42, to: 2, 24), cable(43, to: 3, 34)])
        area.network(3, interface: 30, [3, 1, 2])
        area.prefixes(3, [LSAPrefix("fd00:1::/64")], part: 30, network: 30)
        area.prefixes(4, [LSAPrefix("fd00::4/128")])
        area.prefixes(2, [LSAPrefix("fd00::2/128")])
        return area
    }
    private let neighbors = [neighbor(10, 2, 20), neighbor(10, 3, 30)]

    @Test func routersOnTheLinkAreReachedDirectly() {
        var area = lan()
        area.run(1, neighbors)
        #expect(
            area.route("fd00::2/128")
                == Destination(kind: .intraArea, metric: 5, announcers: [2], nextHops: [hop(10, 2, 20)]))
        #expect(
            area.route("fd00::4/128")
                == Destination(
                    kind: .intraArea, metric: 15, announcers: [4], nextHops: [hop(10, 2, 20), hop(10, 3, 30)].sorted()))
    }

    @Test func theLinksPrefixGoesToTheDesignatedRouter() {
        var area = lan()
        area.run(1, neighbors)
        #expect(area.route("fd00:1::/64")?.nextHops == [hop(10, 3, 30)])
        #expect(area.route("fd00:1::/64")?.announcers == [3])
        // Seen from the designated router it is its own; seen from elsewhere there are two ways.
        area.run(3, [neighbor(30, 1, 10), neighbor(30, 2, 20), neighbor(34, 4, 43)])
        #expect(area.route("fd00:1::/64") == nil)
        area.run(4, [neighbor(42, 2, 24), neighbor(43, 3, 34)])
        #expect(
            area.route("fd00:1::/64")
                == Destination(kind: .intraArea, metric: 17, announcers: [3], nextHops: [hop(42, 2, 24)]))
    }

    @Test func whoIsNotInTheNetworkLSAIsNotOnIt() {
        var area = lan()
        area.network(3, interface: 30, [3, 1])
        area.run(1, neighbors)
        #expect(area.route("fd00::2/128")?.nextHops == [hop(10, 3, 30)])
        #expect(area.route("fd00::2/128")?.metric == 25)
        area.remove(.network, 3, part: 30)
        area.run(1, neighbors)
        #expect(area.table.routes.isEmpty && area.table.destinations.isEmpty)
    }

    @Test func aNeighborNotHeardGivesNoNextHop() {
        var area = lan()
        area.run(1, [neighbor(10, 3, 30)])
        #expect(area.route("fd00::2/128") == nil)
        #expect(area.route("fd00::4/128")?.nextHops == [hop(10, 3, 30)])
    }
}
