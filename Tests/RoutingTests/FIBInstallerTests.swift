import Addressing
import OSPF
import Routing
import Testing
import Timing

@Suite struct FIBInstallerTests {
    private let prefix = IPv6Prefix("2001:db8::/64")!
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    /// An installer that has `count` routes over one next hop to install.
    private func installer(routes count: Int = 1) -> FIBInstaller {
        var installer = FIBInstaller()
        installer.link(2, isUsable: true, at: at(0))
        let id = DestinationID(rawValue: 0)
        let hop = NextHop(interface: 2, gateway: IPv6Address("fe80::1")!)
        let prefixes = (0..<count).map {
            IPv6Prefix(IPv6Address(high: 0x2001_0db8 << 32 | UInt64($0), low: 0), length: 64)
        }
        installer.update(
            RouteTableUpdate(
                destinations: [
                    (id, Destination(kind: .intraArea, metric: 1, announcers: [RouterID(1)], nextHops: [hop]))
                ],
                routes: prefixes.map { ($0, id) }))
        return installer
    }

    /// After a failure the installer waits 100 ms, doubling to 30 s, and then reads everything.
    @Test func anUnreachableKernelIsNotAskedAgainBeforeTheRetry() throws {
        var installer = installer()
        #expect(installer.next(at: at(0)) != nil)
        #expect(installer.receive(.unreachable("no buffer space"), at: at(0)) == nil)
        #expect(installer.lastError == "no buffer space")
        var waits: [Duration] = []
        var now = at(0)
        for _ in 0..<12 {
            #expect(installer.next(at: now) == nil, "no request is made before the retry")
            let deadline = try #require(installer.nextDeadline)
            waits.append(deadline - now)
            now = deadline
            #expect(installer.next(at: now) == .read(.everything))
            #expect(installer.receive(.unreachable("no buffer space"), at: now) == nil)
        }
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 } && waits.last == .seconds(30))
        // A notification does not make the retry earlier.
        installer.receive(.overflow)
        #expect(installer.next(at: now) == nil)
        now = try #require(installer.nextDeadline)
        #expect(installer.next(at: now) == .read(.everything))
        guard case .apply? = installer.receive(.read(KernelRoutes()), at: now) else {
            Issue.record("the kernel answers again, but no changes are requested")
            return
        }
        #expect(installer.receive(.applied(failures: []), at: now) == nil)
        #expect(installer.fib.installedRoutes == 1 && installer.lastError == nil)
    }

    /// A notification arrives while the kernel is read, so the result may be out of date.
    @Test func aReadIsRepeatedIfANotificationArrivesDuringIt() {
        var installer = installer()
        guard case .apply? = installer.next(at: at(0)) else {
            Issue.record("the first request is not to apply changes")
            return
        }
        #expect(installer.receive(.applied(failures: []), at: at(0)) == nil)
        installer.requireRead(.everything)
        #expect(installer.next(at: at(1)) == .read(.everything))
        installer.receive(.routeDeleted(prefix))
        #expect(installer.receive(.read(KernelRoutes()), at: at(2)) == .read(.everything))
    }

    /// At most 4096 routes per request (`FIBInstaller.limit`), the first time with a next hop and a group.
    @Test func aLargeUpdateIsAppliedInSlices() {
        var installer = installer(routes: 10_000)
        var slices = 0
        while let request = installer.next(at: at(0)) {
            guard case .apply(let changes) = request else {
                Issue.record("a request is not to apply changes")
                return
            }
            #expect(changes.count <= 4096 + 2)
            slices += 1
            #expect(
                installer.receive(.applied(failures: []), at: at(0)) == nil, "the next slice waits for the next turn")
            if !installer.hasMore { break }
        }
        #expect(slices == 3 && installer.fib.installedRoutes == 10_000)
    }
}
