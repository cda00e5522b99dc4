import Addressing
import MeshConfiguration
import OSPF
import Services
import TestSupport
import Testing
import Timing

@testable import Node

@Suite struct ManyVIPsTests {
    /// So many VIPs fit a configuration file (1 MiB). When each address was looked up among all VIPs, this took a minute.
    @Test func thousandsOfVIPsArePlacedInSeconds() {
        var configuration = Configuration()
        var bench = NodeBench(configuration)
        bench.start()
        bench.run(for: .seconds(60))
        configuration.vips = (0..<10_000).map { number in
            VIP(name: "v\(number)", address: IPv6Address(high: 0x2001_0db8 << 32, low: 0x1000 + UInt64(number)))
        }
        let before = bench.node.announcements.version
        let spent = processorTime {
            bench.handle(.configuration(configuration))
            bench.run(for: .seconds(60))
        }
        let announced = Set(bench.node.announced.map(\.prefix.address))
        #expect(configuration.vips.allSatisfy { bench.node.ledger.isPlaced($0.address) })
        #expect(configuration.vips.allSatisfy { announced.contains($0.address) })
        #expect(
            bench.node.announcements.version - before <= 25, "each update of the announcements adds at least a quarter"
        )
        #expect(spent < .seconds(10), "processor time: \(spent)")
    }
}
