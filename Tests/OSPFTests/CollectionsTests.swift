import Testing
import Timing

@testable import OSPF

@Suite struct CollectionsTests {
    /// Compares a `FIFO` with an array while both grow and shrink, alternately for 500 steps each.
    @Test func aQueueReturnsItsElementsInTheOrderOfInsertion() {
        var queue = FIFO<Int>()
        var expected: [Int] = []
        var random = SplitMix64(seed: 3)
        for step in 0..<20_000 {
            if random.next() % 1000 == 0 {
                queue.filter { $0 % 3 != 0 }
                expected.removeAll { $0 % 3 == 0 }
            } else if (step / 500) % 2 == 0 ? random.next() % 4 != 0 : random.next() % 4 == 0 {
                queue.append(step)
                expected.append(step)
            } else if !expected.isEmpty {
                queue.removeFirst()
                expected.removeFirst()
            }
            #expect(queue.first == expected.first && queue.count == expected.count)
            #expect(queue.isEmpty == expected.isEmpty)
        }
        queue.removeAll()
        #expect(queue.isEmpty && queue.first == nil)
    }

    @Test func theFirstElementThatSatisfiesAConditionIsFound() {
        for count in 0..<40 {
            let sorted = (0..<count).map { $0 * 2 }
            for bound in -1...count * 2 + 1 {
                let expected = sorted.firstIndex { $0 >= bound } ?? count
                #expect(sorted.partitioningIndex { $0 >= bound } == expected)
                let slice = sorted[(count / 3)...]
                #expect(slice.partitioningIndex { $0 >= bound } == max(expected, count / 3))
            }
        }
    }
}
