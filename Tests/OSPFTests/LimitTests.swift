import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct LimitTests {
    /// A hello with this router ID, from an address of its own.
    private func hello(from number: UInt32) -> RouterEvent {
        let hello = Hello(
            interfaceID: 1, priority: 1, options: [.v6, .e, .r], helloInterval: 1, deadInterval: 4,
            designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [])
        let source = IPv6Address(high: 0xfe80 << 48, low: 0x100 + UInt64(number))
        let header = PacketHeader(routerID: RouterID(number), areaID: .backbone, instanceID: 0)
        let octets = Packet(header: header, body: .hello(hello)).encode(source: source, destination: .allSPFRouters)
        return .packet(interface: 1, source: source, destination: .allSPFRouters, octets: octets)
    }

    /// With a limit of 3 neighbors, further hellos are refused. The limit counts as reached until 60 s after the last refusal
    /// (`ReachedLimits`), and causes one notice in that time.
    @Test func aLimitCountsAsReachedWhileNeighborsAreRefused() {
        var bench = Bench()
        var configuration = RouterConfiguration(routerID: RouterID(1), seed: 1)
        configuration.limits.neighborsPerInterface = 3
        _ = bench.addRouter(configuration)
        bench.connect([0]) { $1.kind = .broadcast }
        bench.run(for: .seconds(1))
        var notices = 0
        for count in [3, 5, 5] as [UInt32] {
            for number in 0..<count { bench.handle(hello(from: 2 + number), on: 0) }
            notices = bench.notices[0].count { if case .limitReached(.neighbors) = $0 { true } else { false } }
            #expect(bench.routers[0].reachedLimits(at: bench.now) == (count > 3 ? [.neighbors] : []))
            #expect(notices == (count > 3 ? 1 : 0), "a reached limit is reported once")
        }
        #expect(bench.routers[0].neighborSnapshots.count == 3)
        bench.run(for: .seconds(70))
        #expect(bench.routers[0].reachedLimits(at: bench.now).isEmpty)
        for number in 0..<4 as Range<UInt32> { bench.handle(hello(from: 2 + number), on: 0) }
        notices = bench.notices[0].count { if case .limitReached(.neighbors) = $0 { true } else { false } }
        #expect(notices == 2, "a limit that is reached again is reported again")
    }
}
