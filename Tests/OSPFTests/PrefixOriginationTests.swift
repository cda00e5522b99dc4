import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// Router 0 of a line of three announces prefixes that change; router 2 is two links away.
private struct AnnouncingLine {
    var bench = FloodingTests.line()
    private(set) var announced: [IPv6Prefix: UInt16] = [:]
    /// When router 0 originated each LSA last, by link state ID, and all the times between two instances of one.
    private var originations: [UInt32: Instant] = [:]
    private(set) var intervals: [Duration] = []
    /// How many of its prefix LSAs router 0 flooded in each second.
    private var rate: [Int64: Int] = [:]

    static func prefix(_ number: Int) -> IPv6Prefix {
        IPv6Prefix(IPv6Address(high: 0x2001_0db8 << 32 | 0xa, low: UInt64(bitPattern: Int64(number))), length: 128)
    }

    /// Announces a prefix at this metric or, with `nil`, withdraws it, and the same for others at once.
    mutating func set(_ changes: [IPv6Prefix: UInt16?]) {
        for (prefix, metric) in changes { announced[prefix] = metric }
        let all = announced.map { AdvertisedPrefix(prefix: $0.key, metric: $0.value) }
        bench.handle(.advertise(all.sorted { $0.prefix < $1.prefix }), on: 0)
    }

    mutating func run(for duration: Duration) {
        bench.run(for: duration)
        // Retransmissions are sent to one neighbor.
        for packet in bench.sent where packet.from.router == 0 && packet.destination == .allSPFRouters {
            guard packet.octets[1] == PacketType.linkStateUpdate.rawValue,
                let decoded = try? Packet.decode(
                    packet.octets, source: Bench.address(packet.from), destination: packet.destination),
                case .linkStateUpdate(let update) = decoded.body
            else { continue }
            for lsa in update.lsas where lsa.key.type == .intraAreaPrefix && lsa.key.advertisingRouter == RouterID(1) {
                if let last = originations.updateValue(packet.at, forKey: lsa.key.linkStateID) {
                    intervals.append(packet.at - last)
                }
                rate[(packet.at - .zero).components.seconds, default: 0] += 1
            }
        }
        bench.sent = []
    }

    /// The largest number of prefix LSAs in a second.
    var highestRate: Int { rate.values.max() ?? 0 }

    mutating func forgetRate() { rate = [:] }

    func isReachable(_ prefix: IPv6Prefix) -> Bool { bench.routers[2].routeTable.routes[prefix] != nil }

    /// The number of prefix LSAs in the database of router 2.
    var lsaCount: Int {
        bench.routers[2].databaseSnapshot(at: bench.now).count {
            $0.lsa.key.type == .intraAreaPrefix && $0.lsa.age < LSAHeader.maxAge
        }
    }

    /// Whether router 2 has a route to all prefixes that are announced, and no other.
    var agrees: Bool { Set(bench.routers[2].routeTable.routes.keys) == Set(announced.keys) }
}

@Suite struct PrefixOriginationTests {
    private typealias Line = AnnouncingLine

    /// For an hour there is a new address every 250 ms, and the one of 30 s before goes.
    @Test func aNewAddressEveryQuarterOfASecondIsAnnouncedAtOnceForAnHour() {
        var line = Line()
        var late = 0
        for number in 0..<4 * 3600 {
            let old = Line.prefix(number - 120)
            line.set(number < 120 ? [Line.prefix(number): 0] : [Line.prefix(number): 0, old: nil])
            line.run(for: .milliseconds(1))
            if !line.isReachable(Line.prefix(number)) || line.isReachable(old) { late += 1 }
            line.run(for: .milliseconds(249))
        }
        #expect(late == 0)
        #expect(line.agrees)
        #expect(line.highestRate <= 2 * 4)
        #expect(line.bench.routers[1].statistics.rejections[.lsaTooSoon] == nil)
    }

    /// Without withdrawals, all instances of each LSA are more than MinLSArrival apart, and there is one per change.
    @Test func newAddressesGoFromOneLSAToTheNext() {
        var line = Line()
        for number in 0..<500 {
            line.set([Line.prefix(number): 0])
            line.run(for: .milliseconds(1))
            #expect(line.isReachable(Line.prefix(number)))
            line.run(for: .milliseconds(249))
        }
        #expect(line.highestRate == 4)
        #expect(line.intervals.min()! >= .seconds(1))
        // 55 addresses fit an LSA.
        #expect(line.lsaCount <= 500 / 55 + 1 + 5)
    }

    /// However often something changes, new addresses are gathered for 100 ms.
    @Test func newAddressesAreGatheredForATenthOfASecond() {
        var line = Line()
        var since: [(number: Int, moment: Instant)] = []
        var longest = Duration.zero
        for number in 0..<700 {
            line.set([Line.prefix(number): 0])
            since.append((number, line.bench.now))
            line.run(for: .milliseconds(7))
            while let first = since.first, line.isReachable(Line.prefix(first.number)) {
                longest = max(longest, line.bench.now - first.moment)
                since.removeFirst()
            }
        }
        #expect(longest > .milliseconds(50) && longest <= .milliseconds(100 + 7 + 1))
        #expect(since.count <= 100 / 7 + 1)
        #expect(line.highestRate <= 10)
        #expect(line.intervals.min()! >= .seconds(1))
    }

    /// While addresses are added, others go at random moments, each at once; addresses that come back count as new.
    @Test(arguments: 1...2) func withdrawalsDoNotWaitForAnything(seed: UInt64) {
        var line = Line()
        var random = SplitMix64(seed: seed)
        var late = 0
        for number in 0..<1000 {
            line.set([Line.prefix(number): 0])
            line.run(for: .milliseconds(1))
            if !line.isReachable(Line.prefix(number)) { late += 1 }
            let moment = Int64(random.next() % 248)
            line.run(for: .milliseconds(moment))
            let known = line.announced.keys.sorted()
            let withdrawn = known[Int(random.next() % UInt64(known.count))]
            if random.next() % 3 > 0 {
                line.set([withdrawn: nil])
                line.run(for: .milliseconds(1))
                if line.isReachable(withdrawn) { late += 1 }
            }
            line.run(for: .milliseconds(248 - moment))
        }
        #expect(late == 0)
        #expect(line.highestRate <= 10)
        #expect(line.agrees)
        line.run(for: .seconds(60))
        #expect(line.agrees)
        let minimum = (line.announced.count + 54) / 55
        #expect(line.lsaCount <= minimum + minimum / 8 + 1, "\(line.lsaCount) LSAs instead of \(minimum)")
    }

    /// A larger metric is as urgent as a withdrawal, a smaller one not quite. All changes are in one LSA.
    @Test func anAddressThatGetsWorseDoesNotWait() {
        var line = Line()
        line.set(Dictionary(uniqueKeysWithValues: (0..<20).map { (Line.prefix($0), 10) }))
        line.run(for: .seconds(10))
        func metric(_ number: Int) -> UInt32? {
            let table = line.bench.routers[2].routeTable
            return table.routes[Line.prefix(number)].flatMap { table.destinations[$0]?.metric }
        }
        let distance = metric(0)! - 10
        for number in 0..<8 {
            line.set([Line.prefix(number): 100])
            line.run(for: .milliseconds(1))
            #expect(metric(number) == distance + 100)
            line.run(for: .milliseconds(49))
        }
        line.set([Line.prefix(0): 1])
        line.run(for: .milliseconds(2500))
        #expect(metric(0) == distance + 1)
        // When the LSA has not changed for a while, an improvement does not wait either.
        line.run(for: .seconds(2))
        line.set([Line.prefix(1): 2])
        line.run(for: .milliseconds(1))
        #expect(metric(1) == distance + 2)
        #expect(line.bench.routers[1].statistics.rejections[.lsaTooSoon] == nil)
    }

    /// An LSA loses its only address, and then another address is new. A router that got the flush late would ignore an instance
    /// that follows on it.
    @Test func theLinkStateIDOfAFlushedLSAIsNotUsedAgainSoon() {
        var line = Line()
        for number in 0..<8 {
            line.set([Line.prefix(number): 0])
            line.run(for: .milliseconds(1))
            #expect(line.isReachable(Line.prefix(number)))
            line.run(for: .seconds(11))
            line.set([Line.prefix(number): nil])
            line.run(for: .milliseconds(1500 + 1000 * Int64(number)))
        }
        #expect(line.intervals.min()! >= .seconds(10))
    }

    /// An address flaps every 40 ms for a minute, which causes LSAs at first. New addresses, and withdrawals of others in the
    /// same LSA, do not wait for it.
    @Test func anAddressThatFlapsIsSlowedByItself() {
        var line = Line()
        let flapping = Line.prefix(1_000_000)
        line.set(Dictionary(uniqueKeysWithValues: (0..<20).map { (Line.prefix($0), 0) }))
        line.run(for: .seconds(30))
        let before = line.bench.routers[0].statistics.lsasInstalled + line.bench.routers[0].statistics.lsaOriginations
        for round in 0..<1500 {
            line.set([flapping: round % 2 == 0 ? 0 : nil])
            line.run(for: .milliseconds(40))
            guard round % 75 == 74 else { continue }
            let other = round / 75
            line.set([Line.prefix(other): nil, Line.prefix(100 + other): 0])
            line.run(for: .milliseconds(1))
            #expect(!line.isReachable(Line.prefix(other)))
            line.run(for: .milliseconds(101))
            #expect(line.isReachable(Line.prefix(100 + other)))
        }
        let originations = line.bench.routers[0].statistics.lsaOriginations - before
        #expect(originations <= 20 * 2 + 60, "\(originations) originations")
        line.set([flapping: 0])
        line.run(for: .seconds(6))
        #expect(line.agrees)
    }
}

@Suite struct PrefixMergeTests {
    private typealias Line = AnnouncingLine

    /// 10,000 addresses; then one more every 250 ms for five seconds.
    @Test func tenThousandAddressesAreInAsFewLSAsAsPossible() {
        var line = Line()
        line.set(Dictionary(uniqueKeysWithValues: (0..<10_000).map { (Line.prefix($0), 0) }))
        line.run(for: .seconds(2))
        #expect(line.agrees)
        #expect(line.lsaCount == (10_000 + 54) / 55)
        line.forgetRate()
        for number in 10_000..<10_020 {
            line.set([Line.prefix(number): 0])
            line.run(for: .milliseconds(1))
            #expect(line.isReachable(Line.prefix(number)))
            line.run(for: .milliseconds(249))
        }
        #expect(line.highestRate <= 4)
        line.run(for: .seconds(60))
        #expect(line.agrees)
        #expect(line.lsaCount == (10_020 + 54) / 55)
    }

    /// Of 3,000 addresses, many are withdrawn at random. Within a minute the others are in about as few LSAs as possible, at
    /// some ten LSAs a second, and no router loses an address in between, although every fifth packet gets lost.
    @Test(arguments: [10, 60, 95]) func smallLSAsAreMergedWithoutLossOfAnAddress(percentage: UInt64) {
        var line = Line()
        var random = SplitMix64(seed: percentage)
        line.set(Dictionary(uniqueKeysWithValues: (0..<3000).map { (Line.prefix($0), 0) }))
        line.run(for: .seconds(2))
        let gone = line.announced.keys.sorted().filter { _ in random.next() % 100 < percentage }
        line.set(Dictionary(uniqueKeysWithValues: gone.map { ($0, nil) }))
        line.run(for: .seconds(2))
        #expect(line.agrees)
        let lost = line.bench.lost.map(\.count)
        line.forgetRate()
        line.bench.filter = { _, octets in
            octets[1] != PacketType.linkStateUpdate.rawValue || random.next() % 5 > 0
        }
        line.run(for: .seconds(58))
        let minimum = (line.announced.count + 54) / 55
        #expect(line.lsaCount <= minimum + minimum / 8 + 1, "\(line.lsaCount) LSAs instead of \(minimum)")
        #expect(line.agrees)
        #expect(line.bench.lost.map(\.count) == lost)
        #expect(line.highestRate <= 20)
    }

    /// An address changes while it is in two LSAs.
    @Test func anAddressThatIsInTwoLSAsIsWithdrawnFromBoth() {
        var line = Line()
        for number in 0..<4 {
            line.set([Line.prefix(number): 10])
            line.run(for: .milliseconds(250))
        }
        #expect(line.lsaCount == 4)
        line.run(for: .seconds(5))
        line.set([Line.prefix(0): nil, Line.prefix(1): nil, Line.prefix(2): 100])
        line.run(for: .milliseconds(1))
        #expect(!line.isReachable(Line.prefix(0)))
        #expect(!line.isReachable(Line.prefix(1)))
        let table = line.bench.routers[2].routeTable
        #expect(table.routes[Line.prefix(2)].flatMap { table.destinations[$0]?.metric } == 120)
        line.run(for: .seconds(20))
        #expect(line.lsaCount == 1)
        #expect(line.agrees)
        #expect(line.bench.routers.allSatisfy { $0.isQuiet })
    }
}
