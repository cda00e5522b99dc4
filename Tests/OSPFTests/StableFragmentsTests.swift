import Testing
import Timing

@testable import OSPF

@Suite struct StableFragmentsTests {
    /// Elements are their own size here. Each addition or removal changes one fragment.
    @Test func elementsStayInTheirFragments() {
        var fragments = StableFragments<Int, Int>(capacity: 100) { $0 }
        var wanted = Dictionary(uniqueKeysWithValues: (0..<200).map { ($0, 7 + $0 % 3) })
        fragments.update(to: wanted)
        let first = fragments.drainChanged()
        #expect(first.flatMap(\.elements).count == 200)
        #expect(first.allSatisfy { $0.elements.reduce(0, +) <= 100 })

        // A random addition or removal changes at most one fragment.
        var random = SplitMix64(seed: 3)
        var contents = Dictionary(uniqueKeysWithValues: first.map { ($0.fragment, $0.elements) })
        for _ in 0..<500 {
            let key = Int(random.next() % 300)
            if wanted.removeValue(forKey: key) == nil { wanted[key] = 5 + Int(random.next() % 20) }
            fragments.update(to: wanted)
            let changed = fragments.drainChanged()
            #expect(changed.count <= 1)
            for (fragment, elements) in changed {
                #expect(elements.reduce(0, +) <= 100)
                contents[fragment] = elements
            }
            #expect(contents.values.map(\.count).reduce(0, +) == wanted.count)
        }
    }

    /// Four elements fit a fragment. In each round one is removed and another added.
    @Test func freeSpaceInFragmentsIsReused() {
        var fragments = StableFragments<Int, Int>(capacity: 40) { _ in 10 }
        fragments.update(to: Dictionary(uniqueKeysWithValues: (0..<40).map { ($0, $0) }))
        #expect(fragments.fragmentCount == 10)
        for round in 0..<100 {
            fragments.update(to: Dictionary(uniqueKeysWithValues: (round..<round + 40).map { ($0, $0) }))
        }
        #expect(fragments.fragmentCount == 10)
    }

    /// The argument of `adopt` has the earlier fragment of each element, by the element's key.
    @Test func adoptedElementsGetTheirEarlierFragments() {
        var fragments = StableFragments<Int, Int>(capacity: 30) { $0 }
        fragments.update(to: [1: 10, 2: 10, 3: 10, 4: 10, 5: 20])
        // 7 is no longer an element, fragment 3 has no room for 5, and a million is too large a number for a fragment.
        fragments.adopt([1: 3, 2: 3, 3: 1, 5: 3, 4: 1_000_000, 7: 2])
        var contents = fragments.drainChanged()
        #expect(contents.map(\.fragment) == [0, 1, 2, 3])
        #expect(contents.map(\.elements) == [[10, 20], [10], [], [10, 10]])
        // An adoption before the first elements.
        fragments = StableFragments<Int, Int>(capacity: 30) { $0 }
        fragments.adopt([1: 1, 2: 0])
        fragments.update(to: [:])
        fragments.update(to: [1: 10, 2: 10, 3: 10])
        contents = fragments.drainChanged()
        #expect(contents.map(\.elements) == [[10, 10], [10]])
        // Element 2 is added long after the others, and has its fragment of the earlier run all the same.
        fragments = StableFragments<Int, Int>(capacity: 30) { $0 }
        fragments.adopt([1: 0, 2: 1, 3: 2])
        fragments.update(to: [1: 10, 3: 10])
        fragments.update(to: [1: 10, 3: 10, 4: 10])
        fragments.update(to: [1: 10, 2: 20, 3: 10, 4: 10])
        contents = fragments.drainChanged()
        #expect(contents.map(\.elements) == [[10, 10], [20], [10]])
    }

    /// Element 2 does not fit its fragment any more.
    @Test func anElementThatOutgrowsItsFragmentMoves() {
        var fragments = StableFragments<Int, Int>(capacity: 30) { $0 }
        fragments.update(to: [1: 10, 2: 10, 3: 10])
        _ = fragments.drainChanged()
        fragments.update(to: [1: 10, 2: 20, 3: 10])
        let changed = fragments.drainChanged()
        #expect(changed.map(\.elements) == [[10, 10], [20]])
    }
}
