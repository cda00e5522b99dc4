import Addressing
import Glibc
import Linux
import Netlink
import OSPF
import Routing
import TestSupport
import Testing

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
        #expect(before == 10_003)
        #expect(node.installer.kernelCounters.batches <= 45)

        node.update([(0, [Stage.hop(1)])])
        start = EventLoop.now
        node.install()
        let replaced = EventLoop.now - start
        #expect(try node.kernelRoutes() == node.expected(0..<10_000, [Stage.hop(1)]))
        #expect(node.installer.kernelCounters.changes - before <= 2)
        print("10,000 routes added in \(added), moved in \(replaced)")

        // The group goes with everything behind it.
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
            // As the router says when it has heard of it too.
            node.update([(0, [Stage.hop(1)]), (1, [Stage.hop(1)])])
            node.install()
            #expect(try node.kernelRoutes() == node.expected(0..<60, [Stage.hop(1)]))
            try stage.plug(0)
            #expect(try node.run { node.monitor.links[Stage.interface(0)]?.isUsable == true })
            node.update([(0, Self.both), (1, [Stage.hop(0)])])
            node.install()
            #expect(try node.kernelRoutes() == whole)
        }
        // Both at once, and the router says nothing meanwhile.
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
        // The carrier is gone, and the installer has not heard of it.
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
        // Somebody takes the other one over.
        try stage.ip("-6 route replace \(Stage.prefix(2)) via fe80::9 dev c0 metric 20")
        #expect(
            try node.run {
                if case .failed = node.installer.state(of: Stage.prefix(2)) { true } else { false }
            })
        #expect(try stage.output("ip -6 route show metric 20").contains("proto 71") == false)
        // And gives both back.
        try stage.ip("-6 route del \(Stage.prefix(1)) metric 20")
        try stage.ip("-6 route del \(Stage.prefix(2)) metric 20")
        #expect(try node.run { try node.kernelRoutes() == node.expected(1..<3, Self.both) })
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func aRestartFindsItsRoutes(mode: FIB.Mode) throws {
        let stage = try Stage()
        var node = try Node(stage, mode: mode)
        node.update([(0, Self.both), (1, [Stage.hop(0)])], (0..<1000).map { ($0, $0 < 900 ? 0 : 1) })
        node.install()

        // `kill -9`: nothing is said or done. The new one numbers its destinations in another way.
        node = try Node(stage, mode: mode)
        #expect(node.installer.fib.counts.routes == 1000)
        node.install()
        node.update([(7, Self.both)], (0..<900).map { ($0, 7) })
        node.install()
        // Half of the others are not announced any more.
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

    @Test func lostNotificationsMeanAReading() throws {
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
        // With a notification for every route behind a replaced group, which would fill such a buffer at once.
        let node = try Node(stage, receiveBuffer: 2048)
        #expect(try stage.machine.run { try Sysctl.read("net.ipv4.nexthop_compat_mode") } == "1")
        node.update([(0, Self.both)], (0..<2000).map { ($0, 0) })
        node.install()
        node.update([(0, [Stage.hop(0)])])
        node.install()
        node.installer.readNotifications()
        #expect(node.installer.counters.overflows == 0 && node.installer.counters.foreignRouteDeletions == 0)
        #expect(node.installer.fib.rereading == .nothing)
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
        // This one appears behind our back, where the next group would go.
        try stage.ip("nexthop add id \(first + 1) via fe80::a dev c0 proto static")
        node.update([(0, Self.both)], [(1, 0)])
        node.install()
        #expect(try node.kernelRoutes() == node.expected(1..<2, Self.both))
        #expect(try stage.output("ip nexthop show id \(first + 1)").contains("fe80::a"))
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
        // An address that is not there is the kernel's reason to refuse, and ours to tell.
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
    /// How often a text occurs.
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
