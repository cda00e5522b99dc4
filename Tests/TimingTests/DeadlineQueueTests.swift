import Testing
import Timing

@Suite struct DeadlineQueueTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test func subjectsAreReturnedInTheOrderOfTheirDeadlines() {
        var queue = DeadlineQueue<Int>()
        var random = SplitMix64(seed: 1)
        let moments = (0..<1000).map { _ in Int64(random.next() % 10_000) }
        for (subject, moment) in moments.enumerated() { queue.insert(subject, at: at(moment)) }
        var popped: [Int64] = []
        while let first = queue.first, let subject = queue.popDue(at: first) { popped.append(moments[subject]) }
        #expect(popped == moments.sorted())
        queue.insert(1, at: at(5))
        #expect(({ queue.popDue(at: at(4)) }() == nil))
    }

    /// Subject n is due at 100 − n ms. Those that are multiples of 10 are kept; 90 is the first.
    @Test func compactionKeepsTheEntriesThatSatisfyTheCondition() {
        var queue = DeadlineQueue<Int>()
        for subject in 0..<100 { queue.insert(subject, at: at(Int64(100 - subject))) }
        queue.compact { subject, _ in subject % 10 == 0 }
        #expect(queue.count == 10)
        #expect(({ queue.popDue(at: at(1000)) }() == 90))
    }
}
