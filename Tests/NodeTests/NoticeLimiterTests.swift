import Addressing
import OSPF
import Testing
import Timing

@testable import Node

@Suite struct NoticeLimiterTests {
    private func mtu(_ interface: UInt32, _ theirs: Int) -> Notice {
        .mtuMismatch(interface: interface, neighbor: RouterID(1), theirs: theirs, ours: 1500)
    }

    /// Five notices of a kind at once (`NoticeLimiter.burst`), then one per minute: 60 in an hour. After five minutes of
    /// silence, the limit starts again.
    @Test func noticesAfterABurstAreLoggedOncePerMinute() {
        var limiter = NoticeLimiter()
        var now = Instant.zero
        let first = (0..<7).map { limiter.verdict(on: mtu(1, $0), at: now) }
        #expect(first == [.logged, .logged, .logged, .logged, .loggedAsLastOfBurst, .suppressed, .suppressed])
        #expect(limiter.verdict(on: mtu(2, 0), at: now) == .logged, "each port has its own limit")

        var logged = 0
        for _ in 0..<3600 {
            now = now + .seconds(1)
            if limiter.verdict(on: mtu(1, 0), at: now) != .suppressed { logged += 1 }
        }
        #expect(logged == 60)
        #expect(limiter.suppressed == 2 + 3600 - 60)

        now = now + .seconds(300)
        #expect(limiter.verdict(on: mtu(1, 0), at: now) == .logged, "after a pause, the limit starts again")
    }

    @Test func neighborStateChangesAreAlwaysLogged() {
        var limiter = NoticeLimiter()
        let notice = Notice.neighborState(
            interface: 1, neighbor: RouterID(1), from: .full, to: .down, reason: .inactivityTimer)
        #expect((0..<1000).allSatisfy { _ in limiter.verdict(on: notice, at: .zero) == .logged })
    }
}
