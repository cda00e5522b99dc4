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
    static let both = [Stage.hop(0), Stage.hop(1)]

    @Test func routesAreWhatOthersSeeToo() throws {
        let stage = try Stage()
        let node = try Node(stage, preferredSource: Stage.nodeAddress)
        node.update([(0, Self.both), (1, [Stage.hop(1)])], [(1, 0), (2, 0), (3, 1)])
        node.install()
        #expect(
            try node.kernelRoutes()
                == node.expected(1..<3, Self.both).merging(node.expected(3..<4, [Stage.hop(1)])) { $1 })
        let shown = try stage.output("ip -6 -o route show proto 71")
        #expect(shown.split(separator: "\n").count == 3)
        #expect(shown.contains("metric 20"))
        let way = try stage.output("ip -6 route get \(Stage.prefix(3).address)")
        #expect(way.contains("via \(Stage.hop(1).gateway) dev c1"))
        #expect(way.contains("src \(Stage.nodeAddress)"))
        #expect(node.installer.state(of: Stage.prefix(3)) == .installed)
    }

    @Test func tenThousandPrefixesLoseOneOfTwoWays() throws {
        let stage = try Stage()
        let node = try Node(stage)
        node.update([(0, Self.both)], (0..<10_000).map { ($0, 0) })
        var start = EventLoop.now
        node.install()
        let added = EventLoop.now - start
        #expect(try node.kernelRoutes() == node.expected(0..<10_000, Self.both))
        let before = node.installer.kernelCounters.changes
        // With two next hops and their group. Replacing the group and removing a next hop are two more changes.
        #expect(before == 10_003)
        #expect(node.installer.kernelCounters.batches <= 45)

        node.update([(0, [Stage.hop(1)])])
        start = EventLoop.now
        node.install()
        let replaced = EventLoop.now - start
        #expect(try node.kernelRoutes() == node.expected(0..<10_000, [Stage.hop(1)]))
        #expect(node.installer.kernelCounters.changes - before <= 2)
        print("10,000 routes added in \(added), moved in \(replaced)")

        // The kernel removes all routes with their group.
        start = EventLoop.now
        node.update([], (0..<10_000).map { ($0, nil) }, released: [0])
        node.install()
        print("10,000 routes removed in \(EventLoop.now - start)")
        #expect(try node.kernelRoutes().isEmpty)
        #expect(node.installer.kernelCounters.changes - before <= 4)
        #expect(try stage.output("ip nexthop show").isEmpty)
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func flapsEndWithTheRightRoutes(mode: FIB.Mode) throws {
        let stage = try Stage()
        let node = try Node(stage, mode: mode)
        node.update([(0, Self.both), (1, [Stage.hop(0)])], (0..<50).map { ($0, 0) } + (50..<60).map { ($0, 1) })
        node.install()
        let whole = node.expected(0..<50, Self.both).merging(node.expected(50..<60, [Stage.hop(0)])) { $1 }
        #expect(try node.kernelRoutes() == whole)
        for _ in 0..<5 {
            try stage.unplug(0)
            #expect(try node.run { node.monitor.links[Stage.interface(0)]?.isUsable == false })
            // The routes that the router calculates without the cable.
            node.update([(0, [Stage.hop(1)]), (1, [Stage.hop(1)])])
            node.install()
            #expect(try node.kernelRoutes() == node.expected(0..<60, [Stage.hop(1)]))
            try stage.plug(0)
            #expect(try node.run { node.monitor.links[Stage.interface(0)]?.isUsable == true })
            node.update([(0, Self.both), (1, [Stage.hop(0)])])
            node.install()
            #expect(try node.kernelRoutes() == whole)
        }
        // Both cables fail and return at once, and the router's routes do not change.
        try stage.unplug(0)
        try stage.unplug(1)
        try stage.plug(0)
        try stage.plug(1)
        #expect(
            try node.run { try node.kernelRoutes() == whole && node.installer.state(of: Stage.prefix(0)) == .installed }
        )
        #expect(!node.installer.fib.hasFailures)
    }

    @Test func aLinkTakenDownByHandIsAsGoodAsUnplugged() throws {
        let stage = try Stage()
        let node = try Node(stage)
        node.update([(0, Self.both), (1, [Stage.hop(0)])], [(1, 0), (2, 1)])
        node.install()
        try stage.ip("link set c0 down")
        #expect(try node.run { try node.kernelRoutes() == node.expected(1..<2, [Stage.hop(1)]) })
        #expect(node.installer.state(of: Stage.prefix(2)) == .pending)
        try stage.ip("link set c0 up")
        #expect(
            try node.run {
                try node.kernelRoutes() == [Stage.prefix(1): Self.both, Stage.prefix(2): [Stage.hop(0)]]
            })
        try stage.ip("link del c0")
        #expect(try node.run { try node.kernelRoutes() == node.expected(1..<2, [Stage.hop(1)]) })
    }

    @Test func aPlanMadeBeforeTheNewsHealsItself() throws {
        let stage = try Stage()
        let node = try Node(stage)
        node.update([(0, [Stage.hop(1)])], (0..<20).map { ($0, 0) })
        node.install()
        try stage.unplug(0)
        // The carrier is lost, but the installer has not read that yet.
        while try !stage.output("ip link show c0").contains("NO-CARRIER") { usleep(1000) }
        node.update([(0, Self.both), (1, [Stage.hop(0)])], [(30, 1)])
        node.install()
        #expect(try node.kernelRoutes() == node.expected(0..<20, [Stage.hop(1)]))
        guard case .failed(let failure) = node.installer.state(of: Stage.prefix(30)) else {
            Issue.record("the link cannot carry it")
            return
        }
        #expect(failure.reason == .linkUnusable)
        #expect(failure.message.contains("Carrier"))
        #expect(node.installer.nextDeadline != nil)
        try stage.plug(0)
        #expect(
            try node.run {
                try node.kernelRoutes()
                    == node.expected(0..<20, Self.both).merging(node.expected(30..<31, [Stage.hop(0)])) { $1 }
            })
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func whatOthersDeleteComesBack(mode: FIB.Mode) throws {
        let stage = try Stage()
        let node = try Node(stage, mode: mode)
        node.update([(0, Self.both)], (0..<10).map { ($0, 0) })
        node.install()
        let whole = node.expected(0..<10, Self.both)
        try stage.ip("-6 route del \(Stage.prefix(3)) proto 71")
        #expect(try node.kernelRoutes().count == 9)
        #expect(try node.run { try node.kernelRoutes() == whole })
        #expect(node.installer.counters.foreignRouteDeletions == 1)
        try stage.flushRoutes()
        #expect(try node.run { try node.kernelRoutes() == whole })
        #expect(node.installer.counters.foreignRouteDeletions == 11)
        guard mode == .objects else { return }
        let group = try #require(
            try stage.output("ip nexthop show").split(separator: "\n").first { $0.contains("group") })
        try stage.ip("nexthop del id \(group.split(separator: " ")[1])")
        #expect(try node.run { try node.kernelRoutes() == whole })
        try stage.ip("nexthop flush")
        #expect(try node.run { try node.kernelRoutes() == whole })
        #expect(node.installer.fib.counts.nextHops == 2)
    }

    /// A route without a gateway, to a destination on the link itself, and one whose gateway is a global address to which there
    /// is no route.
    @Test(arguments: [FIB.Mode.objects, .multipath])
    func destinationsOnALinkNeedNoGateway(mode: FIB.Mode) throws {
        let stage = try Stage()
        let node = try Node(stage, mode: mode)
        let onLink = NextHop(onLink: Stage.interface(0))
        let forwarding = NextHop(interface: Stage.interface(1), gateway: IPv6Address("2001:db8:ffff::9")!)
        node.update([(0, [onLink]), (1, [forwarding])], [(1, 0), (2, 1)])
        node.install()
        #expect(
            try node.kernelRoutes() == node.expected(1..<2, [onLink]).merging(node.expected(2..<3, [forwarding])) { $1 }
        )
        for prefix in 1...2 { #expect(node.installer.state(of: Stage.prefix(prefix)) == .installed) }
        let direct = try stage.output("ip -6 route get \(Stage.prefix(1).address)")
        #expect(direct.contains("dev c0") && !direct.contains("via"))
        #expect(try stage.output("ip -6 route get \(Stage.prefix(2).address)").contains("via 2001:db8:ffff::9 dev c1"))
        // Read back from the kernel, they are recognized: nothing changes.
        let before = node.installer.kernelCounters.changes
        node.installer.requireRead()
        node.install()
        #expect(node.installer.kernelCounters.changes == before)
    }

    @Test func aRouteOfOthersIsRespectedAndToldOf() throws {
        let stage = try Stage()
        let node = try Node(stage)
        try stage.ip("-6 route add \(Stage.prefix(1)) via fe80::9 dev c0 metric 20")
        node.update([(0, Self.both)], [(1, 0), (2, 0)])
        node.install()
        #expect(try node.kernelRoutes() == node.expected(2..<3, Self.both))
        guard case .failed(let failure) = node.installer.state(of: Stage.prefix(1)) else {
            Issue.record("somebody else has the route")
            return
        }
        #expect(failure.reason == .exists)
        // Another program replaces our other route.
        try stage.ip("-6 route replace \(Stage.prefix(2)) via fe80::9 dev c0 metric 20")
        #expect(
            try node.run {
                if case .failed = node.installer.state(of: Stage.prefix(2)) { true } else { false }
            })
        #expect(try stage.output("ip -6 route show metric 20").contains("proto 71") == false)
        // The retries so far pass, until the next is 4 s away or more. Then both routes of others are removed: that is
        // notified, and ours are installed without waiting for a retry.
        while let deadline = node.installer.nextDeadline, deadline < EventLoop.now + .seconds(4) {
            _ = node.installer.install(at: deadline)
        }
        try stage.ip("-6 route del \(Stage.prefix(1)) metric 20")
        try stage.ip("-6 route del \(Stage.prefix(2)) metric 20")
        node.installer.readNotifications()
        node.install()
        #expect(try node.kernelRoutes() == node.expected(1..<3, Self.both))
        #expect(node.installer.counters.foreignRouteDeletions == 1)
    }

    /// Removals of routes with our metric, 20, pass the filter: as many as here overflow the small buffer, and others do not.
    @Test func removedRoutesOfOthersWakeNobodyUnlessTheyHaveOurMetric() throws {
        let stage = try Stage()
        let node = try Node(stage, receiveBuffer: 2048)
        for (command, metric) in [("add", 21), ("del", 21), ("add", 1024), ("del", 1024)] {
            _ = try stage.output(
                """
                for i in $(seq 1 500); do echo "route \(command) 2001:db8::$i/128 via fe80::9 dev c0 metric \(metric)"
                done | ip -6 -batch -
                """)
        }
        try stage.ip("addr add 10.9.0.1/24 dev c0")
        try stage.ip("route add 10.8.0.0/24 via 10.9.0.2")
        try stage.ip("route del 10.8.0.0/24")
        node.installer.readNotifications()
        #expect(node.installer.counters.overflows == 0)
        for command in ["add", "del"] {
            _ = try stage.output(
                """
                for i in $(seq 1 500); do echo "route \(command) 2001:db8::$i/128 via fe80::9 dev c0 metric 20"
                done | ip -6 -batch -
                """)
        }
        node.installer.readNotifications()
        #expect(node.installer.counters.overflows > 0)
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func aRestartFindsItsRoutes(mode: FIB.Mode) throws {
        let stage = try Stage()
        var node = try Node(stage, mode: mode)
        node.update([(0, Self.both), (1, [Stage.hop(0)])], (0..<1000).map { ($0, $0 < 900 ? 0 : 1) })
        node.install()

        // As after SIGKILL. The destinations of the new process have other IDs.
        node = try Node(stage, mode: mode)
        #expect(node.installer.fib.counts.routes == 1000)
        node.install()
        node.update([(7, Self.both)], (0..<900).map { ($0, 7) })
        node.install()
        // 50 of the other 100 prefixes are no longer announced. Their routes stay until the sweep.
        node.update([(3, [Stage.hop(0)])], (900..<950).map { ($0, 3) })
        node.install()
        #expect(node.installer.kernelCounters.changes == 0)
        #expect(try node.kernelRoutes().count == 1000)
        try node.installer.sweep()
        node.install()
        #expect(node.installer.kernelCounters.changes == 50)
        #expect(
            try node.kernelRoutes()
                == node.expected(0..<900, Self.both).merging(node.expected(900..<950, [Stage.hop(0)])) { $1 })
    }

    @Test func aRestartWithAnotherMetricOrModeLeavesNothingBehind() throws {
        let stage = try Stage()
        let plain = try stage.machine.run {
            try RouteInstaller(
                configuration: KernelFIBConfiguration(metric: 99), fib: FIB.Configuration(mode: .multipath))
        }
        let destination = Destination(
            kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: Self.both)
        let id = DestinationID(rawValue: 0)
        plain.update(RouteTableUpdate(destinations: [(id, destination)], routes: [(Stage.prefix(1), id)]))
        _ = plain.install(at: EventLoop.now)
        #expect(try stage.output("ip -6 route show metric 99").contains("proto 71"))

        let node = try Node(stage)
        node.update([(0, Self.both)], [(1, 0)])
        node.install()
        try node.installer.sweep()
        node.install()
        #expect(try node.kernelRoutes() == node.expected(1..<2, Self.both))
        #expect(try stage.output("ip -6 route show metric 99").isEmpty)
    }

    @Test func lostNotificationsLeadToARead() throws {
        let stage = try Stage()
        let node = try Node(stage, receiveBuffer: 2048)
        node.update([(0, Self.both)], (0..<2000).map { ($0, 0) })
        node.install()
        try stage.flushRoutes()
        #expect(try node.kernelRoutes().isEmpty)
        let whole = node.expected(0..<2000, Self.both)
        #expect(try node.run { try node.kernelRoutes() == whole })
        #expect(node.installer.counters.overflows > 0)
    }

    @Test func ownChangesMakeNoNoise() throws {
        let stage = try Stage()
        // In this mode the kernel notifies a change of every route behind a replaced group; if they passed the filter, they
        // would overflow so small a buffer.
        let node = try Node(stage, receiveBuffer: 2048)
        #expect(try stage.machine.run { try Sysctl.read("net.ipv4.nexthop_compat_mode") } == "1")
        node.update([(0, Self.both)], (0..<2000).map { ($0, 0) })
        node.install()
        node.update([(0, [Stage.hop(0)])])
        node.install()
        node.installer.readNotifications()
        #expect(node.installer.counters.overflows == 0 && node.installer.counters.foreignRouteDeletions == 0)
        #expect(node.installer.fib.requiredRead == .nothing)
    }

    @Test func cleaningUpTouchesNothingOfOthers() throws {
        let stage = try Stage()
        let node = try Node(stage)
        try stage.ip("nexthop add id 5 via fe80::9 dev c0 proto static")
        try stage.ip("-6 route add 2001:db8:5::/64 nhid 5 proto static")
        let before = try stage.output("ip -6 route show; ip nexthop show")
        node.update([(0, Self.both)], (0..<700).map { ($0, 0) })
        node.install()
        try node.installer.cleanUp().self
        #expect(try stage.output("ip -6 route show; ip nexthop show") == before)
        let again = try node.installer.cleanUp()
        #expect(again.routes == 0 && again.nextHops == 0)
    }

    @Test func numbersOfOthersAreAvoided() throws {
        let stage = try Stage()
        let first = FIB.Configuration().nextHopIDs.lowerBound
        try stage.ip("nexthop add id \(first) via fe80::9 dev c0 proto static")
        let node = try Node(stage)
        // Another program takes the ID of our next object after the installer has read the kernel.
        try stage.ip("nexthop add id \(first + 1) via fe80::a dev c0 proto static")
        node.update([(0, Self.both)], [(1, 0)])
        node.install()
        #expect(try node.kernelRoutes() == node.expected(1..<2, Self.both))
        #expect(try stage.output("ip nexthop show id \(first + 1)").contains("fe80::a"))
    }

    /// The IDs of the single next hops, or of the groups, in the kernel.
    static func numbers(_ stage: Stage, groups: Bool) throws -> [Int] {
        try stage.output("ip nexthop show").split(separator: "\n").filter { $0.contains(" group ") == groups }
            .compactMap { Int($0.split(separator: " ")[1]) }
    }

    @Test(arguments: [1, 2])
    func aNextHopReplacedUnderAnotherProtocolIsRepaired(count: Int) throws {
        let stage = try Stage()
        let node = try Node(stage)
        // Otherwise the kernel also notifies a change of every route behind the next hop.
        _ = try stage.machine.run { KernelSettings.setNextHopCompatibility(false) }
        let hops = count == 1 ? [Stage.hop(0)] : Self.both
        node.update([(0, hops)], (0..<10).map { ($0, 0) })
        node.install()
        try node.installer.sweep()
        for number in try Self.numbers(stage, groups: false) {
            try stage.ip("nexthop replace id \(number) via fe80::bad dev c1 proto zebra")
        }
        let whole = node.expected(0..<10, hops)
        #expect(try node.kernelRoutes() != whole)
        #expect(try node.run { try node.kernelRoutes() == whole })
        #expect(node.installer.counters.foreignNextHopChanges > 0)
        #expect(node.installer.state(of: Stage.prefix(3)) == .installed)
        // Nothing is left of the other program's change.
        #expect(try node.run { try !stage.output("ip nexthop show").contains("zebra") })
        #expect(try Self.numbers(stage, groups: false).count == hops.count)
        #expect(try Self.numbers(stage, groups: true).count == 1)
    }

    @Test func aNextHopReplacedByABlackholeIsRepaired() throws {
        let stage = try Stage()
        let node = try Node(stage)
        node.update([(0, [Stage.hop(0)])], (0..<10).map { ($0, 0) })
        node.install()
        let number = try #require(try Self.numbers(stage, groups: false).first)
        // Deletes the next hop with its routes, and takes its ID for a blackhole.
        try stage.ip("nexthop del id \(number)")
        try stage.ip("nexthop add id \(number) blackhole proto zebra")
        #expect(try node.run { try node.kernelRoutes() == node.expected(0..<10, [Stage.hop(0)]) })
    }

    @Test(arguments: ["71", "zebra"], ["256,256", "3,256"])
    func aGroupWithOtherWeightsLeavesNothingBehind(owner: String, weights: String) throws {
        let stage = try Stage()
        let node = try Node(stage)
        node.update([(0, Self.both)], (0..<10).map { ($0, 0) })
        node.install()
        let whole = node.expected(0..<10, Self.both)
        let weight = weights.split(separator: ",")
        for round in 1...3 {
            let members = try Self.numbers(stage, groups: false)
            for number in try Self.numbers(stage, groups: true) {
                try stage.ip(
                    "nexthop replace id \(number) group \(members[0]),\(weight[0])/\(members[1]),\(weight[1]) proto \(owner)"
                )
            }
            #expect(try node.run { try node.kernelRoutes() == whole && !node.installer.fib.isDirty })
            #expect(node.installer.counters.foreignNextHopChanges >= UInt64(round))
        }
        #expect(try Self.numbers(stage, groups: false).count == 2)
        #expect(try Self.numbers(stage, groups: true).count == 1)
        #expect(try !stage.output("ip nexthop show").contains("3/"))
    }

    @Test func nextHopsOfOthersWakeNobody() throws {
        let stage = try Stage()
        let node = try Node(stage, receiveBuffer: 2048)
        node.update([(0, Self.both)], [(1, 0)])
        node.install()
        let list = "for i in $(seq 1 500); do echo nexthop add id $i via fe80::9 dev c0 proto zebra; done"
        _ = try stage.output(list + " | ip -batch -")
        try stage.ip("nexthop add id 72000000 via fe80::9 dev c0 proto zebra")
        try stage.ip("nexthop add id 70999999 via fe80::9 dev c0 proto zebra")
        node.installer.readNotifications()
        #expect(node.installer.counters.foreignNextHopChanges == 0 && node.installer.counters.overflows == 0)
        // IDs in our range are reported.
        try stage.ip("nexthop add id 71000999 via fe80::9 dev c0 proto zebra")
        try stage.ip("nexthop add id 71999999 via fe80::9 dev c0 proto zebra")
        node.installer.readNotifications()
        #expect(node.installer.counters.foreignNextHopChanges == 2)
    }

    @Test func theSourceOfAllRoutesCanChange() throws {
        let stage = try Stage()
        let node = try Node(stage)
        node.update([(0, Self.both)], [(1, 0), (2, 0)])
        node.install()
        node.installer.setPreferredSource(Stage.nodeAddress)
        node.install()
        let shown = try stage.output("ip -6 -o route show proto 71")
        #expect(shown.components(of: "src \(Stage.nodeAddress)") == 2)
        // The kernel refuses a source that is not an address of the machine, and the failure says so.
        node.installer.setPreferredSource(IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x99))
        node.install()
        guard case .failed(let failure) = node.installer.state(of: Stage.prefix(1)) else {
            Issue.record("the source is not an address of this machine")
            return
        }
        #expect(failure.message.contains("source"))
        try stage.ip("addr add 2001:db8::99/128 dev lo")
        #expect(
            try node.run { try stage.output("ip -6 -o route show proto 71").components(of: "src 2001:db8::99") == 2 })
    }

    @Test func aTableOfItsOwn() throws {
        let stage = try Stage()
        let installer = try stage.machine.run {
            try RouteInstaller(configuration: KernelFIBConfiguration(table: 7100))
        }
        let destination = Destination(
            kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: Self.both)
        let id = DestinationID(rawValue: 0)
        installer.update(
            RouteTableUpdate(destinations: [(id, destination)], routes: [(.default, id), (Stage.prefix(1), id)]))
        #expect(!installer.install(at: EventLoop.now))
        #expect(installer.state(of: .default) == .installed)
        #expect(try stage.output("ip -6 -o route show table 7100").split(separator: "\n").count == 2)
        #expect(try stage.output("ip -6 route show proto 71").isEmpty)
        #expect(try installer.cleanUp().routes == 2)
    }
}

extension String {
    /// How many times a text occurs.
    func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
