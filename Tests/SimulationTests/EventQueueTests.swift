import OSPF
import Testing
import Timing

@testable import Simulation

@Suite struct EventQueueTests {
    @Test func eventsAreOrderedByTimeThenByInsertion() {
        var random = RandomSource(seed: 7)
        var queue = EventQueue<Int>()
        var all: [(time: Int64, number: Int)] = []
        for number in 0..<500 {
            let time = Int64(random.below(40))
            queue.push(number, at: Instant(nanoseconds: time))
            all.append((time, number))
        }
        let sorted = all.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        for expected in sorted {
            let popped = queue.pop()
            #expect(popped?.time.nanoseconds == expected.time && popped?.element == expected.number)
        }
        #expect(queue.pop() == nil && queue.nextTime == nil)
    }

    /// Slightly more events are added than removed. No event is earlier than the one before.
    @Test func eventsStayOrderedWhileOthersAreAddedAndRemoved() {
        var random = RandomSource(seed: 8)
        var queue = EventQueue<Int64>()
        var now: Int64 = 0
        for _ in 0..<2_000 {
            if random.chance(0.55) {
                let time = now + Int64(random.below(100))
                queue.push(time, at: Instant(nanoseconds: time))
            } else if let (time, element) = queue.pop() {
                #expect(time.nanoseconds == element && element >= now)
                now = element
            }
        }
        #expect(queue.count > 0)
    }
}

@Suite struct RandomSourceTests {
    @Test func numbersAreThePublishedOnesOfSplitMix64() {
        // The first outputs for the seed 1234567 as the algorithm's authors publish them.
        var random = RandomSource(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
        #expect(random.next() == 9_817_491_932_198_370_423)
    }

    @Test func numbersStayInTheirRangesAndReachBothEnds() {
        var random = RandomSource(seed: 1)
        var seen = Set<Int>()
        for _ in 0..<1_000 { seen.insert(random.number(in: 3...7)) }
        #expect(seen == [3, 4, 5, 6, 7])
        #expect((0..<100).allSatisfy { _ in !random.chance(0) && random.chance(1) })
        let hits = (0..<10_000).count { _ in random.chance(0.3) }
        #expect((2_700...3_300).contains(hits))
    }
}
