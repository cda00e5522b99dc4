import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct AdjacencyTests {
    @Test func anAdjacencyOverACableIsFullWithin20Milliseconds() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1])
        bench.run(for: .milliseconds(20))
        for router in bench.routers {
            #expect(router.neighborSnapshots.map(\.state) == [.full])
        }
        #expect(bench.routers[0].databaseChecksum == bench.routers[1].databaseChecksum)
        bench.run(for: .seconds(2))
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// The highest router IDs, 4 and 3, become designated router and backup, as all priorities are equal.
    @Test func aSegmentElectsADesignatedRouter() {
        var bench = Bench()
        bench.addRouters(4)
        bench.connect([0, 1, 2, 3], kind: .broadcast)
        bench.run(for: .seconds(10))
        let states = bench.routers.map { $0.interfaceSnapshots[0].state }
        #expect(states == [.drOther, .drOther, .backup, .designated])
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.twoWay, .full, .full])
        #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// Router 1 has a cable to router 0, and a segment with routers 2 and 3.
    @Test func anAutomaticCableStaysPointToPointAndASegmentBecomesBroadcast() {
        var bench = Bench()
        bench.addRouters(4)
        bench.connect([0, 1], kind: .auto)
        bench.connect([1, 2, 3], kind: .auto)
        bench.run(for: .seconds(10))
        #expect(bench.routers[0].interfaceSnapshots[0].effectiveKind == .pointToPoint)
        #expect(bench.routers[1].interfaceSnapshots.map(\.effectiveKind) == [.pointToPoint, .broadcast])
        #expect(bench.routers[2].neighborSnapshots.map(\.state) == [.full, .full])
        #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
    }

    /// The dead interval is 4 s.
    @Test func anAdjacencyEndsWhenNoHelloArrivesForTheDeadInterval() {
        var bench = Bench()
        bench.addRouters(2)
        let link = bench.connect([0, 1])
        bench.run(for: .seconds(3))
        bench.cut.insert(link)
        bench.run(for: .milliseconds(4100))
        #expect(bench.routers[0].neighborSnapshots.isEmpty)
        bench.cut.remove(link)
        bench.run(for: .seconds(2))
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.full])
    }

    /// The ends have MTUs of 1500 and 9000, so router 0 rejects the descriptions of router 1 (RFC 2328 §10.6).
    @Test func anMTUMismatchIsReportedOnBothSides() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1]) { router, configuration in if router == 1 { configuration.mtu = 9000 } }
        bench.run(for: .seconds(2))
        for router in 0..<2 {
            #expect(bench.notices[router].contains { if case .mtuMismatch = $0 { true } else { false } })
            #expect(bench.routers[router].neighborSnapshots.map(\.state) != [.full])
        }
    }

    /// A mismatch causes one notice. Its deadline passes when its hellos stop. When it appears again, it causes another notice.
    @Test(arguments: [Notice.HelloField.helloInterval, .deadInterval, .area])
    func aHelloMismatchIsReportedOnceAndEndsWhenItsHellosStop(field: Notice.HelloField) {
        var bench = Bench()
        for number in 1...2 {
            let area = field == .area && number == 2 ? AreaID(rawValue: 9) : .backbone
            _ = bench.addRouter(
                RouterConfiguration(routerID: RouterID(UInt32(number)), areaID: area, seed: UInt64(number)))
        }
        var theirs = field == .area ? 9 : 0
        let link = bench.connect([0, 1]) { router, configuration in
            if router == 1, field == .helloInterval { configuration.helloInterval = .seconds(2) }
            if router == 1, field == .deadInterval { configuration.deadInterval = .seconds(8) }
            if field == .helloInterval { theirs = Int(configuration.helloInterval.components.seconds) }
            if field == .deadInterval { theirs = Int(configuration.deadInterval.components.seconds) }
        }
        bench.run(for: .seconds(10))
        let mismatches = bench.routers[0].interfaceSnapshots[0].mismatches
        #expect(mismatches.map(\.neighbor) == [RouterID(2)] && mismatches.map(\.field) == [field])
        #expect(mismatches.map(\.theirs) == [theirs] && mismatches.allSatisfy { $0.deadline > bench.now })
        #expect(bench.routers[0].neighborSnapshots.isEmpty)
        #expect(bench.notices[0].count { if case .helloMismatch = $0 { true } else { false } } == 1)

        bench.cut.insert(link)
        bench.run(for: .seconds(10))
        // 10 s are longer than either dead interval, 4 or 8 s.
        #expect(
            bench.routers[0].interfaceSnapshots[0].mismatches.allSatisfy { $0.deadline <= bench.now },
            "a mismatch ends when its hellos stop")
        bench.cut.remove(link)
        bench.run(for: .seconds(2))
        #expect(
            bench.notices[0].count { if case .helloMismatch = $0 { true } else { false } } == 2,
            "a mismatch that appears again is reported again")
    }

    /// Several instances may share a link (RFC 5340 §2.4), so a hello of another instance (7) is a mismatch only where there is
    /// no neighbor of ours.
    @Test(arguments: [false, true]) func anotherInstanceIDIsAMismatchOnlyWithoutANeighbor(hasNeighbor: Bool) {
        var bench = Bench()
        for number in 1...(hasNeighbor ? 3 : 2) {
            _ = bench.addRouter(
                RouterConfiguration(
                    routerID: RouterID(UInt32(number)), instanceID: number == 2 ? 7 : 0, seed: UInt64(number)))
        }
        if hasNeighbor {
            bench.connect([0, 2]) { $1.kind = .broadcast }
            bench.connect([1]) { $1.kind = .broadcast }
        } else {
            bench.connect([0, 1])
        }
        bench.run(for: .seconds(10))
        let header = PacketHeader(routerID: RouterID(2), areaID: .backbone, instanceID: 7)
        let hello = Hello(
            interfaceID: 1, priority: 1, options: [.v6, .e, .r], helloInterval: 1, deadInterval: 4,
            designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [])
        let source = IPv6Address("fe80::77")!
        let octets = Packet(header: header, body: .hello(hello)).encode(source: source, destination: .allSPFRouters)
        bench.handle(.packet(interface: 1, source: source, destination: .allSPFRouters, octets: octets), on: 0)
        let mismatches = bench.routers[0].interfaceSnapshots[0].mismatches
        #expect(mismatches.map(\.field) == (hasNeighbor ? [] : [.instanceID]))
        #expect(mismatches.allSatisfy { ($0.theirs, $0.ours) == (7, 0) })
        #expect(bench.routers[0].neighborSnapshots.count == (hasNeighbor ? 1 : 0))
    }

    /// A packet to a neighbor with our own link-local address would never leave this machine.
    @Test func aRouterWithOurLinkLocalAddressDoesNotBecomeANeighbor() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1]) { $1.linkLocalAddress = IPv6Address("fe80::1")! }
        bench.run(for: .seconds(10))
        for router in 0..<2 {
            #expect(bench.routers[router].interfaceSnapshots[0].mismatches.map(\.field) == [.linkLocalAddress])
            #expect(bench.routers[router].neighborSnapshots.isEmpty)
            #expect(bench.notices[router].count { if case .helloMismatch = $0 { true } else { false } } == 1)
        }
    }

    /// The mismatches of at most 16 routers per interface are recorded (`Router.mismatchesPerInterface`), because hellos can be
    /// forged.
    @Test func atMost16MismatchesPerInterfaceAreRecorded() {
        var bench = Bench()
        bench.addRouters(1)
        bench.connect([0])
        for number in 2...1000 {
            let hello = Hello(
                interfaceID: 1, priority: 1, options: [.v6, .e, .r], helloInterval: UInt16(number), deadInterval: 1,
                designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [])
            let source = IPv6Address(high: 0xfe80 << 48, low: UInt64(number))
            let packet = Packet(
                header: PacketHeader(routerID: RouterID(UInt32(number)), areaID: .backbone, instanceID: 0),
                body: .hello(hello))
            let octets = packet.encode(source: source, destination: .allSPFRouters)
            bench.handle(
                .packet(interface: 1, source: source, destination: .allSPFRouters, octets: octets), on: 0)
        }
        #expect(bench.routers[0].interfaceSnapshots[0].mismatches.count == 16)
    }

    /// A neighbor whose address or router ID differs in every hello is replaced at most every 50 ms
    /// (`Router.replacementDistance`). Each new address needs an entry in the kernel's neighbor table; when that is full,
    /// nothing is sent on any interface.
    @Test(arguments: [InterfaceConfiguration.Kind.pointToPoint, .auto, .broadcast], [false, true])
    func aNeighborThatKeepsChangingIsReplacedAtMostEvery50Milliseconds(
        kind: InterfaceConfiguration.Kind, changesItsID: Bool
    ) {
        var bench = Bench()
        bench.addRouters(1)
        bench.connect([0], kind: kind)
        var known: Set<IPv6Address> = []
        var replacements = 0
        let perSecond = 1000
        for number in 0..<perSecond * 3 {
            let hello = Hello(
                interfaceID: 1, priority: 0, options: [.v6, .e, .r], helloInterval: 1, deadInterval: 4,
                designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [RouterID(1)])
            let source = IPv6Address(high: 0xfe80 << 48, low: UInt64(changesItsID ? 2 : number + 2))
            let packet = Packet(
                header: PacketHeader(
                    routerID: RouterID(changesItsID ? UInt32(number + 2) : 2), areaID: .backbone, instanceID: 0),
                body: .hello(hello))
            let octets = packet.encode(source: source, destination: .allSPFRouters)
            let before = bench.routers[0].neighborSnapshots.map(\.routerID)
            bench.handle(.packet(interface: 1, source: source, destination: .allSPFRouters, octets: octets), on: 0)
            let neighbors = bench.routers[0].neighborSnapshots
            known.formUnion(neighbors.map(\.address))
            if neighbors.map(\.routerID) != before { replacements += 1 }
            bench.run(for: .milliseconds(1000 / perSecond))
        }
        #expect(bench.routers[0].neighborSnapshots.count == 1)
        #expect(
            (changesItsID ? replacements : known.count) == 1 + 3 * 20,
            "one neighbor at first, and one replacement every 50 ms")
    }

    /// On one link, the router with the lower link-local address (router 0) changes its ID (RFC 7503 §7.1).
    @Test func ofTwoNeighborsWithTheSameIDTheOneWithTheLowerAddressChangesIt() {
        var bench = Bench()
        for fill in [UInt8(1), 2] {
            _ = bench.addRouter(
                RouterConfiguration(
                    routerID: RouterID(7), routerIDIsDerived: true,
                    hardwareFingerprint: [UInt8](repeating: fill, count: 32), seed: UInt64(fill)))
        }
        bench.connect([0, 1])
        bench.run(for: .seconds(5))
        #expect(bench.routers[0].routerID != RouterID(7))
        #expect(bench.routers[1].routerID == RouterID(7))
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.full])
    }

    /// Of two routers that are not on one link, the one with the lower fingerprint (router 0) changes its ID (RFC 7503 §7.2).
    @Test func ofTwoDistantRoutersWithTheSameIDTheOneWithTheLowerFingerprintChangesIt() {
        var bench = Bench()
        for (id, fill) in [(7, UInt8(1)), (8, 2), (7, 3)] {
            _ = bench.addRouter(
                RouterConfiguration(
                    routerID: RouterID(UInt32(id)), routerIDIsDerived: true,
                    hardwareFingerprint: [UInt8](repeating: fill, count: 32), seed: UInt64(fill)))
        }
        bench.connect([0, 1])
        bench.connect([1, 2])
        bench.run(for: .seconds(20))
        #expect(bench.routers[0].routerID != RouterID(7))
        #expect(bench.routers[2].routerID == RouterID(7))
        #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }
}

@Suite struct LostStateTests {
    /// A router that has lost its state has another fingerprint, lower or higher than before. It must not take the LSAs of its
    /// earlier run, which its neighbors still have, for those of another router.
    @Test(arguments: [UInt8(0), 5], [0, 10, 600]) func aRouterThatLostItsStateKeepsItsID(fill: UInt8, pause: Int) {
        var bench = Bench()
        func configuration(_ router: Int, fill: UInt8) -> RouterConfiguration {
            RouterConfiguration(
                routerID: RouterID(UInt32(router + 1)), routerIDIsDerived: true,
                hardwareFingerprint: [UInt8](repeating: fill, count: 32), seed: UInt64(fill))
        }
        for router in 0..<4 { _ = bench.addRouter(configuration(router, fill: UInt8(router + 1))) }
        for link in [[0, 1], [1, 2], [2, 3], [3, 0]] { bench.connect(link) }
        // Until after a refresh (1800 s), so that its LSAs have higher sequence numbers than those that it will start with.
        bench.run(for: .seconds(2000))
        let interfaces = bench.routers[1].interfaceSnapshots.map(\.configuration)
        let cables = bench.links.indices.filter { bench.links[$0].contains { $0.router == 1 } }
        bench.cut.formUnion(cables)
        bench.run(for: .seconds(pause))
        bench.cut.subtract(cables)
        bench.routers[1] = Router(configuration: configuration(1, fill: fill), at: bench.now)
        for interface in interfaces { bench.handle(.interfaceUp(interface), on: 1) }
        bench.run(for: .seconds(60))
        #expect(bench.routers[1].routerID == RouterID(2))
        #expect(bench.routers[1].neighborSnapshots.map(\.state) == [.full, .full])
        #expect(bench.routers.allSatisfy { $0.duplicateRouterIDSeen == nil })
        #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
    }
}

@Suite struct InterfaceDownTests {
    /// Found by the simulator: when an interface went down, the loss of each neighbor caused an election, whose outcome was
    /// sent in a hello on that interface.
    @Test(arguments: [InterfaceConfiguration.Kind.pointToPoint, .broadcast])
    func noPacketIsSentOnAnInterfaceThatGoesDown(kind: InterfaceConfiguration.Kind) {
        var bench = Bench()
        bench.addRouters(4)
        bench.connect([0, 1, 2, 3].filter { kind == .broadcast || $0 < 2 }, kind: kind)
        bench.run(for: .seconds(10))
        bench.sent = []
        bench.handle(.interfaceDown(index: 1), on: 1)
        #expect(bench.sent.isEmpty)
    }

    /// Waiting lasts two hello intervals, 2 s. The neighbor is lost meanwhile, because it changes its address.
    @Test func theLossOfANeighborDoesNotEndWaiting() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1], kind: .broadcast)
        bench.run(for: .milliseconds(50))
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.twoWay])
        var moved = bench.routers[1].interfaceSnapshots[0].configuration
        moved.linkLocalAddress = IPv6Address(high: 0xfe80 << 48, low: 0xabcd)
        bench.handle(.interfaceUp(moved), on: 1)
        bench.run(for: .milliseconds(50))
        #expect(bench.routers[0].interfaceSnapshots[0].state == .waiting)
    }
}
