import Testing
import Timing

@testable import OSPF

@Suite struct TimingTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    /// RFC 8405: routes are calculated without delay after the first change, 5 ms after later ones, and 100 ms after those that
    /// come when 500 ms (TIME_TO_LEARN) are over. After 3 s without changes this starts again.
    @Test func theFirstChangeIsCalculatedAtOnceAndLaterOnesAreDelayed() {
        var delay = SPFDelay(
            parameters: SPFDelayParameters(
                initial: .zero, short: .milliseconds(5), long: .milliseconds(100), timeToLearn: .milliseconds(500),
                holdDown: .seconds(3)))
        delay.changed(at: at(0))
        #expect(delay.deadline == at(0))
        #expect(({ delay.popDue(at: at(0)) }() == true))
        delay.changed(at: at(1))
        #expect(delay.deadline == at(6))
        delay.changed(at: at(4))
        #expect(delay.deadline == at(6))
        #expect(({ delay.popDue(at: at(5)) }() == false))
        #expect(({ delay.popDue(at: at(6)) }() == true))
        // TIME_TO_LEARN is over.
        delay.changed(at: at(600))
        #expect(delay.deadline == at(700))
        #expect(({ delay.popDue(at: at(700)) }() == true))
        // 3001 ms after the last change.
        delay.changed(at: at(3601))
        #expect(delay.deadline == at(3601))
    }

    /// Two instances are originated at once. Before each later one the wait doubles, from 10 ms to 5 s.
    @Test func onlyFrequentOriginationsAreDelayed() {
        var throttle = OriginationThrottle(.doubling)
        var now = at(1000)
        var waits: [Duration] = []
        for _ in 0..<14 {
            let next = max(now, throttle.earliest)
            waits.append(next - now)
            now = next
            throttle.originated(at: now)
        }
        #expect(waits[..<2].allSatisfy { $0 == .zero })
        #expect(waits[2] == .milliseconds(10))
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(waits.last == .seconds(5))
        // After a pause of twice the last wait, the next instances do not wait.
        now = now + .seconds(10)
        throttle.originated(at: now)
        #expect(throttle.earliest <= now)
    }

    /// The bucket holds 64 tokens and gains one every 30 µs, so some 33 in 1 ms.
    @Test func theFloodQueueLetsABurstThroughAndPacesTheRest() {
        var queue = FloodQueue()
        var sent = 0
        while queue.consumeToken(at: at(0)) { sent += 1 }
        #expect(sent == Int(FloodQueue.burst))
        #expect(queue.nextSend == at(1))
        var later = 0
        while queue.consumeToken(at: at(1)) { later += 1 }
        #expect((30...40).contains(later))
        sent = 0
        while queue.consumeToken(at: at(1000)) { sent += 1 }
        #expect(sent == Int(FloodQueue.burst))
    }
}

@Suite struct YieldBackoffTests {
    /// A router that claims every ID or address that we take must not make us change all the time. The wait between changes
    /// doubles from 2 s to 600 s, and starts again after an hour without a change.
    @Test func theWaitBetweenYieldsDoublesAndStartsAgainAfterAnHourWithoutOne() {
        var backoff = YieldBackoff()
        var now = Instant.zero
        var moments: [Instant] = []
        while moments.count < 14 {
            if backoff.mayYield(at: now) {
                backoff.yielded(at: now)
                moments.append(now)
            }
            now = now + .seconds(1)
        }
        let waits = zip(moments.dropFirst(), moments).map { $0 - $1 }
        #expect(waits.prefix(4) == [.seconds(2), .seconds(4), .seconds(8), .seconds(16)])
        #expect(waits.suffix(3) == [.seconds(600), .seconds(600), .seconds(600)])
        now = now + .seconds(3600)
        backoff.yielded(at: now)
        #expect(backoff.mayYield(at: now + .seconds(2)))
    }
}
