import Addressing
import Links
import Liveness
import MeshConfiguration
import OSPF
import Testing
import Timing

@testable import Node

/// Cables that are bad and not dead: what is told, and when they are avoided.
@Suite struct CableQualityTests {
    private static let far = IPv6Address("fe80::9")!
    private let start = Instant.zero + .seconds(1000)

    private func report(
        lost: Int = 0, of requests: Int = 1200, lately: Int = 0, roundTrip: Duration = .microseconds(100),
        largest: Int? = nil, port: UInt32 = 2, _ state: EchoState = .answering
    ) -> EchoReport {
        var quality = EchoQuality()
        quality.loss = EchoQuality.Loss(requests: requests, lost: lost)
        quality.latestLoss = EchoQuality.Loss(requests: 200, lost: lately)
        quality.window = .seconds(60)
        quality.roundTrip = roundTrip
        quality.largestPacket = largest
        return EchoReport(EchoTarget.Key(interface: port, address: Self.far), state, quality: quality)
    }

    // MARK: Hysteresis

    @Test func anAlarmIsRaisedAtOnceAndClearedSlowly() {
        var alarm = Alarm(delay: .seconds(5))
        alarm.note(.bad, at: start)
        #expect(!alarm.isRaised && alarm.deadline == start + .seconds(5))
        alarm.note(.good, at: start + .seconds(4))
        alarm.note(.bad, at: start + .seconds(6))
        alarm.advance(to: start + .seconds(11))
        #expect(alarm.isRaised && alarm.deadline == nil)
        alarm.note(.good, at: start + .seconds(20))
        alarm.note(.between, at: start + .seconds(70))
        alarm.note(.good, at: start + .seconds(71))
        alarm.advance(to: start + .seconds(130))
        #expect(alarm.isRaised, "a break begins the minute again")
        alarm.advance(to: start + .seconds(131))
        #expect(!alarm.isRaised && alarm.deadline == nil)
    }

    /// Something that is bad every few minutes changes things less and less often.
    @Test func relapsesDoubleThePatience() {
        var alarm = Alarm()
        var now = start
        var lengths: [Int64] = []
        for _ in 0..<6 {
            alarm.note(.bad, at: now)
            #expect(alarm.isRaised)
            let good = now
            alarm.note(.good, at: good)
            while alarm.isRaised, let deadline = alarm.deadline {
                now = deadline
                alarm.advance(to: now)
            }
            lengths.append((now - good).nanoseconds / 1_000_000_000)
            now = now + .seconds(30)
        }
        #expect(lengths == [60, 120, 240, 480, 480, 480])
        alarm.note(.bad, at: now + Alarm.relapse)
        alarm.note(.good, at: now + Alarm.relapse)
        #expect(alarm.deadline == now + Alarm.relapse + .seconds(60))
    }

    // MARK: Findings

    @Test(arguments: [(12, 0, true), (11, 0, false), (0, 10, true), (0, 9, false), (4, 4, false)])
    func lossIsBadFromOnePercent(lost: Int, lately: Int, isBad: Bool) {
        var cable = CableQuality()
        cable.note(report(lost: lost, lately: lately), at: start)
        #expect(cable.shouldBeAvoided == isBad)
    }

    @Test func fewLostRequestsProveNothing() {
        var cable = CableQuality()
        cable.note(report(lost: 4, of: 50, lately: 4), at: start)
        #expect(!cable.shouldBeAvoided)
        cable.note(report(lost: 5, of: 50, lately: 5), at: start)
        #expect(cable.shouldBeAvoided)
    }

    /// Between half a percent and one nothing changes.
    @Test func lossBetweenTheThresholdsChangesNothing() {
        var cable = CableQuality()
        cable.note(report(lost: 12), at: start)
        cable.note(report(lost: 6), at: start + .seconds(10))
        cable.advance(to: start + .seconds(3000))
        #expect(cable.shouldBeAvoided)
        cable.note(report(lost: 5), at: start + .seconds(3000))
        cable.advance(to: start + .seconds(3059))
        #expect(cable.shouldBeAvoided)
        cable.advance(to: start + .seconds(3060))
        #expect(!cable.shouldBeAvoided)
        cable.note(report(lost: 6), at: start + .seconds(3061))
        #expect(!cable.shouldBeAvoided)
    }

    /// A neighbor that does not answer, or is gone, does not make a cable good.
    @Test func silenceHealsNothing() {
        var cable = CableQuality()
        cable.note(report(lost: 12), at: start)
        cable.note(report(lost: 0, .failed(answersAgain: false)), at: start + .seconds(1))
        cable.advance(to: start + .seconds(300))
        #expect(cable.shouldBeAvoided)
        cable.setNeighbors([], at: start + .seconds(300))
        cable.advance(to: start + .seconds(899))
        #expect(cable.shouldBeAvoided)
        cable.advance(to: start + .seconds(900))
        #expect(!cable.shouldBeAvoided && cable.ways.isEmpty && cable.deadline == nil)
    }

    /// On a segment, the way to one of two neighbors is bad.
    @Test func oneBadWayOfTwoIsToldOnly() {
        var cable = CableQuality()
        cable.note(report(lost: 100), at: start)
        var other = report()
        other.target.address = IPv6Address("fe80::a")!
        cable.note(other, at: start)
        #expect(cable.ways[Self.far]!.loss.isRaised && !cable.shouldBeAvoided)
    }

    /// Round trips are compared with the median of at least two others of the kind, and an absolute one.
    @Test func aLongRoundTripIsFoundByComparison() {
        func isBad(_ roundTrips: [UInt32: Int64], kinds: [UInt32: Int]) -> Bool {
            var table = QualityTable()
            for (port, time) in roundTrips {
                table.update(port) { $0.note(report(roundTrip: .microseconds(time), port: port), at: start) }
            }
            table.compareRoundTrips(kinds: kinds, at: start)
            table.advance(to: start + .seconds(20))
            return table.cables[2]!.shouldBeAvoided
        }
        let same: [UInt32: Int] = [2: 0, 3: 0, 4: 0]
        #expect(isBad([2: 1100, 3: 200, 4: 250], kinds: same))
        #expect(!isBad([2: 900, 3: 20, 4: 25], kinds: same), "below a millisecond")
        #expect(!isBad([2: 4000, 3: 1100, 4: 1000], kinds: same), "not four times as long")
        #expect(!isBad([2: 9000, 3: 20], kinds: same), "one other is no comparison")
        #expect(!isBad([2: 9000, 3: 20, 4: 25], kinds: [2: 0, 3: 0, 4: 1]), "another kind")
    }

    /// Of two readings as one, the counts are those of both and the speed is the latest.
    @Test func readingsAreAddedUp() {
        let earlier = PortReading(interface: 2, received: 10, damaged: 3, checksumErrors: 2, speed: 1000)
        let later = PortReading(interface: 2, received: .max, damaged: 1, checksumErrors: 1, speed: 100)
        let sum = later.including(earlier)
        #expect(sum == PortReading(interface: 2, received: 9, damaged: 4, checksumErrors: 3, speed: 100))
    }

    @Test func damagedPacketsAreCountedInAMinute() {
        var cable = CableQuality()
        for part in 0..<3 {
            let now = start + .seconds(part * 10)
            cable.note(
                PortReading(interface: 2, received: 1_000_000, damaged: 4, checksumErrors: 3), at: now)
            #expect(cable.damage.isRaised == (part == 2))
        }
        #expect(cable.lastErrors.damaged == 12 && cable.lastErrors.checksumErrors == 9)
        #expect(!cable.shouldBeAvoided, "four in a million hurt nobody")
        cable.note(PortReading(interface: 2, received: 100_000, damaged: 400), at: start + .seconds(30))
        #expect(cable.shouldBeAvoided)
        var now = start + .seconds(30)
        while let deadline = cable.deadline {
            now = max(now, deadline)
            cable.advance(to: now)
        }
        #expect(!cable.shouldBeAvoided && !cable.damage.isRaised && now - start == .seconds(150))
    }

    @Test func aLowerSpeedThanBeforeIsFound() {
        var cable = CableQuality()
        cable.note(PortReading(interface: 2, speed: 1000), at: start)
        cable.note(PortReading(interface: 2, speed: 10_000), at: start + .seconds(10))
        cable.advance(to: start + .seconds(100))
        #expect(!cable.shouldBeAvoided)
        cable.note(PortReading(interface: 2, speed: 1000), at: start + .seconds(100))
        cable.advance(to: start + .seconds(105))
        #expect(cable.shouldBeAvoided)
        cable.acceptSpeed()
        #expect(!cable.shouldBeAvoided && cable.highestSpeed == 1000)
    }

    // MARK: Flaps

    @Test func eachFlapIsHeldOffLonger() {
        var flaps = FlapDamping()
        var holds: [Int64] = []
        var now = start
        for _ in 0..<10 {
            flaps.flapped(at: now)
            now = now + .seconds(2)
            flaps.restored(at: now)
            holds.append(flaps.heldUntil.map { ($0 - now).nanoseconds / 1_000_000_000 } ?? 0)
            now = now + .seconds(2)
        }
        #expect(holds == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
        #expect(flaps.count(at: now) == 10)
        // Quiet for six minutes: six steps less.
        now = now + .seconds(356)
        flaps.flapped(at: now)
        flaps.restored(at: now)
        #expect(flaps.heldUntil == now + .seconds(2))
        flaps.advance(to: now + .seconds(700))
        #expect(flaps.heldUntil == nil && flaps.count(at: now + .seconds(700)) == 0 && flaps.nextForgotten == nil)
    }

    /// A cable that never comes back does not stay held off for ever: whatever is on the port later starts afresh.
    @Test func aHoldEndsByItself() {
        var flaps = FlapDamping()
        for second in [0, 5] { flaps.flapped(at: start + .seconds(second)) }
        #expect(flaps.heldUntil == start + .seconds(66))
        flaps.advance(to: start + .seconds(66))
        #expect(flaps.heldUntil == nil)
        for number in 0..<1000 { flaps.flapped(at: start + .seconds(100 + number)) }
        #expect(flaps.count(at: start + .seconds(1100)) == FlapDamping.mostFlaps)
    }

    // MARK: The node

    private func withQuality(_ isOn: Bool) -> NodeBench {
        var configuration = Configuration()
        for index in configuration.interfaces.indices { configuration.interfaces[index].isQualityOn = isOn }
        var bench = NodeBench(configuration)
        bench.start()
        bench.run(for: .seconds(20))
        return bench
    }

    private func cost(_ bench: NodeBench, _ link: Link) -> UInt16? {
        guard case .up(let configuration)? = bench.node.interfaces.ports[link.index]?.state else { return nil }
        return configuration.cost
    }

    private func flap(_ bench: inout NodeBench) {
        var link = NodeBench.eno1
        link.hasCarrier = false
        bench.handle(.kernel([.link(link)]))
        bench.run(for: .seconds(2))
        bench.handle(.kernel([.link(NodeBench.eno1)]))
    }

    /// A port comes back with a high cost, before anybody uses it; without `quality: on` it is only told.
    @Test(arguments: [true, false]) func aPortThatFlapsComesBackWithAHighCost(isOn: Bool) {
        var bench = withQuality(isOn)
        for number in 1...4 {
            flap(&bench)
            #expect(cost(bench, NodeBench.eno1) == (isOn && number > 1 ? 60_010 : 10))
            #expect(bench.problems(.flappingCable).count == (number >= 3 ? 1 : 0))
            bench.run(for: .seconds(1))
        }
        let text = bench.problems(.flappingCable)[0].text
        #expect(text.hasPrefix("eno1 flapped 4 times in 10 min") && text.contains("held off for 3 s") == isOn)
        bench.run(for: .seconds(5))
        #expect(cost(bench, NodeBench.eno1) == 10 && cost(bench, NodeBench.enp1s0) == 10)
        bench.run(for: .seconds(700))
        #expect(bench.problems(.flappingCable).isEmpty && bench.node.quality.nextDeadline == nil)
    }

    @Test func whoSetsAPortDownIsNoBadCable() {
        var bench = withQuality(true)
        for _ in 0..<5 {
            var link = NodeBench.eno1
            (link.isUp, link.hasCarrier) = (false, false)
            bench.handle(.kernel([.link(link)]))
            bench.run(for: .seconds(2))
            bench.handle(.kernel([.link(NodeBench.eno1)]))
        }
        #expect(bench.problems(.flappingCable).isEmpty && cost(bench, NodeBench.eno1) == 10)
    }

    @Test func findingsOfPortsAreProblems() {
        var bench = withQuality(true)
        bench.handle(
            .ports([
                PortReading(interface: 2, received: 1000, damaged: 120, checksumErrors: 120, speed: 10_000),
                PortReading(interface: 77, damaged: 100),
            ]))
        bench.handle(.ports([PortReading(interface: 2, speed: 2500)]))
        bench.run(for: .seconds(6))
        #expect(
            bench.problems(.damagedPackets).map(\.text) == [
                "eno1 receives damaged packets: 120 CRC errors within a minute"
            ])
        #expect(bench.problems(.linkSpeed).map(\.text) == ["eno1 runs at 2.5 Gbit/s; it ran at 10 Gbit/s before"])
        #expect(cost(bench, NodeBench.eno1) == 60_010)
        bench.handle(.configuration(bench.node.configuration))
        bench.run(for: .seconds(130))
        #expect(bench.problems(.damagedPackets).isEmpty && bench.problems(.linkSpeed).isEmpty)
        #expect(cost(bench, NodeBench.eno1) == 10)
        #expect(bench.node.quality.nextDeadline == nil)
    }

    @Test(arguments: [(1, 60_001), (10, 60_010), (5534, 65_534), (60_000, 65_534), (65_534, 65_534), (65_535, 65_535)])
    func costsToAvoidKeepTheirOrder(cost: Int, expected: Int) {
        #expect(QualityTable.costToAvoid(UInt16(cost)) == UInt16(expected))
    }
}
