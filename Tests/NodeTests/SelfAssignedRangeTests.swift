import Addressing
import OSPF
import Testing
import Timing

@testable import Node

@Suite struct SelfAssignedRangeTests {
    private static let pool = PrefixPool(base: IPv4Prefix("172.31.0.0/16")!, length: 24)!

    /// If a node with a higher router ID claims every range that this node takes, this node takes another less and less often.
    @Test func theTimeBetweenChangesOfTheRangeDoubles() {
        var range = SelfAssignedRange(purpose: "ipv4-pods", pool: Self.pool, saved: nil)
        var taken: [IPv4Prefix] = []
        for second in 0..<1000 as Range<Int64> {
            let now = Instant.zero + .seconds(second)
            let changes = range.review(
                as: RouterID(1), seed: 7, at: now, mayAssign: true, claimants: { _ in [RouterID(2)] }, used: { [] })
            for case .assigned(let prefix) in changes {
                #expect(prefix != taken.last)
                taken.append(prefix)
            }
            #expect(range.prefix != nil)
            if changes.isEmpty { #expect(range.nextReview.map { $0 > now } == true) }
        }
        // One at the start, one at the first conflict, then after 2, 4, … 256 s, which add up to 510 s. The next would be after
        // 512 s more.
        #expect(taken.count == 10)
    }

    @Test func theHigherRouterIDKeepsItsRange() {
        var range = SelfAssignedRange(purpose: "ipv4-pods", pool: Self.pool, saved: IPv4Prefix("172.31.9.0/24"))
        let changes = range.review(
            as: RouterID(3), seed: 7, at: .zero, mayAssign: true, claimants: { _ in [RouterID(2)] }, used: { [] })
        #expect(changes.isEmpty && range.nextReview == nil)
        #expect(range.prefix == IPv4Prefix("172.31.9.0/24"))
    }
}

/// Obstacles: prefixes that this machine reaches without the mesh.
@Suite struct SelfAssignedRangeObstacleTests {
    /// Reviews with these obstacles; `nil` while they are not known. No other node has a range.
    private func review(
        _ range: inout SelfAssignedRange, _ obstacles: [String]?
    ) -> [SelfAssignedRange.Change] {
        range.review(
            as: RouterID(1), seed: 7, at: .zero, mayAssign: true, claimants: { _ in [] }, used: { [] },
            obstacles: obstacles?.map { .init(prefix: IPv4Prefix($0)!, reason: ", which is elsewhere") })
    }

    private func range(_ base: String, length: Int = 24) -> SelfAssignedRange {
        SelfAssignedRange(
            purpose: "ipv4-pods", pool: PrefixPool(base: IPv4Prefix(base)!, length: length)!, saved: nil)
    }

    /// Another node claims the range, and the back-off forbids to yield. An obstacle does not wait for that.
    @Test func anObstacleDoesNotWaitForTheBackoff() {
        var range = range("172.31.0.0/16")
        func review(_ range: inout SelfAssignedRange, at seconds: Int64, _ subnets: [IPv4Prefix] = []) -> Int {
            range.review(
                as: RouterID(1), seed: 7, at: .zero + .seconds(seconds), mayAssign: true,
                claimants: { _ in [RouterID(2)] }, used: { [] },
                connected: subnets.map { .init(prefix: $0, reason: ", which is elsewhere") }
            ).count
        }
        while review(&range, at: 0) > 0 {}
        let held = range.prefix
        #expect(held != nil && range.nextReview != nil)
        #expect(review(&range, at: 0, [held!]) > 0 && range.prefix != held)
    }

    @Test func noRangeIsAssignedBeforeTheObstaclesAreKnown() {
        var range = range("172.31.0.0/16")
        #expect(review(&range, nil) == [])
        #expect(range.prefix == nil && range.problem == nil)
        #expect(review(&range, []).count == 1 && range.prefix != nil)
    }

    /// Of the four ranges, two are in 172.31.0.0/23 and one contains 172.31.3.9.
    @Test func rangesThatOverlapAnObstacleAreNotAssigned() {
        var range = range("172.31.0.0/22")
        #expect(
            review(&range, ["172.31.0.0/23", "172.31.3.9/32"]) == [.assigned(IPv4Prefix("172.31.2.0/24")!)])
    }

    @Test func aCoveredPoolIsReportedOnceAndUsedWhenItIsFree() {
        var range = range("172.31.0.0/16")
        #expect(review(&range, ["172.16.0.0/12"]) == [.covered(IPv4Prefix("172.16.0.0/12")!)])
        #expect(range.problem?.contains("172.31.0.0/16 lies in 172.16.0.0/12, which is elsewhere") == true)
        #expect(review(&range, ["172.16.0.0/12"]) == [])
        #expect(review(&range, ["10.0.0.0/8"]).count == 1)
        #expect(range.prefix != nil && range.problem == nil)
    }
}
