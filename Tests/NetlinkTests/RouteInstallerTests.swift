import Addressing
import Glibc
import Links
import Linux
import Netlink
import OSPF
import Routing
import TestSupport
import Testing
import Timing

@Suite(.serialized, .needsRoot) struct RouteInstallerTests {
    static let bothHops = [MachineFixture.hop(0), MachineFixture.hop(1)]

    @Test func installedRoutesAreShownByIproute2() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture, preferredSource: MachineFixture.nodeAddress)
        node.update([(0, Self.bothHops), (1, [MachineFixture.hop(1)])], [(1, 0), (2, 0), (3, 1)])
        node.install()
        #expect(
            try node.kernelRoutes()
                == node.expected(1..<3, Self.bothHops).merging(node.expected(3..<4, [MachineFixture.hop(1)])) { $1 })
        let shown = try fixture.output("ip -6 -o route show proto 71")
        #expect(shown.split(separator: "\n").count == 3)
        #expect(shown.contains("metric 20"))
        let shownRoute = try fixture.output("ip -6 route get \(MachineFixture.prefix(3).address)")
        #expect(shownRoute.contains("via \(MachineFixture.hop(1).gateway) dev c1"))
        #expect(shownRoute.contains("src \(MachineFixture.nodeAddress)"))
        #expect(node.installer.state(of: MachineFixture.prefix(3)) == .installed)
    }

    @Test func losingOneOfTwoNextHopsOfManyRoutesTakesTwoChanges() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        node.update([(0, Self.bothHops)], (0..<10_000).map { ($0, 0) })
        var start = EventLoop.now
        node.install()
        let added = EventLoop.now - start
        #expect(try node.kernelRoutes() == node.expected(0..<10_000, Self.bothHops))
        let before = node.installer.kernelCounters.changes
        // With two next hops and their group. Replacing the group and removing a next hop are two more changes.
        #expect(before == 10_003)
        #expect(node.installer.kernelCounters.batches <= 45)

        node.update([(0, [MachineFixture.hop(1)])])
        start = EventLoop.now
        node.install()
        let replaced = EventLoop.now - start
        #expect(try node.kernelRoutes() == node.expected(0..<10_000, [MachineFixture.hop(1)]))
        #expect(node.installer.kernelCounters.changes - before <= 2)
        print("10,000 routes added in \(added), moved in \(replaced)")

        // The kernel removes all routes with their group.
        start = EventLoop.now
        node.update([], (0..<10_000).map { ($0, nil) }, released: [0])
        node.install()
        print("10,000 routes removed in \(EventLoop.now - start)")
        #expect(try node.kernelRoutes().isEmpty)
        #expect(node.installer.kernelCounters.changes - before <= 4)
        #expect(try fixture.output("ip nexthop show").isEmpty)
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func flapsEndWithTheRightRoutes(mode: FIB.Mode) throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture, mode: mode)
        node.update(
            [(0, Self.bothHops), (1, [MachineFixture.hop(0)])], (0..<50).map { ($0, 0) } + (50..<60).map { ($0, 1) })
        node.install()
        let allRoutes = node.expected(0..<50, Self.bothHops).merging(node.expected(50..<60, [MachineFixture.hop(0)])) {
            $1
        }
        #expect(try node.kernelRoutes() == allRoutes)
        for _ in 0..<5 {
            try fixture.unplug(0)
            #expect(try node.run { node.monitor.links[MachineFixture.interface(0)]?.isUsable == false })
            // The routes that the router calculates without the cable.
            node.update([(0, [MachineFixture.hop(1)]), (1, [MachineFixture.hop(1)])])
            node.install()
            #expect(try node.kernelRoutes() == node.expected(0..<60, [MachineFixture.hop(1)]))
            try fixture.plug(0)
            #expect(try node.run { node.monitor.links[MachineFixture.interface(0)]?.isUsable == true })
            node.update([(0, Self.bothHops), (1, [MachineFixture.hop(0)])])
            node.install()
            #expect(try node.kernelRoutes() == allRoutes)
        }
        // Both cables fail and return at once, and the router's routes do not change.
        try fixture.unplug(0)
        try fixture.unplug(1)
        try fixture.plug(0)
        try fixture.plug(1)
        #expect(
            try node.run {
                try node.kernelRoutes() == allRoutes && node.installer.state(of: MachineFixture.prefix(0)) == .installed
            }
        )
        #expect(!node.installer.fib.hasFailures)
    }

    @Test func aLinkThatIsSetDownLosesItsRoutesUntilItIsUp() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        node.update([(0, Self.bothHops), (1, [MachineFixture.hop(0)])], [(1, 0), (2, 1)])
        node.install()
        try fixture.ip("link set c0 down")
        #expect(try node.run { try node.kernelRoutes() == node.expected(1..<2, [MachineFixture.hop(1)]) })
        #expect(node.installer.state(of: MachineFixture.prefix(2)) == .pending)
        try fixture.ip("link set c0 up")
        #expect(
            try node.run {
                try node.kernelRoutes() == [
                    MachineFixture.prefix(1): Self.bothHops, MachineFixture.prefix(2): [MachineFixture.hop(0)],
                ]
            })
        try fixture.ip("link del c0")
        #expect(try node.run { try node.kernelRoutes() == node.expected(1..<2, [MachineFixture.hop(1)]) })
    }

    @Test func aRouteOverALinkThatJustFailedIsInstalledWhenItReturns() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        node.update([(0, [MachineFixture.hop(1)])], (0..<20).map { ($0, 0) })
        node.install()
        try fixture.unplug(0)
        // The carrier is lost, but the installer has not read that yet.
        while try !fixture.output("ip link show c0").contains("NO-CARRIER") { usleep(1000) }
        node.update([(0, Self.bothHops), (1, [MachineFixture.hop(0)])], [(30, 1)])
        node.install()
        #expect(try node.kernelRoutes() == node.expected(0..<20, [MachineFixture.hop(1)]))
        guard case .failed(let failure) = node.installer.state(of: MachineFixture.prefix(30)) else {
            Issue.record("a route over a link without carrier must be in the state failed")
            return
        }
        #expect(failure.reason == .linkUnusable)
        #expect(failure.message.contains("Carrier"))
        #expect(node.installer.nextDeadline != nil)
        try fixture.plug(0)
        #expect(
            try node.run {
                try node.kernelRoutes()
                    == node.expected(0..<20, Self.bothHops).merging(node.expected(30..<31, [MachineFixture.hop(0)])) {
                        $1
                    }
            })
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func routesAndNextHopsThatOthersDeleteAreRestored(mode: FIB.Mode) throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture, mode: mode)
        node.update([(0, Self.bothHops)], (0..<10).map { ($0, 0) })
        node.install()
        let allRoutes = node.expected(0..<10, Self.bothHops)
        try fixture.ip("-6 route del \(MachineFixture.prefix(3)) proto 71")
        #expect(try node.kernelRoutes().count == 9)
        #expect(try node.run { try node.kernelRoutes() == allRoutes })
        #expect(node.installer.counters.foreignRouteDeletions == 1)
        try fixture.flushRoutes()
        #expect(try node.run { try node.kernelRoutes() == allRoutes })
        #expect(node.installer.counters.foreignRouteDeletions == 11)
        guard mode == .objects else { return }
        let group = try #require(
            try fixture.output("ip nexthop show").split(separator: "\n").first { $0.contains("group") })
        try fixture.ip("nexthop del id \(group.split(separator: " ")[1])")
        #expect(try node.run { try node.kernelRoutes() == allRoutes })
        try fixture.ip("nexthop flush")
        #expect(try node.run { try node.kernelRoutes() == allRoutes })
        #expect(node.installer.fib.counts.nextHops == 2)
    }

    /// A route without a gateway, to a destination on the link itself, and one whose gateway is a global address to which there
    /// is no route.
    @Test(arguments: [FIB.Mode.objects, .multipath])
    func destinationsOnALinkNeedNoGateway(mode: FIB.Mode) throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture, mode: mode)
        let onLink = NextHop(onLink: MachineFixture.interface(0))
        let forwarding = NextHop(interface: MachineFixture.interface(1), gateway: IPv6Address("2001:db8:ffff::9")!)
        node.update([(0, [onLink]), (1, [forwarding])], [(1, 0), (2, 1)])
        node.install()
        #expect(
            try node.kernelRoutes() == node.expected(1..<2, [onLink]).merging(node.expected(2..<3, [forwarding])) { $1 }
        )
        for prefix in 1...2 { #expect(node.installer.state(of: MachineFixture.prefix(prefix)) == .installed) }
        let direct = try fixture.output("ip -6 route get \(MachineFixture.prefix(1).address)")
        #expect(direct.contains("dev c0") && !direct.contains("via"))
        #expect(
            try fixture.output("ip -6 route get \(MachineFixture.prefix(2).address)").contains(
                "via 2001:db8:ffff::9 dev c1"))
        // Read back from the kernel, both routes are recognized: nothing changes.
        let before = node.installer.kernelCounters.changes
        node.installer.requireRead()
        node.install()
        #expect(node.installer.kernelCounters.changes == before)
    }

    @Test func aRouteOfAnotherProgramIsKeptAndReported() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        try fixture.ip("-6 route add \(MachineFixture.prefix(1)) via fe80::9 dev c0 metric 20")
        node.update([(0, Self.bothHops)], [(1, 0), (2, 0)])
        node.install()
        #expect(try node.kernelRoutes() == node.expected(2..<3, Self.bothHops))
        guard case .failed(let failure) = node.installer.state(of: MachineFixture.prefix(1)) else {
            Issue.record("a route that another program has must be in the state failed")
            return
        }
        #expect(failure.reason == .exists)
        // Another program replaces our other route.
        try fixture.ip("-6 route replace \(MachineFixture.prefix(2)) via fe80::9 dev c0 metric 20")
        #expect(
            try node.run {
                if case .failed = node.installer.state(of: MachineFixture.prefix(2)) { true } else { false }
            })
        #expect(try fixture.output("ip -6 route show metric 20").contains("proto 71") == false)
        // The retries so far pass, until the next is 4 s away or more. Then both routes of others are removed: that is
        // notified, and ours are installed without waiting for a retry.
        while let deadline = node.installer.nextDeadline, deadline < EventLoop.now + .seconds(4) {
            _ = node.installer.install(at: deadline)
        }
        try fixture.ip("-6 route del \(MachineFixture.prefix(1)) metric 20")
        try fixture.ip("-6 route del \(MachineFixture.prefix(2)) metric 20")
        node.installer.readNotifications()
        node.install()
        #expect(try node.kernelRoutes() == node.expected(1..<3, Self.bothHops))
        #expect(node.installer.counters.foreignRouteDeletions == 1)
    }

    /// Removals of routes with our metric, 20, pass the filter: as many as here overflow the small buffer, and others do not.
    @Test func removedRoutesOfOthersAreFilteredUnlessTheyHaveOurMetric() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture, receiveBuffer: 2048)
        for (command, metric) in [("add", 21), ("del", 21), ("add", 1024), ("del", 1024)] {
            _ = try fixture.output(
                """
                for i in $(seq 1 500); do echo "route \(command) 2001:db8::$i/128 via fe80::9 dev c0 metric \(metric)"
                done | ip -6 -batch -
                """)
        }
        try fixture.ip("addr add 10.9.0.1/24 dev c0")
        try fixture.ip("route add 10.8.0.0/24 via 10.9.0.2")
        try fixture.ip("route del 10.8.0.0/24")
        node.installer.readNotifications()
        #expect(node.installer.counters.overflows == 0)
        for command in ["add", "del"] {
            _ = try fixture.output(
                """
                for i in $(seq 1 500); do echo "route \(command) 2001:db8::$i/128 via fe80::9 dev c0 metric 20"
                done | ip -6 -batch -
                """)
        }
        node.installer.readNotifications()
        #expect(node.installer.counters.overflows > 0)
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func aRestartAdoptsItsRoutes(mode: FIB.Mode) throws {
        let fixture = try MachineFixture()
        var node = try Node(fixture, mode: mode)
        node.update([(0, Self.bothHops), (1, [MachineFixture.hop(0)])], (0..<1000).map { ($0, $0 < 900 ? 0 : 1) })
        node.install()

        // As after SIGKILL. The destinations of the new process have other IDs.
        node = try Node(fixture, mode: mode)
        #expect(node.installer.fib.counts.routes == 1000)
        node.install()
        node.update([(7, Self.bothHops)], (0..<900).map { ($0, 7) })
        node.install()
        // 50 of the other 100 prefixes are no longer announced. Their routes stay until the sweep.
        node.update([(3, [MachineFixture.hop(0)])], (900..<950).map { ($0, 3) })
        node.install()
        #expect(node.installer.kernelCounters.changes == 0)
        #expect(try node.kernelRoutes().count == 1000)
        try node.installer.sweep()
        node.install()
        #expect(node.installer.kernelCounters.changes == 50)
        #expect(
            try node.kernelRoutes()
                == node.expected(0..<900, Self.bothHops).merging(node.expected(900..<950, [MachineFixture.hop(0)])) {
                    $1
                })
    }

    @Test func aRestartWithAnotherMetricOrModeRemovesTheOldRoutes() throws {
        let fixture = try MachineFixture()
        let plain = try fixture.machine.run {
            try RouteInstaller(
                configuration: KernelFIBConfiguration(metric: 99), fib: FIB.Configuration(mode: .multipath))
        }
        let destination = Destination(
            kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: Self.bothHops)
        let id = DestinationID(rawValue: 0)
        plain.update(RouteTableUpdate(destinations: [(id, destination)], routes: [(MachineFixture.prefix(1), id)]))
        _ = plain.install(at: EventLoop.now)
        #expect(try fixture.output("ip -6 route show metric 99").contains("proto 71"))

        let node = try Node(fixture)
        node.update([(0, Self.bothHops)], [(1, 0)])
        node.install()
        try node.installer.sweep()
        node.install()
        #expect(try node.kernelRoutes() == node.expected(1..<2, Self.bothHops))
        #expect(try fixture.output("ip -6 route show metric 99").isEmpty)
    }

    @Test func lostNotificationsLeadToARead() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture, receiveBuffer: 2048)
        node.update([(0, Self.bothHops)], (0..<2000).map { ($0, 0) })
        node.install()
        try fixture.flushRoutes()
        #expect(try node.kernelRoutes().isEmpty)
        let allRoutes = node.expected(0..<2000, Self.bothHops)
        #expect(try node.run { try node.kernelRoutes() == allRoutes })
        #expect(node.installer.counters.overflows > 0)
    }

    @Test func ownChangesAreFiltered() throws {
        let fixture = try MachineFixture()
        // With nexthop_compat_mode the kernel notifies a change of every route behind a replaced group; if these notifications
        // passed the filter, they would overflow so small a buffer.
        let node = try Node(fixture, receiveBuffer: 2048)
        #expect(try fixture.machine.run { try Sysctl.read("net.ipv4.nexthop_compat_mode") } == "1")
        node.update([(0, Self.bothHops)], (0..<2000).map { ($0, 0) })
        node.install()
        node.update([(0, [MachineFixture.hop(0)])])
        node.install()
        node.installer.readNotifications()
        #expect(node.installer.counters.overflows == 0 && node.installer.counters.foreignRouteDeletions == 0)
        #expect(node.installer.fib.requiredRead == .nothing)
    }

    @Test func cleanUpKeepsWhatOthersHave() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        try fixture.ip("nexthop add id 5 via fe80::9 dev c0 proto static")
        try fixture.ip("-6 route add 2001:db8:5::/64 nhid 5 proto static")
        let before = try fixture.output("ip -6 route show; ip nexthop show")
        node.update([(0, Self.bothHops)], (0..<700).map { ($0, 0) })
        node.install()
        try node.installer.cleanUp().self
        #expect(try fixture.output("ip -6 route show; ip nexthop show") == before)
        let again = try node.installer.cleanUp()
        #expect(again.routes == 0 && again.nextHops == 0)
    }

    @Test func nextHopIDsOfOthersAreNotUsed() throws {
        let fixture = try MachineFixture()
        let first = FIB.Configuration().nextHopIDs.lowerBound
        try fixture.ip("nexthop add id \(first) via fe80::9 dev c0 proto static")
        let node = try Node(fixture)
        // Another program takes the ID of our next object after the installer has read the kernel.
        try fixture.ip("nexthop add id \(first + 1) via fe80::a dev c0 proto static")
        node.update([(0, Self.bothHops)], [(1, 0)])
        node.install()
        #expect(try node.kernelRoutes() == node.expected(1..<2, Self.bothHops))
        #expect(try fixture.output("ip nexthop show id \(first + 1)").contains("fe80::a"))
    }

    /// The IDs of the single next hops, or of the groups, in the kernel.
    static func nextHopIDs(_ fixture: MachineFixture, groups: Bool) throws -> [Int] {
        try fixture.output("ip nexthop show").split(separator: "\n").filter { $0.contains(" group ") == groups }
            .compactMap { Int($0.split(separator: " ")[1]) }
    }

    @Test(arguments: [1, 2])
    func aNextHopReplacedUnderAnotherProtocolIsRepaired(count: Int) throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        // Otherwise the kernel also notifies a change of every route behind the next hop.
        _ = try fixture.machine.run { KernelSettings.setNextHopCompatibility(false) }
        let hops = count == 1 ? [MachineFixture.hop(0)] : Self.bothHops
        node.update([(0, hops)], (0..<10).map { ($0, 0) })
        node.install()
        try node.installer.sweep()
        for number in try Self.nextHopIDs(fixture, groups: false) {
            try fixture.ip("nexthop replace id \(number) via fe80::bad dev c1 proto zebra")
        }
        let allRoutes = node.expected(0..<10, hops)
        #expect(try node.kernelRoutes() != allRoutes)
        #expect(try node.run { try node.kernelRoutes() == allRoutes })
        #expect(node.installer.counters.foreignNextHopChanges > 0)
        #expect(node.installer.state(of: MachineFixture.prefix(3)) == .installed)
        // Nothing is left of the other program's change.
        #expect(try node.run { try !fixture.output("ip nexthop show").contains("zebra") })
        #expect(try Self.nextHopIDs(fixture, groups: false).count == hops.count)
        #expect(try Self.nextHopIDs(fixture, groups: true).count == 1)
    }

    @Test func aNextHopReplacedByABlackholeIsRepaired() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        node.update([(0, [MachineFixture.hop(0)])], (0..<10).map { ($0, 0) })
        node.install()
        let number = try #require(try Self.nextHopIDs(fixture, groups: false).first)
        // Deletes the next hop with its routes, and takes its ID for a blackhole.
        try fixture.ip("nexthop del id \(number)")
        try fixture.ip("nexthop add id \(number) blackhole proto zebra")
        #expect(try node.run { try node.kernelRoutes() == node.expected(0..<10, [MachineFixture.hop(0)]) })
    }

    @Test(arguments: ["71", "zebra"], ["256,256", "3,256"])
    func aGroupReplacedWithOtherWeightsIsRepaired(owner: String, weights: String) throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        node.update([(0, Self.bothHops)], (0..<10).map { ($0, 0) })
        node.install()
        let allRoutes = node.expected(0..<10, Self.bothHops)
        let weight = weights.split(separator: ",")
        for round in 1...3 {
            let members = try Self.nextHopIDs(fixture, groups: false)
            for number in try Self.nextHopIDs(fixture, groups: true) {
                try fixture.ip(
                    "nexthop replace id \(number) group \(members[0]),\(weight[0])/\(members[1]),\(weight[1]) proto \(owner)"
                )
            }
            #expect(try node.run { try node.kernelRoutes() == allRoutes && !node.installer.fib.isDirty })
            #expect(node.installer.counters.foreignNextHopChanges >= UInt64(round))
        }
        #expect(try Self.nextHopIDs(fixture, groups: false).count == 2)
        #expect(try Self.nextHopIDs(fixture, groups: true).count == 1)
        #expect(try !fixture.output("ip nexthop show").contains("3/"))
    }

    @Test func nextHopsOfOthersOutsideOurRangeAreFiltered() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture, receiveBuffer: 2048)
        node.update([(0, Self.bothHops)], [(1, 0)])
        node.install()
        let list = "for i in $(seq 1 500); do echo nexthop add id $i via fe80::9 dev c0 proto zebra; done"
        _ = try fixture.output(list + " | ip -batch -")
        try fixture.ip("nexthop add id 72000000 via fe80::9 dev c0 proto zebra")
        try fixture.ip("nexthop add id 70999999 via fe80::9 dev c0 proto zebra")
        node.installer.readNotifications()
        #expect(node.installer.counters.foreignNextHopChanges == 0 && node.installer.counters.overflows == 0)
        // IDs in our range are reported.
        try fixture.ip("nexthop add id 71000999 via fe80::9 dev c0 proto zebra")
        try fixture.ip("nexthop add id 71999999 via fe80::9 dev c0 proto zebra")
        node.installer.readNotifications()
        #expect(node.installer.counters.foreignNextHopChanges == 2)
    }

    @Test func theSourceOfAllRoutesIsChanged() throws {
        let fixture = try MachineFixture()
        let node = try Node(fixture)
        node.update([(0, Self.bothHops)], [(1, 0), (2, 0)])
        node.install()
        node.installer.setPreferredSource(MachineFixture.nodeAddress)
        node.install()
        let shown = try fixture.output("ip -6 -o route show proto 71")
        #expect(shown.occurrences(of: "src \(MachineFixture.nodeAddress)") == 2)
        // The kernel refuses a source that is not an address of the machine, and the failure says so.
        node.installer.setPreferredSource(IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x99))
        node.install()
        guard case .failed(let failure) = node.installer.state(of: MachineFixture.prefix(1)) else {
            Issue.record("a route whose source is no address of the machine must be in the state failed")
            return
        }
        #expect(failure.message.contains("source"))
        try fixture.ip("addr add 2001:db8::99/128 dev lo")
        #expect(
            try node.run { try fixture.output("ip -6 -o route show proto 71").occurrences(of: "src 2001:db8::99") == 2 }
        )
    }

    @Test func routesAreInstalledInTheConfiguredTable() throws {
        let fixture = try MachineFixture()
        let installer = try fixture.machine.run {
            try RouteInstaller(configuration: KernelFIBConfiguration(table: 7100))
        }
        let destination = Destination(
            kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: Self.bothHops)
        let id = DestinationID(rawValue: 0)
        installer.update(
            RouteTableUpdate(
                destinations: [(id, destination)], routes: [(.default, id), (MachineFixture.prefix(1), id)]))
        #expect(!installer.install(at: EventLoop.now))
        #expect(installer.state(of: .default) == .installed)
        #expect(try fixture.output("ip -6 -o route show table 7100").split(separator: "\n").count == 2)
        #expect(try fixture.output("ip -6 route show proto 71").isEmpty)
        #expect(try installer.cleanUp().routes == 2)
    }
}

extension String {
    /// How many times a text occurs.
    func occurrences(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
