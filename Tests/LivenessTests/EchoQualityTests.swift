import Addressing
import Testing
import Timing

@testable import Liveness

/// What echoes tell of cables that are bad and not dead.
@Suite struct EchoQualityTests {
    /// A cable without loss is reported once, however long it is watched.
    @Test func aGoodCableIsSilent() {
        var bench = EchoBench(mtu: 9000)
        bench.run(for: .seconds(3600))
        #expect(bench.qualities.count == 1 && bench.qualities[0].loss.lost == 0)
        #expect(bench.qualities[0].roundTrip == .microseconds(100))
    }

    @Test func lossesAreCountedInAMinute() throws {
        var bench = EchoBench()
        bench.run(for: .seconds(60))
        var number = 0
        bench.answer = { _ in
            number += 1
            return number % 20 == 0 ? nil : .microseconds(100)
        }
        bench.run(for: .seconds(120))
        let bad = try #require(bench.qualities.last)
        #expect(bad.loss.requests == 1200 && (59...61) ~= bad.loss.lost && bad.window == .seconds(60))
        #expect(bad.latestLoss.requests == 200 && (9...11) ~= bad.latestLoss.lost)
        #expect(bench.qualities.count <= 20)
        bench.answer = { _ in .microseconds(100) }
        bench.run(for: .seconds(80))
        #expect(bench.qualities.last?.loss.lost == 0 && bench.state == .answering)
        #expect(bench.qualities.count <= 30)
    }

    @Test func anotherRoundTripIsReported() {
        var bench = EchoBench()
        bench.run(for: .seconds(60))
        bench.answer = { _ in .microseconds(110) }
        bench.run(for: .seconds(60))
        #expect(bench.qualities.count == 1, "such a difference means nothing")
        bench.answer = { _ in .milliseconds(3) }
        bench.run(for: .seconds(60))
        #expect(bench.qualities.last?.roundTrip == .milliseconds(3))
    }

    // MARK: Sizes

    /// The largest packet that passes is found to the octet, within half a minute; few packets are sent for it.
    @Test(arguments: [1280, 1500, 1600, 4321, 8999, 100])
    func aSmallerMTUBetweenTheEndsIsFound(largest: Int) {
        var bench = EchoBench(mtu: 9000)
        bench.largestPacket = largest
        bench.run(for: .seconds(45))
        #expect(bench.qualities.last?.largestPacket == largest)
        let padded = bench.requests.filter { $0.request.size > 0 }
        #expect(padded.count <= 35 && bench.state == .answering)
        #expect(padded.allSatisfy { $0.request.size <= 9000 })
        bench.largestPacket = .max
        bench.run(for: .seconds(62))
        #expect(bench.qualities.last?.largestPacket == nil)
    }

    /// Once a minute, and no more if the packets arrive.
    @Test func paddedRequestsAreRare() {
        var bench = EchoBench(mtu: 1500)
        bench.run(for: .seconds(600))
        let padded = bench.requests.filter { $0.request.size > 0 }
        #expect((9...11) ~= padded.count && padded.allSatisfy { $0.request.size == 1500 })
        #expect(bench.prober.figures[0].figures.unexpected == 0)
    }

    /// What is lost with all else says nothing about sizes; neither does one lost packet.
    @Test func lossIsNoSmallerMTU() {
        var bench = EchoBench(mtu: 9000)
        bench.run(for: .seconds(1))
        bench.answer = { _ in nil }
        bench.run(for: .seconds(100))
        bench.answer = { _ in .microseconds(100) }
        bench.run(for: .seconds(60))
        var random = SplitMix64(seed: 7)
        bench.answer = { _ in random.next() % 50 == 0 ? nil : .microseconds(100) }
        bench.run(for: .seconds(3600))
        #expect(bench.qualities.allSatisfy { $0.largestPacket == nil })
    }

    @Test func packetsThatCannotBeSentSayNothing() {
        var bench = EchoBench(mtu: 9000)
        bench.run(for: .seconds(1))
        bench.canSend = false
        bench.run(for: .seconds(120))
        bench.canSend = true
        bench.run(for: .seconds(120))
        #expect(bench.qualities.allSatisfy { $0.largestPacket == nil } && bench.state == .answering)
    }

    // MARK: Neighbors that go and come back

    /// A neighbor that is lost while it fails, because its hellos are missing too, and comes back at once, must answer for as
    /// long as if it had never been lost.
    @Test func failuresAreRememberedWhenTheNeighborIsLost() throws {
        var bench = EchoBench()
        bench.run(for: .seconds(5))
        bench.answer = { _ in nil }
        bench.run(for: .seconds(5))
        #expect(bench.state == .failed(answersAgain: false))
        let known = bench.prober.figures[0].target
        bench.prober.watch([], at: bench.now)
        bench.run(for: .seconds(3))
        var again = known
        again.generation += 1
        again.hadFailed = true
        bench.prober.watch([again], at: bench.now)
        bench.wake()
        #expect(bench.state == .failed(answersAgain: false) && bench.lastReport?.generation == 1)
        bench.answer = { _ in .microseconds(100) }
        bench.run(for: .milliseconds(900))
        #expect(bench.state == .failed(answersAgain: true))
        bench.run(for: .milliseconds(300))
        #expect(bench.state == .answering)
        // A relapse, across a loss of the neighbor: two seconds this time.
        bench.answer = { _ in nil }
        bench.run(for: .seconds(5))
        bench.prober.watch([], at: bench.now)
        again.generation += 1
        bench.prober.watch([again], at: bench.now)
        bench.answer = { _ in .microseconds(100) }
        bench.run(for: .milliseconds(1900))
        #expect(bench.state == .failed(answersAgain: true))
        bench.run(for: .milliseconds(300))
        #expect(bench.state == .answering)
    }

    @Test func aNewNeighborWithoutPastIsUsedAtOnce() {
        var bench = EchoBench()
        bench.run(for: .milliseconds(120))
        #expect(bench.state == .answering)
        var other = bench.prober.figures[0].target
        other.generation += 1
        bench.prober.watch([other], at: bench.now)
        #expect(bench.state == .untested)
        bench.run(for: .milliseconds(120))
        #expect(bench.state == .answering && bench.lastReport?.generation == 1)
    }
}
