import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct FloodingTests {
    /// `count` prefixes of length 120, `2001:db8:0:ROUTER::NUMBER00/120`.
    static func prefixes(_ count: Int, of router: Int = 1) -> [AdvertisedPrefix] {
        (0..<count).map {
            AdvertisedPrefix(
                prefix: IPv6Prefix(
                    IPv6Address(high: 0x2001_0db8 << 32 | UInt64(router), low: UInt64($0) << 8), length: 120))
        }
    }

    /// Routers 0, 1 and 2 in a line, after 3 s: all adjacencies are Full and all is at rest.
    static func line() -> Bench {
        var bench = Bench()
        bench.addRouters(3)
        bench.connect([0, 1])
        bench.connect([1, 2])
        bench.run(for: .seconds(3))
        return bench
    }

    private func type(_ octets: [UInt8]) -> PacketType? { PacketType(rawValue: octets[1]) }

    /// A packet needs 100 µs per link. The flushed LSA stays in the databases for 1 s (`Router.maxAgeHold`).
    @Test func aPrefixIsAddedAndWithdrawnTwoHopsAwayWithinAMillisecond() {
        var bench = Self.line()
        bench.handle(.advertise(Self.prefixes(1)), on: 0)
        bench.run(for: .milliseconds(1))
        #expect(bench.nextHops(of: "2001:db8:0:1::/120", on: 2) == [Bench.Port(router: 1, interface: 2)])
        bench.handle(.advertise([]), on: 0)
        bench.run(for: .milliseconds(1))
        #expect(bench.routers[2].routeTable.routes.isEmpty)
        bench.run(for: .seconds(2))
        #expect(bench.routers.allSatisfy { $0.isQuiet })
        #expect(
            bench.routers[2].databaseSnapshot(at: bench.now).allSatisfy { $0.lsa.key.type != .intraAreaPrefix })
    }

    /// Prefixes stay in the LSAs that they are in, also when one in the middle is removed.
    @Test func aChangeOfOneAmongThousandsOfPrefixesFloodsOneLSA() {
        var bench = Self.line()
        bench.handle(.advertise(Self.prefixes(2000)), on: 0)
        bench.run(for: .seconds(3))
        #expect(bench.routers[2].routeTable.routes.count == 2000)
        let before = bench.routers[2].statistics.lsasInstalled
        bench.handle(.advertise(Self.prefixes(2001)), on: 0)
        bench.run(for: .seconds(1))
        #expect(bench.routers[2].statistics.lsasInstalled == before + 1)
        var fewer = Self.prefixes(2001)
        fewer.remove(at: 700)
        bench.handle(.advertise(fewer), on: 0)
        bench.run(for: .seconds(1))
        #expect(bench.routers[2].statistics.lsasInstalled == before + 2)
        #expect(bench.routers[2].routeTable.routes.count == 2000)
    }

    /// The smallest MTU of IPv6 is 1280, less 40 octets for the IPv6 header, 16 for the OSPF header and 4 for the number of
    /// LSAs. LSAs of more than 1000 octets show that the room is used.
    @Test func everyLSAFitsAPacketOfTheSmallestMTU() {
        var bench = Self.line()
        bench.handle(.advertise(Self.prefixes(500)), on: 0)
        bench.run(for: .seconds(1))
        let sizes = bench.routers[2].databaseSnapshot(at: bench.now).map(\.lsa.octets.count)
        #expect(sizes.max()! <= 1280 - 40 - 16 - 4)
        #expect(sizes.max()! > 1000)
    }

    /// At most 64 updates are sent at once (`FloodQueue.burst`). Hellos are at most a hello interval, 1 s, apart.
    @Test func aBigChangeIsPacedAndDelaysNoHello() {
        var bench = Self.line()
        bench.sent = []
        let start = bench.now
        bench.handle(.advertise(Self.prefixes(10_000)), on: 0)
        let atOnce = bench.sent.count { type($0.octets) == .linkStateUpdate }
        #expect(atOnce <= 64)
        bench.run(for: .milliseconds(50))
        #expect(bench.routers[2].routeTable.routes.count == 10_000)
        bench.run(for: .seconds(3))
        let hellos = bench.sent.filter { $0.from == .init(router: 0, interface: 1) && type($0.octets) == .hello }
        for (one, next) in zip([start] + hellos.map(\.at), hellos.map(\.at)) {
            #expect(next - one <= .seconds(1))
        }
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// A quarter of all packets are lost, except hellos.
    @Test func lostUpdatesAreRetransmitted() {
        var bench = Self.line()
        var random = 1
        bench.filter = { _, octets in
            random = random &* 1_103_515_245 &+ 12345
            return octets[1] == 1 || random >> 16 & 3 != 0
        }
        bench.handle(.advertise(Self.prefixes(3000)), on: 0)
        bench.run(for: .seconds(30))
        #expect(bench.routers[2].routeTable.routes.count == 3000)
        #expect(bench.routers[0].statistics.lsaRetransmissions > 0)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// 1000 s are less than LSRefreshTime, 1800 s.
    @Test func anIdleMeshSendsOnlyHellos() {
        var bench = Self.line()
        bench.handle(.advertise(Self.prefixes(10)), on: 0)
        bench.run(for: .seconds(5))
        bench.sent = []
        bench.run(for: .seconds(1000))
        #expect(!bench.sent.isEmpty)
        #expect(bench.sent.allSatisfy { type($0.octets) == .hello })
    }

    /// In 4000 s every LSA is refreshed twice (LSRefreshTime is 1800 s). On each link InfTransDelay, 1 s, is added to its age.
    @Test func ownLSAsAreRefreshedAndRoutesStay() {
        var bench = Self.line()
        bench.handle(.advertise(Self.prefixes(10)), on: 0)
        bench.run(for: .seconds(5))
        let calculations = bench.routers[2].calculationStatistics
        bench.run(for: .seconds(4000))
        #expect(bench.routers[2].routeTable.routes.count == 10)
        #expect(bench.routers[2].calculationStatistics.fullRuns == calculations.fullRuns)
        #expect(bench.routers[2].databaseSnapshot(at: bench.now).allSatisfy { $0.lsa.age <= 1810 })
        #expect(
            bench.routers[2].databaseSnapshot(at: bench.now).allSatisfy {
                $0.lsa.header.sequenceNumber > LSAHeader.initialSequenceNumber
            })
    }

    /// MaxAge is 3600 s.
    @Test func lsasOfAnUnreachableRouterAgeOut() {
        var bench = Self.line()
        bench.cut = [0]
        bench.run(for: .seconds(3500))
        let known = { (bench: Bench) in
            bench.routers[2].databaseSnapshot(at: bench.now).filter { $0.lsa.key.advertisingRouter == RouterID(1) }
        }
        #expect(!known(bench).isEmpty)
        bench.run(for: .seconds(120))
        #expect(known(bench).isEmpty)
        #expect(bench.routers[1].databaseChecksum == bench.routers[2].databaseChecksum)
    }

    /// A router that restarts without its state replaces the LSAs of its earlier run by newer instances, or flushes them.
    @Test func lsasOfAnEarlierRunAreReplacedOrFlushed() {
        var bench = Self.line()
        bench.handle(.advertise(Self.prefixes(200)), on: 0)
        for cost in UInt16(1)...9 {
            let configuration = bench.routers[0].interfaceSnapshots[0].configuration
            var changed = configuration
            changed.cost = cost
            bench.handle(.interfaceUp(changed), on: 0)
            bench.run(for: .seconds(1))
        }
        // The router starts again with fewer prefixes and without its state.
        let interface = bench.routers[0].interfaceSnapshots[0].configuration
        bench.routers[0] = Router(configuration: bench.routers[0].configuration, at: bench.now)
        bench.handle(.advertise(Self.prefixes(1)), on: 0)
        bench.handle(.interfaceUp(interface), on: 0)
        bench.run(for: .seconds(12))
        #expect(bench.routers[2].routeTable.routes.count == 1)
        #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// RFC 2328 §12.1.6: the instance with the last sequence number is flushed; a new sequence starts with negative numbers.
    @Test func aNewSequenceStartsAfterTheLastSequenceNumber() {
        var bench = Self.line()
        // An earlier run of router 0 used the last sequence number; router 1 receives that LSA from router 2.
        let key = LSAKey(type: .router, linkStateID: 0, advertisingRouter: RouterID(1))
        let last = LSA(
            key: key, sequenceNumber: LSAHeader.maxSequenceNumber,
            body: .router(RouterLSA(options: [.v6, .e, .r], links: [])))
        let source = Bench.address(.init(router: 2, interface: 2))
        let packet = Packet(
            header: PacketHeader(routerID: RouterID(3), areaID: .backbone, instanceID: 0),
            body: .linkStateUpdate(LinkStateUpdate(lsas: [last])))
        bench.handle(
            .packet(
                interface: 2, source: source, destination: .allSPFRouters,
                octets: packet.encode(source: source, destination: .allSPFRouters)), on: 1)
        bench.run(for: .seconds(20))
        for router in bench.routers {
            let lsa = router.databaseSnapshot(at: bench.now).first { $0.lsa.key == key }?.lsa
            #expect(lsa.map { $0.header.sequenceNumber < 0 } == true)
            // An acknowledgment of an instance of the earlier sequence, which may be sent twice, must not count for this one.
            #expect(lsa.map { $0.header.sequenceNumber > LSAHeader.initialSequenceNumber + 1000 } == true)
        }
        #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// A router that shuts down flushes its LSAs and sends a hello that lists nobody.
    @Test func aShutdownEndsTheAdjacencyAndRemovesRoutesWithin2Milliseconds() {
        var bench = Self.line()
        bench.handle(.advertise(Self.prefixes(3)), on: 0)
        bench.run(for: .seconds(1))
        bench.handle(.shutdown, on: 0)
        bench.run(for: .milliseconds(2))
        #expect(bench.routers[1].neighborSnapshots.allSatisfy { $0.routerID != RouterID(1) || $0.state <= .initial })
        #expect(bench.routers[2].routeTable.routes.isEmpty)
    }

    /// LSAs that grow, and LSAs that others originate with our router ID, count toward ``RouterLimits`` like all others.
    @Test func receivedLSAsNeverExceedTheLimits() throws {
        var bench = Bench()
        for index in 0..<2 {
            _ = bench.addRouter(
                RouterConfiguration(
                    routerID: RouterID(UInt32(index + 1)), limits: RouterLimits(lsas: 50, lsaOctets: 8192)))
        }
        bench.connect([0, 1])
        bench.run(for: .seconds(3))
        // Router 0 receives these from router 1, whose adjacency is Full. Type 0xa0ff is unknown and has area scope.
        func flood(_ linkStateIDs: Range<UInt32>, of router: RouterID, sequenceNumber: Int32, octets: Int) {
            for id in linkStateIDs {
                let key = LSAKey(type: LSAType(rawValue: 0xa0ff), linkStateID: id, advertisingRouter: router)
                let body = LSABody.unknown([UInt8](repeating: 0, count: octets))
                let update = LinkStateUpdate(lsas: [LSA(key: key, sequenceNumber: sequenceNumber, body: body)])
                let header = PacketHeader(routerID: 2, areaID: .backbone, instanceID: 0)
                let (source, destination) = (Bench.address(.init(router: 1, interface: 1)), IPv6Address.allSPFRouters)
                let packet = Packet(header: header, body: .linkStateUpdate(update))
                bench.handle(
                    .packet(
                        interface: 1, source: source, destination: destination,
                        octets: packet.encode(source: source, destination: destination)), on: 0)
            }
        }
        flood(0..<30, of: 9, sequenceNumber: 1, octets: 4)
        flood(0..<30, of: 9, sequenceNumber: 2, octets: 4000)
        #expect(bench.routers[0].databaseSize.octets <= 8192)
        flood(0..<100, of: 1, sequenceNumber: 1, octets: 4)
        #expect(bench.routers[0].databaseSize.lsas <= 50 && bench.routers[0].databaseSize.lsas > 30)
        #expect(bench.routers[0].statistics.rejections[.limit, default: 0] > 50)
        // The limits do not apply to the router's own LSAs.
        let before = bench.routers[0].databaseSize.lsas
        bench.handle(.advertise(Self.prefixes(200)), on: 0)
        #expect(bench.routers[0].databaseSize.lsas > before)
    }
}

@Suite struct SynchronizationTests {
    /// A router that starts again is synchronized only when the router-LSAs of its neighbors have their links to it again, not
    /// as soon as the neighbors are Full (``Router/isSynchronized``).
    @Test func aRestartedRouterIsSynchronizedOnlyWhenItsNeighborsAnnounceLinksToIt() {
        var bench = FloodingTests.line()
        bench.handle(.advertise(FloodingTests.prefixes(5, of: 9)), on: 2)
        bench.run(for: .seconds(1))
        let interface = bench.routers[0].interfaceSnapshots[0].configuration
        // Restarts in a row make router 1 delay its router-LSA (`OriginationThrottle`).
        for _ in 0..<6 {
            bench.handle(.shutdown, on: 0)
            bench.run(for: .milliseconds(50))
            bench.routers[0] = Router(configuration: bench.routers[0].configuration, at: bench.now)
            bench.handle(.interfaceUp(interface), on: 0)
            var waited = Duration.zero
            while !bench.routers[0].isSynchronized, waited < .seconds(10) {
                bench.run(for: .milliseconds(1))
                waited += .milliseconds(1)
            }
            #expect(waited < .seconds(5))
            #expect(bench.routers[0].routeTable.routes.count == 5)
        }
    }

    /// A router with our ID that originates no fingerprint is detected because it keeps originating newer router-LSAs: at least
    /// 5, over at least 15 s (`DuplicateDetection.threshold`).
    @Test func aDuplicateWithoutAFingerprintIsDetectedByItsRepeatedOriginations() {
        var bench = FloodingTests.line()
        var notices: [Notice] { bench.notices[0] }
        let derived = RouterConfiguration(routerID: RouterID(1), routerIDIsDerived: true, seed: 5)
        let interface = bench.routers[0].interfaceSnapshots[0].configuration
        bench.routers[0] = Router(configuration: derived, at: bench.now)
        bench.handle(.interfaceUp(interface), on: 0)
        bench.run(for: .seconds(2))
        // LSAs of an earlier run arrive within seconds too, so newer LSAs in so short a time are no sign of a duplicate.
        func receiveNewerLSAs(_ count: Int, every pause: Duration) {
            for _ in 0..<count {
                let known = bench.routers[0].databaseSnapshot(at: bench.now).first {
                    $0.lsa.key.type == .router && $0.lsa.key.advertisingRouter == RouterID(1)
                }
                guard let known else { return }
                let newer = LSA(
                    key: known.lsa.key, sequenceNumber: known.lsa.header.sequenceNumber + 1,
                    body: .router(RouterLSA(options: [.v6, .e, .r], links: [])))
                let source = Bench.address(.init(router: 1, interface: 1))
                let packet = Packet(
                    header: PacketHeader(routerID: RouterID(2), areaID: .backbone, instanceID: 0),
                    body: .linkStateUpdate(LinkStateUpdate(lsas: [newer])))
                bench.handle(
                    .packet(
                        interface: 1, source: source, destination: .allSPFRouters,
                        octets: packet.encode(source: source, destination: .allSPFRouters)), on: 0)
                bench.run(for: pause)
            }
        }
        receiveNewerLSAs(8, every: .milliseconds(300))
        #expect(bench.routers[0].routerID == RouterID(1))
        receiveNewerLSAs(6, every: .seconds(5))
        #expect(bench.routers[0].routerID != RouterID(1))
        #expect(notices.contains { if case .duplicateRouterID = $0 { true } else { false } })
    }
}
