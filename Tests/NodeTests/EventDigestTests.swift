import Addressing
import MeshConfiguration
import Services
import Testing
import Timing

@testable import Node

@Suite struct EventDigestTests {
    /// Of 500 events of one kind, 8 are logged (`EventDigest.burst`) and 492 counted, for an interval of 10 s.
    @Test func theFirstEventsOfAKindAreLoggedAndTheOthersCounted() {
        var digest = EventDigest()
        let now = Instant.zero + .seconds(5)
        var logged = 0
        for _ in 0..<500 where digest.admit(.announced, at: now) { logged += 1 }
        #expect(logged == EventDigest.burst)
        let isOtherLogged = digest.admit(.withdrawn, at: now)
        #expect(isOtherLogged, "each kind is counted separately")
        #expect(digest.nextDeadline == now + EventDigest.interval)
        let early = digest.endIntervals(at: now + .seconds(9))
        let rests = digest.endIntervals(at: now + .seconds(10))
        #expect(early == [] && rests.map(\.count) == [492] && rests.map(\.subject.kind) == [.announced])
        #expect(digest.nextDeadline == nil)
        let isNextLogged = digest.admit(.announced, at: now + .seconds(10))
        #expect(isNextLogged, "the first event of the next interval is logged")
    }

    /// At most 8 lines of a kind and one with the number of the others.
    @Test func hundredsOfVIPsCauseFewLogLines() {
        var configuration = Configuration()
        configuration.vips = (0..<500).map { number in
            VIP(name: "v\(number)", address: IPv6Address(high: 0x2001_0db8 << 32, low: 0x1000 + UInt64(number)))
        }
        var bench = NodeBench(configuration)
        bench.start()
        bench.run(for: .seconds(60))
        #expect(configuration.vips.allSatisfy { bench.announces($0.address) })
        let lines = bench.log.filter { $0.contains("VIP") }
        #expect(lines.count <= 3 * (EventDigest.burst + 1), "log lines about VIPs: \(lines.prefix(20))")
        #expect(lines.contains { $0.contains("more VIPs announced") })
        configuration.vips = []
        let before = bench.log.count
        bench.handle(.configuration(configuration))
        bench.run(for: .seconds(60))
        #expect(bench.log.count - before <= 2 * EventDigest.burst, "log lines: \(bench.log.dropFirst(before))")
        #expect(bench.log.contains("492 more VIPs withdrawn"))
    }
}
