import Addressing
import OSPF
import Testing
import Timing

@testable import Node

@Suite struct SelfAssignedRangeTests {
    private static let pool = PrefixPool(base: IPv4Prefix("172.31.0.0/16")!, length: 24)!

    /// Whoever claims every range that we take gets us to take another less and less often.
    @Test func rangesAreGivenUpEverMoreSeldom() {
        var range = SelfAssignedRange(purpose: "ipv4-pods", pool: Self.pool, saved: nil)
        var taken: [IPv4Prefix] = []
        for second in 0..<1000 as Range<Int64> {
            let now = Instant.zero + .seconds(second)
            let changes = range.review(
                as: RouterID(1), seed: 7, at: now, mayTake: true, claimants: { _ in [RouterID(2)] }, used: { [] })
            for case .took(let prefix) in changes {
                #expect(prefix != taken.last)
                taken.append(prefix)
            }
            #expect(range.prefix != nil)
            if changes.isEmpty { #expect(range.nextReview.map { $0 > now } == true) }
        }
        // At once, again when that is claimed, and then after 2, 4, … 256 s.
        #expect(taken.count == 10)
    }

    @Test func theHigherRouterIDKeepsItsRange() {
        var range = SelfAssignedRange(purpose: "ipv4-pods", pool: Self.pool, saved: IPv4Prefix("172.31.9.0/24"))
        let changes = range.review(
            as: RouterID(3), seed: 7, at: .zero, mayTake: true, claimants: { _ in [RouterID(2)] }, used: { [] })
        #expect(changes.isEmpty && range.nextReview == nil)
        #expect(range.prefix == IPv4Prefix("172.31.9.0/24"))
    }
}
