import Addressing
import Testing

@Suite struct PrefixPoolTests {
    private func prefix(_ text: String) -> IPv4Prefix { IPv4Prefix(text)! }

    /// A /16 has 16 prefixes of length 20. The seed counts modulo their number.
    @Test func seedsChooseAllPrefixesOfThePoolAndNoOther() {
        let pool = PrefixPool(base: prefix("172.31.0.0/16"), length: 20)!
        let found = Set((0..<64 as Range<UInt64>).compactMap { pool.choose(seed: $0, avoiding: []) })
        #expect(found.count == 16)
        #expect(found.allSatisfy { pool.contains($0) && $0.length == 20 })
        #expect(pool.choose(seed: .max, avoiding: []) == pool.choose(seed: .max % 16, avoiding: []))
    }

    /// In a pool of single addresses the first and the last are left out, unless there are only two.
    @Test func aPoolOfAddressesExcludesTheFirstAndTheLast() {
        let pool = PrefixPool(base: prefix("172.30.2.0/29"), length: 32)!
        var used: [IPv4Prefix] = []
        while let next = pool.choose(seed: 5, avoiding: used) { used.append(next) }
        #expect(used.map(\.description).sorted() == (1...6).map { "172.30.2.\($0)/32" })
        #expect(!pool.contains(prefix("172.30.2.0/32")) && !pool.contains(prefix("172.30.2.7/32")))
        #expect(PrefixPool(base: prefix("10.0.0.4/31"), length: 32)!.contains(prefix("10.0.0.4/32")))
    }

    /// Of the four prefixes only 10.0.1.0/24 is free. A used prefix that covers the whole pool is ignored.
    @Test func aPrefixThatOverlapsAUsedOneIsNotChosen() {
        let pool = PrefixPool(base: prefix("10.0.0.0/22"), length: 24)!
        let used = ["10.0.0.7/32", "10.0.2.0/23", "192.0.2.0/24", "10.0.4.0/24"].map(prefix)
        for seed in 0..<8 as Range<UInt64> {
            #expect(pool.choose(seed: seed, avoiding: used) == prefix("10.0.1.0/24"))
        }
        #expect(pool.choose(seed: 0, avoiding: used + [prefix("10.0.1.128/25")]) == nil)
        for covering in ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/22"] {
            #expect(pool.choose(seed: 0, avoiding: used + [prefix(covering)]) == prefix("10.0.1.0/24"))
        }
    }

    /// A pool has at most 2¹⁶ prefixes, none longer than 32 bits or shorter than the base.
    @Test func invalidPoolsAreRefused() {
        #expect(PrefixPool(base: prefix("10.0.0.0/24"), length: 23) == nil)
        #expect(PrefixPool(base: prefix("10.0.0.0/24"), length: 33) == nil)
        #expect(PrefixPool(base: prefix("10.0.0.0/8"), length: 25) == nil)
        #expect(PrefixPool(base: prefix("10.0.0.0/8"), length: 24) != nil)
        #expect(PrefixPool(base: prefix("10.0.0.0/24"), length: 24)!.contains(prefix("10.0.0.0/24")))
    }

    /// A pool that is one prefix: that prefix is in use if somebody has it, but not because of a default route.
    @Test func theOnlyPrefixOfAPoolIsChosenUnlessItIsUsed() {
        let base = IPv4Prefix("192.168.7.0/24")!
        let pool = PrefixPool(base: base, length: 24)!
        #expect(pool.choose(seed: 5, avoiding: [IPv4Prefix("0.0.0.0/0")!]) == base)
        #expect(pool.choose(seed: 5, avoiding: [base]) == nil)
    }
}
