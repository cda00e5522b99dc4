import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct NetworkRouteTests {
    /// Routers 1, 2 and 3 on a segment, at costs 5, 7 and 9; 3 is the designated router, with interface 30. Router 4 has cables
    /// to 2 and 3, at cost 10. The prefix of the segment is fd00:1::/64.
    private func lan() -> Area {
        var area = Area()
        area.router(1, [transit(10, designated: 3, 30, cost: 5)])
        area.router(2, [transit(20, designated: 3, 30, cost: 7), cable(24, to: 4, 42)])
        area.router(3, [transit(30, designated: 3, 30, cost: 9), cable(34, to: 4, 43)])
        area.router(4, [cable(42, to: 2, 24), cable(43, to: 3, 34)])
        area.network(3, interface: 30, [3, 1, 2])
        area.prefixes(3, [LSAPrefix("fd00:1::/64")], linkStateID: 30, network: 30)
        area.prefixes(4, [LSAPrefix("fd00::4/128")])
        area.prefixes(2, [LSAPrefix("fd00::2/128")])
        return area
    }
    /// Of router 1.
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

    /// RFC 5340 §4.8.2, RFC 2328 §16.1.1: a router that is attached to a network, also the designated router, reaches the
    /// network's prefix over the link itself, without a gateway.
    @Test func thePrefixOfAnAttachedNetworkIsReachedWithoutAGateway() {
        var area = lan()
        area.run(1, neighbors)
        #expect(
            area.route("fd00:1::/64")
                == Destination(kind: .intraArea, metric: 5, announcers: [3], nextHops: [onLink(10)]))
        // Any usable neighbor on the link suffices; it need not be the designated router.
        area.run(1, [neighbors[0]])
        #expect(area.route("fd00:1::/64")?.nextHops == [onLink(10)])
        area.run(1, [])
        #expect(area.route("fd00:1::/64") == nil)
        area.run(3, [neighbor(30, 1, 10), neighbor(30, 2, 20), neighbor(34, 4, 43)])
        #expect(
            area.route("fd00:1::/64")
                == Destination(kind: .intraArea, metric: 9, announcers: [3], nextHops: [onLink(30)]))
        // From router 4, the segment is at 10 + 7 over router 2 and at 10 + 9 over router 3.
        area.run(4, [neighbor(42, 2, 24), neighbor(43, 3, 34)])
        #expect(
            area.route("fd00:1::/64")
                == Destination(kind: .intraArea, metric: 17, announcers: [3], nextHops: [hop(42, 2, 24)]))
    }

    /// If the forwarding address is on an attached network, it is the gateway (RFC 2328 §16.4 (3)), also for the designated
    /// router.
    @Test(arguments: [1, 3] as [RouterID]) func aForwardingAddressOnTheLinkIsTheGateway(root: RouterID) {
        var area = lan()
        area.router(2, [transit(20, designated: 3, 30, cost: 7), cable(24, to: 4, 42)], flags: .external)
        let gateway = IPv6Address(0xfd00, 1, 0, 0, 0, 0, 0, 99)
        area.external(2, .default, metric: 7, forwarding: gateway)
        area.external(2, "fd02::/32", metric: 7, linkStateID: 1)
        let interface: UInt32 = root == 1 ? 10 : 30
        let usableNeighbors = root == 1 ? neighbors : [neighbor(30, 1, 10), neighbor(30, 2, 20), neighbor(34, 4, 43)]
        area.run(root, usableNeighbors)
        #expect(
            area.route(.default)
                == Destination(
                    kind: .externalType2, metric: 7, internalMetric: root == 1 ? 5 : 9, announcers: [2],
                    nextHops: [NextHop(interface: interface, gateway: gateway)]))
        #expect(area.route("fd02::/32")?.nextHops == [hop(interface, 2, 20)])
        // Nothing has changed.
        #expect(area.run(root, usableNeighbors).isEmpty)
        area.external(2, .default, metric: 7)
        area.run(root, usableNeighbors)
        #expect(area.route(.default)?.nextHops == [hop(interface, 2, 20)])
    }

    /// From router 1 to the segment: 17 directly, and 10 + 3 + 4 over routers 4 and 3. So its prefix, and a forwarding address
    /// on it, have both next hops.
    @Test func theLinkAndAnEqualPathAroundItAreBothUsed() {
        var area = lan()
        area.router(1, [transit(10, designated: 3, 30, cost: 17), cable(14, to: 4, 41)])
        area.router(4, [cable(41, to: 1, 14, cost: 3), cable(42, to: 2, 24), cable(43, to: 3, 34, cost: 3)])
        area.router(2, [transit(20, designated: 3, 30, cost: 7), cable(24, to: 4, 42)])
        area.router(3, [transit(30, designated: 3, 30, cost: 4), cable(34, to: 4, 43)])
        area.external(2, .default, metric: 7, forwarding: IPv6Address(0xfd00, 1, 0, 0, 0, 0, 0, 99))
        area.router(2, [transit(20, designated: 3, 30, cost: 7), cable(24, to: 4, 42)], flags: .external)
        area.run(1, neighbors + [neighbor(14, 4, 41)])
        #expect(area.route("fd00:1::/64")?.nextHops == [onLink(10), hop(14, 4, 41)])
        let gateway = NextHop(interface: 10, gateway: IPv6Address(0xfd00, 1, 0, 0, 0, 0, 0, 99))
        #expect(area.route(.default)?.nextHops == [gateway, hop(14, 4, 41)])
    }

    /// A router that the network-LSA does not list is not reached over the segment: router 2 is at 5 + 10 + 10, over routers 3
    /// and 4. Without the network-LSA, router 1 reaches nobody.
    @Test func aRouterMissingFromTheNetworkLSAIsNotReachedOverTheSegment() {
        var area = lan()
        area.network(3, interface: 30, [3, 1])
        area.run(1, neighbors)
        #expect(area.route("fd00::2/128")?.nextHops == [hop(10, 3, 30)])
        #expect(area.route("fd00::2/128")?.metric == 25)
        area.remove(.network, 3, linkStateID: 30)
        area.run(1, neighbors)
        #expect(area.table.routes.isEmpty && area.table.destinations.isEmpty)
    }

    /// The link to router 2 is in the database, but router 2 is no usable neighbor.
    @Test func aRouterThatIsNoUsableNeighborGivesNoNextHop() {
        var area = lan()
        area.run(1, [neighbor(10, 3, 30)])
        #expect(area.route("fd00::2/128") == nil)
        #expect(area.route("fd00::4/128")?.nextHops == [hop(10, 3, 30)])
    }
}
