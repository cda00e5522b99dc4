import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// Several ports of one router on one link (RFC 5340 §4.9), as when two cables lead into one switch: one port is active, the
/// others are on standby.
@Suite struct StandbyTests {
    typealias Kind = InterfaceConfiguration.Kind
    typealias Port = Bench.Port
    private static let kinds: [Kind] = [.pointToPoint, .auto, .broadcast]

    private static func prefix(_ router: Int) -> AdvertisedPrefix {
        AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::\(router)/128")!)
    }

    /// Routers 0 and 1 on one link, with these numbers of ports. Their interface IDs are 1, 2, … and 11, 12, ….
    private func bench(_ kind: Kind, ports: [Int]) -> Bench {
        var bench = Bench()
        bench.addRouters(ports.count)
        for router in ports.indices { bench.handle(.advertise([Self.prefix(router)]), on: router) }
        let all = ports.indices.flatMap { router in
            (0..<ports[router]).map { Port(router: router, interface: UInt32(10 * router + $0 + 1)) }
        }
        bench.connect(all, kind: kind)
        return bench
    }

    private func states(_ bench: Bench, _ router: Int) -> [InterfaceState] {
        bench.routers[router].interfaceSnapshots.map(\.state)
    }

    /// Lets time pass, and returns the number of changes of neighbors' states in it.
    private func changes(_ bench: inout Bench, in time: Duration) -> UInt64 {
        let before = bench.routers.map(\.statistics.neighborStateChanges).reduce(0, +)
        bench.run(for: time)
        return bench.routers.map(\.statistics.neighborStateChanges).reduce(0, +) - before
    }

    /// Every router reaches each other one over the latter's active port.
    private func expectRoutes(_ bench: Bench, _ active: [Port], sourceLocation: SourceLocation = #_sourceLocation) {
        for (router, port) in active.enumerated() {
            for other in bench.routers.indices where other != router {
                #expect(
                    bench.nextHops(of: "2001:db8::\(router)/128", on: other) == [port],
                    "next hops to router \(router) from \(other)", sourceLocation: sourceLocation)
            }
        }
    }

    /// When all ports come up together, the one with the lowest interface ID becomes active.
    @Test(arguments: kinds, [[2, 1], [1, 2], [2, 2], [3, 1]])
    func onePortIsActiveAndTheOthersAreOnStandby(kind: Kind, ports: [Int]) {
        var bench = bench(kind, ports: ports)
        bench.run(for: .seconds(10))
        for router in ports.indices {
            let snapshots = bench.routers[router].interfaceSnapshots
            #expect(snapshots[0].state != .standby && snapshots[0].standbyFor == nil)
            #expect(
                snapshots.dropFirst().allSatisfy {
                    $0.state == .standby && $0.standbyFor == snapshots[0].configuration.index
                })
            #expect(snapshots.dropFirst().allSatisfy { $0.neighborCount == 0 })
            let notices = bench.notices[router].count { if case .standby = $0 { true } else { false } }
            #expect(notices == ports[router] - 1, "one notice for each port on standby")
            #expect(bench.routers[router].isSynchronized)
        }
        expectRoutes(bench, [Port(router: 0, interface: 1), Port(router: 1, interface: 11)])
        bench.sent = []
        #expect(changes(&bench, in: .seconds(120)) == 0)
        #expect(bench.sent.allSatisfy { [1, 11].contains($0.from.interface) }, "a port on standby sends nothing")
        // In 120 s each active port sends a hello every 0.9 to 1 s, and nothing else.
        #expect(bench.sent.count < 2 * 130)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
        #expect(bench.routers[0].databaseChecksum == bench.routers[1].databaseChecksum)
    }

    /// The active port goes down; the next is active at once. On a broadcast link, Waiting lasts 2 s.
    @Test(arguments: kinds) func aStandbyPortTakesOverWhenTheActivePortGoesDown(kind: Kind) {
        var bench = bench(kind, ports: [3, 1])
        bench.run(for: .seconds(10))
        let first = bench.routers[0].interfaceSnapshots[0].configuration
        bench.handle(.interfaceDown(index: 1), on: 0)
        bench.links[0].removeAll { $0 == Port(router: 0, interface: 1) }
        bench.run(for: kind == .broadcast ? .seconds(3) : .milliseconds(100))
        #expect(states(bench, 0)[0] != .standby && states(bench, 0)[1] == .standby)
        expectRoutes(bench, [Port(router: 0, interface: 2), Port(router: 1, interface: 11)])
        // The first comes up again, listens, and is on standby, because the second has neighbors.
        bench.run(for: .seconds(5))
        bench.links[0].append(Port(router: 0, interface: 1))
        bench.handle(.interfaceUp(first), on: 0)
        #expect(changes(&bench, in: .seconds(30)) == 0)
        #expect(states(bench, 0)[0] == .standby && states(bench, 0)[1] != .standby && states(bench, 0)[2] == .standby)
    }

    /// The port on standby is plugged into another link, where router 2 is.
    @Test(arguments: kinds) func aStandbyPortThatIsMovedToAnotherLinkBecomesActive(kind: Kind) {
        var bench = bench(kind, ports: [2, 1])
        bench.run(for: .seconds(10))
        bench.links[0].removeAll { $0 == Port(router: 0, interface: 2) }
        bench.addRouters(1)
        bench.handle(.advertise([Self.prefix(2)]), on: 2)
        let known = bench.routers[0].interfaceSnapshots[1].configuration
        bench.connect([Port(router: 0, interface: 2), Port(router: 2, interface: 21)], kind: kind) { router, port in
            if router == 0 { port = known }
        }
        bench.run(for: .seconds(10))
        #expect(!states(bench, 0).contains(.standby))
        #expect(bench.nextHops(of: "2001:db8::2/128", on: 0) == [Port(router: 2, interface: 21)])
        #expect(bench.nextHops(of: "2001:db8::1/128", on: 2) == [Port(router: 0, interface: 2)])
        #expect(changes(&bench, in: .seconds(60)) == 0)
    }

    /// A port that is added to a link in use is on standby before it sends anything.
    @Test(arguments: kinds) func aSecondPortOnALinkInUseChangesNoNeighborState(kind: Kind) {
        var bench = bench(kind, ports: [1, 1])
        bench.run(for: .seconds(10))
        let port = Port(router: 0, interface: 2)
        bench.links[0].append(port)
        let configuration = InterfaceConfiguration(
            index: 2, name: "eth2", mtu: 1500, linkLocalAddress: Bench.address(port), kind: kind)
        bench.handle(.interfaceUp(configuration), on: 0)
        #expect(changes(&bench, in: .seconds(30)) == 0)
        #expect(states(bench, 0)[1] == .standby)
        expectRoutes(bench, [Port(router: 0, interface: 1), Port(router: 1, interface: 11)])
    }

    /// A hello forged in the name of one of our interfaces and received on another puts at most that other one on standby,
    /// until the dead interval (4 s) is over.
    @Test func aForgedHelloPutsOnlyTheReceivingInterfaceOnStandby() {
        var bench = Bench()
        bench.addRouters(3)
        bench.connect([Port(router: 0, interface: 1), Port(router: 1, interface: 11)])
        bench.connect([Port(router: 0, interface: 2), Port(router: 2, interface: 21)])
        bench.run(for: .seconds(5))
        for (receivedOn, sentFrom) in [(1, 2), (2, 1)] as [(UInt32, UInt32)] {
            let source = Bench.address(Port(router: 0, interface: sentFrom))
            let hello = Hello(
                interfaceID: sentFrom, priority: 1, options: [.v6, .e, .r], helloInterval: 1, deadInterval: 4,
                designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [])
            let packet = Packet(
                header: PacketHeader(routerID: RouterID(1), areaID: .backbone, instanceID: 0), body: .hello(hello))
            let octets = packet.encode(source: source, destination: .allSPFRouters)
            bench.handle(
                .packet(interface: receivedOn, source: source, destination: .allSPFRouters, octets: octets), on: 0)
        }
        #expect(states(bench, 0) == [.pointToPoint, .standby])
        bench.run(for: .seconds(6))
        #expect(states(bench, 0) == [.pointToPoint, .pointToPoint])
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.full, .full])
    }

    /// A router with our router ID is not taken for another port of ours, even if its interface ID is that of one.
    @Test func aRouterWithOurIDIsNotTakenForAnotherPort() {
        var bench = Bench()
        for seed in [UInt64(1), 2] {
            _ = bench.addRouter(RouterConfiguration(routerID: RouterID(7), seed: seed))
        }
        bench.connect([Port(router: 0, interface: 1), Port(router: 1, interface: 2)])
        bench.connect([Port(router: 0, interface: 2)])
        bench.run(for: .seconds(10))
        #expect(!states(bench, 0).contains(.standby))
        #expect(bench.notices[0].contains { if case .duplicateRouterID = $0 { true } else { false } })
    }

    /// The router with the larger link-local address expects the other to change its ID. If that one does not, it changes its
    /// own, and says so.
    @Test func aRouterThatChangesItsIDBecauseTheOtherDoesNotReportsIt() {
        var bench = Bench()
        for seed in [UInt64(1), 2] {
            var configuration = RouterConfiguration(routerID: RouterID(7), seed: seed)
            configuration.routerIDIsDerived = seed == 2
            _ = bench.addRouter(configuration)
        }
        bench.connect([Port(router: 0, interface: 1), Port(router: 1, interface: 1)])
        #expect(Bench.address(Port(router: 0, interface: 1)) < Bench.address(Port(router: 1, interface: 1)))
        bench.run(for: .seconds(30))
        #expect(bench.routers[0].routerID == RouterID(7) && bench.routers[1].routerID != RouterID(7))
        let notices = bench.notices[1].filter { if case .duplicateRouterID = $0 { true } else { false } }
        #expect(
            notices == [
                .duplicateRouterID(RouterID(7), seenOn: 1, weYield: false),
                .duplicateRouterID(RouterID(7), seenOn: 1, weYield: true),
            ])
    }
}
