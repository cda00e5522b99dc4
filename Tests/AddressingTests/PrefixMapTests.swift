import Addressing
import Testing

@Suite struct PrefixMapTests {
    /// 120 addresses close to each other, each with the lengths 124 to 128.
    static let prefixes: [IPv6Prefix] = (0..<600).map { number in
        IPv6Prefix(IPv6Address(high: 0x2001_0db8_0000_0000, low: UInt64(number / 5) << 32), length: 124 + number % 5)
    }

    @Test func aPrefixMapAgreesWithADictionaryThroughThousandsOfChanges() {
        var map = PrefixMap<Int>()
        var dictionary: [IPv6Prefix: Int] = [:]
        var state: UInt64 = 1
        for step in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // The map grows for 6000 steps and shrinks for 4000, twice.
            let isGrowing = step % 10_000 < 6000
            let prefix = Self.prefixes[Int(state >> 33) % Self.prefixes.count]
            let value = (state >> 20 & 7 < 5) == isGrowing ? step : nil
            map[prefix] = value
            dictionary[prefix] = value
            #expect(map.count == dictionary.count)
            guard step % 500 == 0 else { continue }
            for prefix in Self.prefixes where map[prefix] != dictionary[prefix] {
                Issue.record("the value of \(prefix) is \(String(describing: map[prefix])) after step \(step)")
            }
            #expect(Dictionary(uniqueKeysWithValues: map.map { ($0.key, $0.value) }) == dictionary)
        }
    }

    /// Whatever the order of insertion.
    @Test func mapsOfEqualContentAreEqual() {
        var (left, right) = (PrefixMap<Int>(), PrefixMap<Int>())
        for (index, prefix) in Self.prefixes.enumerated() { left[prefix] = index }
        for (index, prefix) in Self.prefixes.enumerated().reversed() { right[prefix] = index }
        #expect(left == right)
        right[Self.prefixes[3]] = 4
        #expect(left != right)
        left[Self.prefixes[3]] = nil
        right[Self.prefixes[3]] = nil
        #expect(left == right)
        left[Self.prefixes[5]] = nil
        #expect(left != right)
    }

    @Test func aCopyIsIndependentOfItsOriginal() {
        var map = PrefixMap<Int>()
        for prefix in Self.prefixes { map[prefix] = 1 }
        let copy = map
        for prefix in Self.prefixes { map[prefix] = nil }
        #expect(map.isEmpty && map[.default] == nil && copy.count == Self.prefixes.count)
        #expect(Self.prefixes.allSatisfy { copy[$0] == 1 })
        #expect(Set(copy.keys) == Set(Self.prefixes) && copy.values.allSatisfy { $0 == 1 })
    }
}
