import Addressing
import Testing
import Timing

@testable import Liveness

@Suite struct EchoProberTests {
    /// From the last moment at which an answer could leave to the report: between two and three intervals, and the time for the
    /// last answer.
    @Test(arguments: [(50, 3, 100, 160), (10, 3, 20, 40), (50, 2, 50, 110), (1000, 3, 2000, 3010)])
    func aNeighborThatFallsSilentHasFailedInTime(interval: Int, multiplier: Int, least: Int, most: Int) {
        for offset in stride(from: 0, to: interval, by: max(1, interval / 23)) {
            var bench = EchoBench(EchoParameters(interval: .milliseconds(interval), multiplier: multiplier))
            bench.run(for: .seconds(20) + .milliseconds(offset))
            #expect(bench.reports.map(\.state) == [.answering])
            let silence = bench.now
            bench.answer = { _ in nil }
            bench.run(for: .seconds(10))
            #expect(bench.reports.map(\.state) == [.answering, .failed(answersAgain: false)])
            let time = bench.reports[1].moment - silence
            #expect(time >= .milliseconds(least) && time <= .milliseconds(most), "\(time) at offset \(offset)")
        }
    }

    @Test func aNeighborThatNeverAnswersIsReportedOnceAndAskedRarely() {
        var bench = EchoBench()
        bench.answer = { _ in nil }
        bench.run(for: .seconds(5))
        #expect(bench.reports.map(\.state) == [.unanswered])
        let before = bench.requests.count
        bench.run(for: .seconds(100))
        #expect((9...11).contains(bench.requests.count - before))
        #expect(bench.reports.count == 1)
        // It may begin to answer, for example after a change of its firewall.
        bench.answer = { _ in .microseconds(50) }
        bench.run(for: .seconds(15))
        #expect(bench.reports.map(\.state) == [.unanswered, .answering])
    }

    /// Two of three consecutive requests may be lost for ever.
    @Test func fewerLossesThanTheMultiplierAreNoFailure() {
        var bench = EchoBench()
        var number = 0
        bench.answer = { _ in
            number += 1
            return number % 3 == 0 ? .microseconds(100) : nil
        }
        bench.run(for: .seconds(600))
        #expect(bench.reports.map(\.state) == [.answering])
        #expect(abs((bench.figures.loss ?? 0) - 2.0 / 3) < 0.01)
    }

    /// The process did not run. The neighbor has answered what was sent before, and the answers wait.
    @Test(arguments: [20, 60, 149, 151, 1_000, 60_000])
    func aStoppedProcessCausesNoFailure(milliseconds: Int) {
        for offset in 0..<25 {
            var bench = EchoBench()
            bench.run(for: .seconds(5) + .milliseconds(2 * offset))
            for _ in 0..<20 {
                bench.now = bench.now + .milliseconds(milliseconds)
                bench.run(for: .milliseconds(70))
            }
            #expect(bench.reports.map(\.state) == [.answering])
        }
    }

    /// The machine was stopped after it had sent requests: its clock has gone on, and the answers reach the socket only some
    /// milliseconds after the process runs again.
    @Test func aStoppedMachineCausesNoFailure() {
        var bench = EchoBench()
        bench.run(for: .seconds(5))
        // Three requests leave; then nothing runs for two seconds.
        let stop = bench.now
        bench.answer = { $0 >= stop ? .milliseconds(2_003) : .microseconds(100) }
        bench.run(for: .milliseconds(145))
        #expect(bench.requests.count { $0.moment >= stop } == 3)
        bench.answer = { _ in .microseconds(100) }
        bench.now = bench.now + .seconds(2)
        bench.run(for: .seconds(5))
        #expect(bench.reports.map(\.state) == [.answering])
    }

    /// Longer round trips than the interval, as over a far link.
    @Test func slowAnswersAreAnswers() {
        var bench = EchoBench(EchoParameters(interval: .milliseconds(10), multiplier: 3))
        bench.answer = { _ in .milliseconds(45) }
        bench.run(for: .seconds(60))
        #expect(bench.reports.map(\.state).first == .answering)
        #expect(bench.reports.count == 1)
        #expect(bench.figures.roundTrip(quantile: 0.5) == .milliseconds(45))
    }

    /// The time for which a neighbor must answer doubles with each relapse, up to the limit, and is the shortest again after a
    /// long time without one.
    @Test func aNeighborThatAnswersAgainIsAliveAfterSomeTime() {
        var bench = EchoBench()
        bench.run(for: .seconds(5))
        var holds: [Duration] = []
        for _ in 0..<7 {
            bench.answer = { _ in nil }
            bench.run(for: .seconds(1))
            #expect(bench.state == .failed(answersAgain: false))
            let before = bench.reports.count
            bench.answer = { _ in .microseconds(100) }
            bench.run(for: .seconds(40))
            #expect(bench.reports[before...].map(\.state) == [.failed(answersAgain: true), .answering])
            holds.append(bench.reports[before + 1].moment - bench.reports[before].moment)
        }
        for (hold, seconds) in zip(holds, [1, 2, 4, 8, 16, 30, 30]) {
            #expect(hold >= .seconds(seconds) && hold < .seconds(seconds) + .milliseconds(60))
        }
        bench.run(for: EchoSession.relapse)
        bench.answer = { _ in nil }
        bench.run(for: .seconds(1))
        bench.answer = { _ in .microseconds(100) }
        bench.run(for: .milliseconds(1_100))
        #expect(bench.state == .answering)
    }

    /// A failed neighbor that answers a little is not alive.
    @Test func aNeighborThatFailsAgainWhileItIsHeldStaysFailed() {
        var bench = EchoBench()
        bench.run(for: .seconds(5))
        var number = 0
        bench.answer = { _ in
            number += 1
            return number % 10 == 0 ? .microseconds(100) : nil
        }
        bench.run(for: .seconds(60))
        #expect(bench.reports.count > 50)
        #expect(
            bench.reports.dropFirst().allSatisfy { if case .failed = $0.state { true } else { false } })
    }

    /// The round trip is longer than the time in which a neighbor fails, so that some requests are always unanswered.
    @Test(arguments: [(10, 50), (50, 220), (50, 900)])
    func aNeighborFarAwayIsAliveAgainAfterAFailure(interval: Int, roundTrip: Int) {
        var bench = EchoBench(EchoParameters(interval: .milliseconds(interval), multiplier: 3))
        bench.answer = { _ in .milliseconds(roundTrip) }
        bench.run(for: .seconds(20))
        bench.answer = { _ in nil }
        bench.run(for: .seconds(5))
        bench.answer = { _ in .milliseconds(roundTrip) }
        let before = bench.wakeUps
        bench.run(for: .seconds(10))
        #expect(bench.state == .answering)
        #expect(bench.wakeUps - before < 3 * 10_000 / interval)
    }

    @Test func requestsThatCannotBeSentDoNotCount() {
        var bench = EchoBench()
        bench.run(for: .seconds(5))
        bench.canSend = false
        bench.run(for: .seconds(2))
        #expect(bench.reports.map(\.state) == [.answering])
        // After a time nothing is known any more.
        bench.run(for: .seconds(60))
        #expect(bench.reports.map(\.state) == [.answering, .unanswered])
        bench.canSend = true
        bench.run(for: .seconds(15))
        #expect(bench.state == .answering)
        bench.canSend = false
        bench.run(for: .seconds(1))
        #expect(bench.figures.sent == UInt64(bench.requests.count))
        // Two lost requests before and after do not add up to a failure unless a third follows.
        bench.canSend = true
        bench.answer = { _ in nil }
        bench.run(for: .milliseconds(200))
        #expect(bench.state == .failed(answersAgain: false))
    }

    /// Sequence numbers are used again after 65,536 requests.
    @Test func sequenceNumbersWrapAround() {
        var bench = EchoBench(EchoParameters(interval: .milliseconds(10), multiplier: 3))
        bench.run(for: .seconds(1400))
        #expect(bench.requests.count > 135_000)
        #expect(bench.reports.map(\.state) == [.answering])
        #expect(bench.figures.loss == 0 && bench.figures.unexpected == 0)
    }

    @Test func answersToNoRequestChangeNothing() {
        var bench = EchoBench()
        bench.answer = { _ in nil }
        bench.run(for: .seconds(1))
        let last = bench.requests.last!.request.sequence
        for sequence in [last &+ 1, last &+ 2, last &- 64, last &- 1000] {
            bench.prober.answered(EchoBench.key, sequence, roundTrip: .zero, at: bench.now)
        }
        bench.prober.answered(
            EchoTarget.Key(interface: 3, address: EchoBench.key.address), last, roundTrip: .zero, at: bench.now)
        bench.prober.notSent(
            EchoRequest(target: EchoBench.key, source: EchoBench.source, sequence: last &+ 7))
        #expect(bench.state == .untested && bench.figures.answered == 0)
        bench.prober.answered(EchoBench.key, last, roundTrip: nil, at: bench.now)
        bench.prober.answered(EchoBench.key, last, roundTrip: nil, at: bench.now)
        #expect(bench.state == .answering && bench.figures.answered == 1 && bench.figures.unexpected == 5)
    }

    /// Neighbors with the same interval are asked at the same moments, whenever they were added.
    @Test func allNeighborsAreAskedInOneWakeUp() {
        var prober = EchoProber()
        var now = Instant.zero + .milliseconds(12_345)
        var targets: [EchoTarget] = []
        for number in 1...10 {
            targets.append(
                EchoTarget(
                    key: EchoTarget.Key(interface: UInt32(number), address: EchoBench.key.address),
                    source: EchoBench.source, parameters: EchoParameters()))
            prober.watch(targets, at: now)
            now = now + .milliseconds(3)
        }
        var wakeUps: Set<Instant> = []
        for _ in 0..<400 {
            now = max(now, prober.nextDeadline!)
            var requests: [EchoRequest] = []
            var reports: [EchoReport] = []
            prober.advance(to: now, requests: &requests, reports: &reports)
            for request in requests {
                wakeUps.insert(now)
                prober.answered(request.target, request.sequence, roundTrip: .zero, at: now)
            }
        }
        // The first moment was over before the last neighbor was added.
        #expect(wakeUps.count > 10)
        #expect(wakeUps.sorted().dropFirst().allSatisfy { $0.nanoseconds % 50_000_000 == 0 })
    }

    @Test func whatIsKnownOfANeighborOutlivesOthers() {
        var bench = EchoBench()
        bench.run(for: .seconds(5))
        let other = EchoTarget(
            key: EchoTarget.Key(interface: 1, address: EchoBench.key.address), source: EchoBench.source,
            parameters: EchoParameters())
        let known = bench.prober.figures[0].target
        bench.prober.watch([known, other], at: bench.now)
        #expect(bench.prober.figures.map(\.state) == [.untested, .answering])
        bench.prober.watch([other], at: bench.now)
        bench.prober.watch([known], at: bench.now)
        #expect(bench.prober.figures.map(\.state) == [.untested])
        bench.prober.watch([], at: bench.now)
        #expect(bench.prober.nextDeadline == nil)
    }

    /// What was lost while a neighbor had failed says nothing about the cable once it is alive.
    @Test func aRecoveredNeighborStartsWithoutLoss() {
        var bench = EchoBench()
        bench.run(for: .seconds(60))
        bench.answer = { _ in nil }
        bench.run(for: .seconds(20))
        bench.answer = { _ in .microseconds(100) }
        bench.run(for: .seconds(60))
        #expect(bench.state == .answering && bench.figures.loss == 0)
        #expect(bench.qualities.allSatisfy { $0.loss.lost == 0 })
    }
}
