import Addressing
import Testing
import Timing

@testable import BFD

@Suite struct SessionTests {
    /// A session that has been brought into a state.
    private func bench(in state: SessionState) -> SessionBench {
        var bench = SessionBench()
        switch state {
        case .down: break
        case .`init`: bench.receive(.down)
        case .up: bench.bringUp()
        case .adminDown:
            bench.bringUp()
            bench.handle(.close)
        }
        #expect(bench.session.state == state)
        return bench
    }

    /// The table of RFC 5880 §6.8.6, and the diagnostic after a change; no diagnostic without a change.
    @Test(arguments: [
        (SessionState.down, SessionState.adminDown, SessionState.down, Diagnostic?.none),
        (.down, .down, .`init`, .some(.none)),
        (.down, .`init`, .up, .some(.none)), (.down, .up, .down, nil),
        (.`init`, .adminDown, .down, .neighborSignaledDown), (.`init`, .down, .`init`, nil),
        (.`init`, .`init`, .up, .some(.none)), (.`init`, .up, .up, .some(.none)),
        (.up, .adminDown, .down, .neighborSignaledDown), (.up, .down, .down, .neighborSignaledDown),
        (.up, .`init`, .up, nil), (.up, .up, .up, nil),
        (.adminDown, .adminDown, .adminDown, nil), (.adminDown, .down, .adminDown, nil),
        (.adminDown, .`init`, .adminDown, nil), (.adminDown, .up, .adminDown, nil),
    ])
    func everyPacketInEveryState(
        state: SessionState, received: SessionState, next: SessionState, diagnostic: Diagnostic?
    ) {
        var bench = bench(in: state)
        let count = bench.sent.count
        let before = bench.session.diagnostic
        let actions = bench.receive(received)
        #expect(bench.session.state == next)
        #expect(bench.session.diagnostic == diagnostic ?? before)
        // A change is told at once, and nothing else is.
        #expect(bench.sent.count == count + (state == next ? 0 : 1))
        if state != next {
            #expect(actions.isReportable && bench.sent.last?.packet.state == next)
            #expect(bench.sent.last?.packet.diagnostic == bench.session.diagnostic)
            #expect(bench.sent.last?.packet.yourDiscriminator == 77)
        }
    }

    @Test func packetsOfANewSession() {
        var bench = SessionBench(20, multiplier: 7)
        bench.run(for: .milliseconds(1))
        let packet = bench.sent[0].packet
        #expect(packet.state == .down && packet.diagnostic == .none && packet.detectionMultiplier == 7)
        #expect(packet.myDiscriminator == SessionBench.discriminator && packet.yourDiscriminator == 0)
        #expect(packet.desiredMinTransmit == 1_000_000 && packet.requiredMinReceive == 20_000)
        #expect(packet.requiredMinEchoReceive == 0 && !packet.isDemand && !packet.isPoll && !packet.isFinal)
    }

    /// While the session is not Up, 0.75 to 1 s; while it is, 75 to 100 ms; 75 to 90 ms if one lost packet is a failure (§6.8.7).
    @Test(arguments: [UInt8(1), 3])
    func intervalsAreJittered(multiplier: UInt8) {
        var bench = SessionBench(100, multiplier: multiplier)
        var start = bench.now
        bench.run(for: .seconds(100))
        let most = multiplier == 1 ? 900 : 1000
        #expect(bench.gaps(since: start).allSatisfy { $0 >= .milliseconds(750) && $0 <= .milliseconds(most) })
        #expect(Set(bench.gaps(since: start)).count > 50)
        bench.bringUp()
        bench.run(for: .seconds(1), hearingEvery: .milliseconds(50))
        start = bench.now
        bench.run(for: .seconds(100), hearingEvery: .milliseconds(50))
        let gaps = bench.gaps(since: start)
        #expect(gaps.allSatisfy { $0 >= .milliseconds(75) && $0 <= .milliseconds(most / 10) })
        #expect(gaps.max()! > .milliseconds(most / 10 - 3) && gaps.min()! < .milliseconds(78))
        #expect(bench.session.state == .up)
    }

    /// The neighbor's multiplier and the slower of its interval and ours decide (§6.8.4).
    @Test(arguments: [
        (100, 3, 100, 300), (100, 3, 400, 1200), (100, 5, 20, 500), (50, 2, 10, 100), (1000, 3, 50, 3000),
    ])
    func silenceForTheDetectionTimeIsAFailure(ours: Int, multiplier: UInt8, theirs: UInt32, time: Int) {
        var bench = SessionBench(ours)
        bench.neighbor.detectionMultiplier = multiplier
        bench.neighbor.desiredMinTransmit = theirs * 1000
        bench.bringUp()
        #expect(bench.session.detectionTime == .milliseconds(time))
        let silence = bench.now
        bench.run(for: .milliseconds(time))
        #expect(bench.session.state == .up)
        bench.run(for: .milliseconds(1))
        #expect(bench.session.state == .down && bench.session.diagnostic == .detectionTimeExpired)
        #expect(bench.session.since == silence + .milliseconds(time))
        #expect(bench.sent.last?.packet.state == .down && bench.sent.last?.packet.diagnostic == .detectionTimeExpired)
        // bfd.RemoteDiscr is forgotten, and the slow interval is back.
        #expect(bench.sent.last?.packet.yourDiscriminator == 0)
        #expect(bench.sent.last?.packet.desiredMinTransmit == 1_000_000)
        #expect(bench.session.counters.failures == 1)
    }

    @Test func initTimesOutToo() {
        var bench = SessionBench()
        bench.receive(.down) { $0.desiredMinTransmit = 1_000_000 }
        bench.run(for: .milliseconds(3001))
        #expect(bench.session.state == .down && bench.session.diagnostic == .detectionTimeExpired)
        #expect(bench.session.counters.failures == 0)
    }

    /// The kernel's stamps count, and not when packets were read.
    @Test func packetsThatWaitedAreAsOldAsTheyAre() {
        var bench = SessionBench()
        bench.bringUp()
        let arrival = bench.now
        bench.now = bench.now + .milliseconds(250)
        bench.handle(.packet(bench.neighbor, arrival: arrival + .milliseconds(10)))
        #expect(bench.session.nextDeadline.map { $0 <= arrival + .milliseconds(310) } == true)
        bench.run(for: .milliseconds(61))
        #expect(bench.session.state == .down)
    }

    /// A process that did not run gives packets one more interval to arrive; one that is always late gets that once.
    @Test func lateWakeUpsAreNoFailures() {
        var bench = SessionBench()
        bench.bringUp()
        bench.now = bench.now + .seconds(10)
        bench.handle(.timer)
        #expect(bench.session.state == .up)
        bench.now = bench.now + .milliseconds(50)
        bench.receive(.up)
        #expect(bench.session.state == .up)

        bench.now = bench.now + .milliseconds(320)
        bench.handle(.timer)
        #expect(bench.session.state == .up)
        bench.now = bench.now + .milliseconds(120)
        bench.handle(.timer)
        #expect(bench.session.state == .down && bench.session.diagnostic == .detectionTimeExpired)
    }

    @Test func pollsAreAnsweredAtOnceAndFinalsAreNoPolls() {
        for state in [SessionState.down, .`init`, .up] {
            var bench = bench(in: state)
            let count = bench.sent.count
            bench.receive(state == .up ? .up : .down) { $0.isPoll = true }
            #expect(bench.sent.count == count + 1)
            #expect(bench.sent.last?.packet.isFinal == true && bench.sent.last?.packet.isPoll == false)
        }
        var bench = bench(in: .adminDown)
        let count = bench.sent.count
        bench.receive(.up) { $0.isPoll = true }
        #expect(bench.sent.count == count)
    }

    /// Somebody who polls at a high rate does not make us send at that rate.
    @Test func answersToPollsAreLimited() {
        var bench = bench(in: .up)
        let count = bench.sent.count
        for _ in 0..<10_000 {
            bench.now = bench.now + .microseconds(100)
            bench.receive(.up) { $0.isPoll = true }
        }
        #expect((300...360).contains(bench.sent.count - count))
    }

    /// Somebody who makes a session begin and end at a high rate does not make us report at that rate, and the session works when he
    /// has gone.
    @Test(arguments: [[SessionState.down, .`init`], [.down, .adminDown], [.up, .adminDown]])
    func changesOfTheStateAreLimited(received: [SessionState]) {
        var bench = bench(in: .up)
        let reports = bench.reportable
        for count in 0..<10_000 {
            bench.now = bench.now + .microseconds(100)
            bench.receive(received[count % received.count])
        }
        #expect((8...60).contains(bench.reportable - reports))
        bench.now = bench.now + Session.beginningPeriod
        bench.receive(.adminDown)
        bench.bringUp()
        #expect(bench.session.state == .up)
    }

    /// Up begins with a poll sequence, because the interval is another one from then on (§6.8.3). It is repeated until it is answered.
    @Test func aPollSequenceLastsUntilItIsAnswered() {
        var bench = SessionBench()
        bench.receive(.down)
        bench.receive(.`init`)
        #expect(bench.session.isPolling && bench.sent.last?.packet.isPoll == true)
        for _ in 0..<10 {
            bench.run(for: .milliseconds(100))
            bench.receive(.up)
        }
        #expect(bench.sent.suffix(5).allSatisfy { $0.packet.isPoll })
        bench.receive(.up) { $0.isFinal = true }
        #expect(!bench.session.isPolling)
        bench.run(for: .milliseconds(150))
        #expect(bench.sent.last?.packet.isPoll == false)
    }

    /// A longer interval is announced first and used when the neighbor knows it; a shorter one is used at once. For detection it is
    /// the other way round (§6.8.3).
    @Test func intervalsChangeInTheSafeOrder() {
        var bench = bench(in: .up)
        bench.neighbor.desiredMinTransmit = 10_000
        bench.neighbor.requiredMinReceive = 10_000
        bench.receive(.up)
        func change(_ interval: Int) {
            bench.handle(.parameters(SessionParameters(interval: .milliseconds(interval), multiplier: 3)))
        }
        change(400)
        #expect(bench.session.transmitInterval == .milliseconds(100) && bench.session.isPolling)
        #expect(bench.session.detectionTime == .milliseconds(1200))
        bench.run(for: .milliseconds(101))
        #expect(bench.sent.last?.packet.isPoll == true && bench.sent.last?.packet.desiredMinTransmit == 400_000)
        bench.receive(.up) { $0.isFinal = true }
        #expect(bench.session.transmitInterval == .milliseconds(400))
        change(50)
        #expect(bench.session.transmitInterval == .milliseconds(50))
        #expect(bench.session.detectionTime == .milliseconds(1200))
        bench.run(for: .milliseconds(1))
        #expect(
            bench.session.isPolling && bench.session.nextDeadline.map { $0 <= bench.now + .milliseconds(50) } == true)
        bench.run(for: .milliseconds(50))
        bench.receive(.up) { $0.isFinal = true }
        #expect(bench.session.detectionTime == .milliseconds(150))
    }

    /// The answer to a poll with older intervals does not end the sequence.
    @Test func aChangeDuringAPollSequenceIsPolledToo() {
        var bench = bench(in: .up)
        bench.handle(.parameters(SessionParameters(interval: .milliseconds(200), multiplier: 3)))
        let count = bench.sent.count
        bench.run(for: .milliseconds(201))
        let polls = bench.sent[count...].count { $0.packet.isPoll }
        #expect(polls >= 2)
        bench.handle(.parameters(SessionParameters(interval: .milliseconds(300), multiplier: 3)))
        for _ in 0..<polls {
            bench.receive(.up) { $0.isFinal = true }
            #expect(bench.session.isPolling && bench.session.transmitInterval == .milliseconds(100))
        }
        bench.run(for: .milliseconds(101))
        bench.receive(.up) { $0.isFinal = true }
        #expect(!bench.session.isPolling && bench.session.transmitInterval == .milliseconds(300))
    }

    /// The neighbor's Required Min RX Interval slows us down; 0 stops periodic packets (§6.8.7), but not answers to polls.
    @Test func theNeighborDecidesHowOftenItIsSentTo() {
        var bench = bench(in: .up)
        bench.receive(.up) { $0.requiredMinReceive = 500_000 }
        #expect(bench.session.transmitInterval == .milliseconds(500))
        bench.neighbor.requiredMinReceive = 0
        bench.receive(.up)
        let count = bench.sent.count
        bench.run(for: .seconds(5), hearingEvery: .milliseconds(100))
        #expect(bench.sent.count == count)
        bench.receive(.up) { $0.isPoll = true }
        #expect(bench.sent.count == count + 1)
        bench.neighbor.requiredMinReceive = 100_000
        bench.run(for: .seconds(1), hearingEvery: .milliseconds(100))
        #expect(bench.sent.count > count + 8)
    }

    /// A neighbor in demand mode gets no periodic packets while both are Up, unless we poll (§6.6, §6.8.7); its own packets are still
    /// expected, because we do not ask for demand mode.
    @Test func demandModeOfTheNeighborIsRespected() {
        var bench = bench(in: .up)
        bench.neighbor.isDemand = true
        bench.receive(.up)
        let count = bench.sent.count
        bench.run(for: .seconds(5), hearingEvery: .milliseconds(100))
        #expect(bench.sent.count == count && bench.session.state == .up)
        bench.handle(.parameters(SessionParameters(interval: .milliseconds(200), multiplier: 3)))
        bench.run(for: .milliseconds(201))
        #expect(bench.sent.count > count && bench.sent.last?.packet.isPoll == true)
        bench.run(for: .seconds(1))
        #expect(bench.session.state == .down)
        // Down, we send whatever the neighbor wanted while it was Up.
        let afterwards = bench.sent.count
        bench.run(for: .seconds(5))
        #expect(bench.sent.count >= afterwards + 4)
    }

    /// In the passive role, nothing is sent before the neighbor has sent something (§6.1).
    @Test func thePassiveRoleWaits() {
        var bench = SessionBench(isPassive: true)
        bench.run(for: .seconds(10))
        #expect(bench.sent.isEmpty)
        bench.receive(.down)
        #expect(bench.sent.count == 1 && bench.sent[0].packet.state == .`init`)
        bench.receive(.up)
        #expect(bench.session.state == .up)
        bench.run(for: .seconds(2))
        #expect(bench.session.state == .down)
        let count = bench.sent.count
        bench.run(for: .seconds(10))
        #expect(bench.sent.count == count)
    }

    /// A session that ends says so for three seconds (§6.8.16); one whose neighbor is unknown just ends.
    @Test func theEndOfASessionIsTold() {
        var bench = bench(in: .up)
        bench.handle(.close)
        let first = bench.sent.last?.packet
        #expect(first?.state == .adminDown && first?.diagnostic == .administrativelyDown)
        let count = bench.sent.count
        bench.run(for: .milliseconds(2999))
        #expect(bench.sent.count >= count + 2 && bench.sent.suffix(2).allSatisfy { $0.packet.state == .adminDown })
        #expect(bench.session.end == bench.now + .milliseconds(1))
        var unknown = SessionBench()
        unknown.handle(.close)
        #expect(unknown.session.end == unknown.now && unknown.sent.map(\.packet.state) == [.adminDown])
    }

    /// The states of the neighbor that the report needs.
    @Test func adminDownOfTheNeighborIsReported() {
        var bench = bench(in: .up)
        let reports = bench.reportable
        bench.receive(.adminDown)
        let report = bench.session.report(of: NeighborAddress(interface: 1, address: .loopback))
        #expect(report.state == .down && report.remoteState == .adminDown && bench.reportable == reports + 1)
        bench.receive(.down)
        #expect(bench.session.state == .`init`)
        #expect(bench.session.report(of: NeighborAddress(interface: 1, address: .loopback)).remoteState == .down)
    }
}
