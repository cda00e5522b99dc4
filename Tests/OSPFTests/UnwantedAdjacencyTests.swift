import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct UnwantedAdjacencyTests {
    /// Two pairs of routers on two switches, which are then connected: routers 3 and 2 stay elected, and 0 and 1 need no
    /// adjacency with each other any more. Found by the simulator: the adjacency ended at once, before the outcome of the
    /// election was final, and meanwhile the network-LSA lacked a router. It must last for about a hello interval, 1 s, longer.
    @Test func anAdjacencyNotNeededAfterAnElectionLastsAHelloIntervalLonger() throws {
        var bench = Bench()
        bench.addRouters(4)
        let first = bench.connect([0, 1], kind: .broadcast)
        let second = bench.connect([2, 3], kind: .broadcast)
        bench.run(for: .seconds(10))
        func states(of router: Int) -> [NeighborState] { bench.routers[router].neighborSnapshots.map(\.state) }
        #expect(states(of: 0) == [.full])

        bench.links[first] += bench.links[second]
        bench.links[second] = []
        var elected: Instant?
        var ended: Instant?
        for _ in 0..<500 {
            bench.run(for: .milliseconds(10))
            let interfaces = bench.routers[0...1].flatMap(\.interfaceSnapshots)
            if elected == nil, interfaces.allSatisfy({ $0.state == .drOther }) { elected = bench.now }
            if ended == nil, states(of: 0).first == .twoWay { ended = bench.now }
        }
        #expect(states(of: 0) == [.twoWay, .full, .full])
        let length = try #require(ended) - #require(elected)
        #expect(length >= .milliseconds(500) && length <= .milliseconds(1200))
        #expect(Set(bench.routers.map(\.databaseChecksum)).count == 1)
        bench.run(for: .seconds(5))
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }
}
