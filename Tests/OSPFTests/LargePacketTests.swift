import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// Both ends of a link have an MTU of 9000, but a switch between them drops packets of more than 1500 octets. The MTU in
/// database descriptions does not show that.
@Suite struct LargePacketTests {
    /// Two routers, each with `count` prefixes. Their packets are lost if they exceed 1500 octets with the IPv6 header of 40.
    private static func linkThatDropsLargePackets(prefixesBefore count: Int = 0) -> Bench {
        var bench = Bench()
        bench.addRouters(2)
        for router in 0..<2 { bench.handle(.advertise(FloodingTests.prefixes(count, of: router + 1)), on: router) }
        bench.filter = { _, octets in octets.count + 40 <= 1500 }
        bench.connect([0, 1]) { _, configuration in configuration.mtu = 9000 }
        return bench
    }

    /// The first updates are too large; retransmissions fit 1280 octets.
    @Test func floodedLSAsArriveAfterARetransmission() {
        var bench = Self.linkThatDropsLargePackets()
        bench.run(for: .seconds(5))
        bench.handle(.advertise(FloodingTests.prefixes(1000)), on: 0)
        bench.run(for: .seconds(10))
        #expect(bench.routers[1].routeTable.routes.count == 1000)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
        // After the first loss, packets to this neighbor fit 1280 octets, so none is lost.
        let before = bench.routers[0].statistics.lsaRetransmissions
        bench.handle(.advertise(FloodingTests.prefixes(2000)), on: 0)
        bench.run(for: .seconds(1))
        #expect(bench.routers[1].routeTable.routes.count == 2000)
        #expect(bench.routers[0].statistics.lsaRetransmissions == before)
    }

    /// The first updates in answer to requests are too large. Requests are repeated, and then the answers are small.
    @Test func requestedLSAsArriveAfterTheRequestIsRepeated() {
        var bench = Self.linkThatDropsLargePackets(prefixesBefore: 1000)
        bench.run(for: .seconds(5))
        for router in bench.routers { #expect(router.routeTable.routes.count == 1000) }
        #expect(bench.routers.allSatisfy { $0.neighborSnapshots.map(\.state) == [.full] && $0.isQuiet })
    }

    /// Here the database descriptions are too large. After three dead intervals (12 s) without progress, the exchange starts
    /// again with packets that fit 1280 octets.
    @Test func aStalledExchangeRestartsWithSmallPackets() {
        var bench = Self.linkThatDropsLargePackets(prefixesBefore: 6000)
        bench.run(for: .seconds(30))
        for router in bench.routers { #expect(router.routeTable.routes.count == 6000) }
        #expect(bench.routers.allSatisfy { $0.neighborSnapshots.map(\.state) == [.full] && $0.isQuiet })
    }

    /// LSAs wait for acknowledgments all the time, for longer than RxmtInterval (1 s), but each only for a moment: nothing was
    /// lost, so packets need not be small.
    @Test func packetsAreLargeAsLongAsNothingIsLost() {
        var bench = Bench()
        bench.delay = .milliseconds(30)
        bench.addRouters(2)
        bench.connect([0, 1]) { _, configuration in configuration.mtu = 9000 }
        bench.run(for: .seconds(5))
        var externals: [ExternalPrefix] = []
        for number in 0..<700 as Range<UInt64> {
            externals.append(ExternalPrefix(prefix: IPv6Prefix(host: IPv6Address(high: 7, low: number))))
            bench.handle(.advertiseExternal(externals), on: 0)
            bench.run(for: .milliseconds(10))
            if number > 10 { #expect(bench.routers[0].neighborSnapshots[0].retransmissionCount > 0) }
        }
        #expect(bench.routers[0].statistics.lsaRetransmissions == 0)
        bench.sent = []
        bench.handle(.advertise(FloodingTests.prefixes(1000)), on: 0)
        bench.run(for: .seconds(1))
        #expect(bench.sent.contains { $0.octets.count > 1500 })
        #expect(bench.routers[1].routeTable.routes.count == 1700)
    }

    /// A snapshot shows since when a neighbor has not acknowledged what it was sent.
    @Test func theSnapshotShowsSinceWhenANeighborHasNotAcknowledged() {
        var bench = Self.linkThatDropsLargePackets()
        bench.run(for: .seconds(5))
        bench.filter = { _, octets in octets[1] != PacketType.linkStateUpdate.rawValue }
        bench.handle(.advertise(FloodingTests.prefixes(1)), on: 0)
        bench.run(for: .seconds(20))
        let since = bench.routers[0].neighborSnapshots[0].unacknowledgedSince
        #expect(since.map { bench.now - $0 > .seconds(10) } == true)
        bench.filter = { _, _ in true }
        bench.run(for: .seconds(10))
        #expect(bench.routers[0].neighborSnapshots[0].unacknowledgedSince == nil)
    }
}
