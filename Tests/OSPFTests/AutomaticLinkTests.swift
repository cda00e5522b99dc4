import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// Interfaces of kind `auto`: point-to-point until a second neighbor appears, or one that elects a designated router.
@Suite struct AutomaticLinkTests {
    /// The current kind of each router's first interface.
    private func kinds(_ bench: Bench) -> [InterfaceConfiguration.Kind] {
        bench.routers.map { $0.interfaceSnapshots[0].effectiveKind }
    }

    private func change(_ bench: inout Bench, _ router: Int, to kind: InterfaceConfiguration.Kind) {
        var configuration = bench.routers[router].interfaceSnapshots[0].configuration
        configuration.kind = kind
        bench.handle(.interfaceUp(configuration), on: router)
    }

    private func advertise(_ bench: inout Bench) {
        for router in bench.routers.indices {
            let prefix = AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::\(router)/128")!)
            bench.handle(.advertise([prefix]), on: router)
        }
    }

    /// Routers 0 and 1 have routes to each other's prefix.
    private func expectRoutes(_ bench: Bench, sourceLocation: SourceLocation = #_sourceLocation) {
        for router in 0..<2 {
            let hops = bench.nextHops(of: "2001:db8::\(router)/128", on: 1 - router)
            #expect(hops == [.init(router: router, interface: 1)], sourceLocation: sourceLocation)
        }
    }

    /// Router 1 is configured as broadcast for about 9 s, so router 0 becomes broadcast too. Then router 1 is `auto` again, and
    /// both ends become point-to-point: at whatever moment of the hello interval, 1 s, that is (`moment`, in steps of 53 ms),
    /// and also if the first hello of router 1 is lost.
    @Test(arguments: 0..<20, [false, true])
    func aLinkIsPointToPointAgainWhenBothEndsAreAutomatic(moment: Int, losesFirstHello: Bool) {
        var bench = Bench()
        bench.addRouters(2)
        advertise(&bench)
        bench.connect([0, 1], kind: .auto)
        bench.run(for: .seconds(3))
        change(&bench, 1, to: .broadcast)
        bench.run(for: .seconds(9) + .milliseconds(53 * moment))
        #expect(kinds(bench) == [.broadcast, .broadcast])
        expectRoutes(bench)
        if losesFirstHello { bench.filter = { port, _ in port.router == 0 } }
        change(&bench, 1, to: .auto)
        bench.filter = { _, _ in true }
        bench.run(for: .seconds(6))
        #expect(kinds(bench) == [.pointToPoint, .pointToPoint])
        #expect(bench.routers.allSatisfy { $0.neighborSnapshots.map(\.state) == [.full] })
        expectRoutes(bench)
        let before = bench.routers.map(\.statistics.neighborStateChanges)
        bench.run(for: .seconds(60))
        #expect(bench.routers.map(\.statistics.neighborStateChanges) == before)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// The notice says what made the link broadcast: a neighbor that elects a designated router, or a second neighbor.
    @Test func theNoticeSaysWhyALinkBecameBroadcast() {
        var bench = Bench()
        bench.addRouters(3)
        bench.connect([0, 1], kind: .auto) { router, port in if router == 1 { port.kind = .broadcast } }
        bench.run(for: .seconds(5))
        #expect(bench.notices[0].contains(.followsElection(interface: 1, neighbor: RouterID(2))))
        #expect(!bench.notices[0].contains(.becameBroadcast(interface: 1)))
        change(&bench, 1, to: .auto)
        bench.run(for: .seconds(5))
        #expect(bench.notices[0].contains(.becamePointToPoint(interface: 1)))
        bench.connect([2, 0, 1], kind: .auto)
        bench.run(for: .seconds(5))
        for router in 0..<3 { #expect(bench.notices[router].contains(.becameBroadcast(interface: 2))) }
    }

    /// A broadcast neighbor that restarts names no designated router while it is in Waiting, so the other end tries
    /// point-to-point, but only for 500 ms (`Router.pointToPointTrial`).
    @Test func anAutomaticLinkIsBroadcastAgainAfterItsBroadcastNeighborRestarts() {
        var bench = Bench()
        bench.addRouters(2)
        advertise(&bench)
        bench.connect([0, 1], kind: .auto) { router, port in if router == 1 { port.kind = .broadcast } }
        bench.run(for: .seconds(9))
        var interface = bench.routers[1].interfaceSnapshots[0].configuration
        interface.deadInterval = .seconds(4)
        bench.routers[1] = Router(
            configuration: RouterConfiguration(routerID: RouterID(2), seed: 50), at: bench.now)
        bench.handle(.advertise([AdvertisedPrefix(prefix: "2001:db8::1/128")]), on: 1)
        bench.handle(.interfaceUp(interface), on: 1)
        bench.run(for: .milliseconds(800))
        #expect(kinds(bench) == [.broadcast, .broadcast])
        #expect(bench.routers.allSatisfy { $0.neighborSnapshots.map(\.state) == [.full] })
        bench.run(for: .seconds(1))
        expectRoutes(bench)
    }

    /// A second neighbor makes the link broadcast, and all neighbors are lost while the interface is in Waiting.
    @Test func aLinkThatLosesAllNeighborsWhileWaitingIsPointToPointAgain() {
        var bench = Bench()
        bench.addRouters(3)
        bench.connect([0, 1, 2], kind: .auto)
        bench.run(for: .milliseconds(1))
        #expect(bench.routers[0].interfaceSnapshots[0].state == .waiting)
        bench.cut = [0]
        bench.run(for: .seconds(10))
        #expect(kinds(bench) == [.pointToPoint, .pointToPoint, .pointToPoint])
    }

    /// One router after the other shuts down, and starts again after 300 ms.
    @Test func aSegmentStaysBroadcastWhenItsRoutersRestart() {
        var bench = Bench()
        bench.addRouters(4)
        bench.connect([0, 1, 2, 3], kind: .auto)
        bench.run(for: .seconds(10))
        for router in 0..<4 {
            let interface = bench.routers[router].interfaceSnapshots[0].configuration
            bench.handle(.shutdown, on: router)
            bench.run(for: .milliseconds(300))
            bench.routers[router] = Router(configuration: bench.routers[router].configuration, at: bench.now)
            bench.handle(.interfaceUp(interface), on: router)
            bench.run(for: .seconds(8))
            #expect(kinds(bench) == [.broadcast, .broadcast, .broadcast, .broadcast])
            #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
        }
    }
}
