import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct LinkPrefixTests {
    /// A neighbor announces in its link-LSA that 2001:db8:1::/64 is on the link. The designated router announces the prefix for
    /// the network, so others send packets for it to the designated router, which must have the route itself.
    @Test func theDesignatedRouterHasARouteToThePrefixesOfItsLink() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1], kind: .broadcast)
        bench.run(for: .seconds(10))
        #expect(bench.routers[1].interfaceSnapshots[0].state == .designated)
        // From now on the test originates the neighbor's link-LSA. The neighbor receives no updates, or it would replace that.
        bench.filter = { port, octets in port.router == 0 || octets[1] != PacketType.linkStateUpdate.rawValue }
        let prefix: IPv6Prefix = "2001:db8:1::/64"
        let source = Bench.address(.init(router: 0, interface: 1))
        let link = LSA(
            key: LSAKey(type: .link, linkStateID: 1, advertisingRouter: RouterID(1)),
            sequenceNumber: LSAHeader.initialSequenceNumber + 100,
            body: .link(
                LinkLSA(
                    priority: 1, options: [.v6, .e, .r], linkLocalAddress: source, prefixes: [LSAPrefix(prefix: prefix)]
                )))
        let packet = Packet(
            header: PacketHeader(routerID: RouterID(1), areaID: .backbone, instanceID: 0),
            body: .linkStateUpdate(LinkStateUpdate(lsas: [link])))
        bench.handle(
            .packet(
                interface: 1, source: source, destination: .allSPFRouters,
                octets: packet.encode(source: source, destination: .allSPFRouters)), on: 1)
        bench.run(for: .milliseconds(100))
        let announced = bench.routers[1].databaseSnapshot(at: bench.now).contains {
            $0.isOwn && $0.lsa.key.type == .intraAreaPrefix
        }
        #expect(announced)
        let table = bench.routers[1].routeTable
        let destination = table.routes[prefix].flatMap { table.destinations[$0] }
        #expect(destination?.nextHops == [NextHop(onLink: 1)])
        #expect(destination?.announcers == [RouterID(2)])
    }
}
