import Addressing
import Glibc
import Links
import Linux
import TestSupport
import Testing
import Timing

@testable import Netlink

@Suite(.serialized, .needsRoot) struct DefaultRouteTests {
    /// What is reported for default routes over a cable.
    static func kind(_ cable: Int, _ family: IPFamily, isAdvertised: Bool = false) -> DefaultRoute {
        DefaultRoute(interface: MachineFixture.interface(cable), family: family, isAdvertised: isAdvertised)
    }

    /// The default routes that a new monitor reads from the kernel.
    static func read(_ fixture: MachineFixture, _ configuration: KernelFIBConfiguration = KernelFIBConfiguration())
        throws
        -> Set<DefaultRoute>
    {
        try fixture.machine.run { try KernelMonitor(configuration: configuration).defaultRoutes }
    }

    /// The default routes that follow from the notifications so far. Checks that a new monitor reads the same.
    static func followedRoutes(_ monitor: KernelMonitor, _ fixture: MachineFixture) throws -> Set<DefaultRoute> {
        var known = monitor.defaultRoutes
        for event in try monitor.read() {
            switch event {
            case .defaultRoute(let kind): #expect(known.insert(kind).inserted)
            case .defaultRouteRemoved(let kind): #expect(known.remove(kind) != nil)
            default: break
            }
        }
        #expect(known == monitor.defaultRoutes)
        let read = try read(fixture, KernelFIBConfiguration(table: 7100))
        let shown = try fixture.output("ip route; ip -6 route show default; ip -br link; ip -br addr")
        #expect(read == known, "\(shown)")
        return known
    }

    /// A monitor whose own table is 7100.
    static func monitor(_ fixture: MachineFixture, receiveBuffer: CInt = 4 << 20) throws -> KernelMonitor {
        try fixture.machine.run {
            try KernelMonitor(configuration: KernelFIBConfiguration(table: 7100), receiveBuffer: receiveBuffer)
        }
    }

    @Test func defaultRoutesAreKnownFromTheStart() throws {
        let fixture = try MachineFixture()
        try fixture.ip("addr add 10.9.0.1/24 dev c0")
        try fixture.ip("route add default via 10.9.0.2")
        try fixture.ip("-6 route add default via fe80::1 dev c1 proto ra metric 1024 expires 1800")
        // Not counted: our own routes (protocol 71), unreachable routes, other tables, other prefixes.
        try fixture.ip("-6 route add default via fe80::1 dev c0 proto 71 metric 20")
        try fixture.ip("-6 route add unreachable default metric 4096")
        try fixture.ip("-6 route add default via fe80::1 dev c0 table 99")
        try fixture.ip("-6 route add 2001:db8::/32 via fe80::1 dev c0")
        #expect(try Self.read(fixture) == [Self.kind(0, .ipv4), Self.kind(1, .ipv6, isAdvertised: true)])
        // A route of others in our own table counts.
        try fixture.ip("-6 route add default via fe80::1 dev c0 table 7100")
        #expect(try Self.read(fixture).count == 2)
        #expect(try Self.read(fixture, KernelFIBConfiguration(table: 7100)).contains(Self.kind(0, .ipv6)))
    }

    @Test func allChangesOfDefaultRoutesAreFollowed() throws {
        let fixture = try MachineFixture(cables: 3)
        let monitor = try Self.monitor(fixture)
        try fixture.ip("addr add 10.9.0.1/24 dev c0")
        try fixture.ip("addr add 10.9.1.1/24 dev c1")
        let steps: [(String, Set<DefaultRoute>)] = [
            ("route add default via 10.9.0.2", [Self.kind(0, .ipv4)]),
            ("route add default via 10.9.0.3 metric 5", [Self.kind(0, .ipv4)]),
            ("route del default via 10.9.0.2", [Self.kind(0, .ipv4)]),
            ("route replace default via 10.9.1.2 metric 5", [Self.kind(1, .ipv4)]),
            ("route append default via 10.9.0.7 metric 5", [Self.kind(0, .ipv4), Self.kind(1, .ipv4)]),
            // Replaces the first of the two, that over c1.
            ("route replace default via 10.9.1.9 metric 5", [Self.kind(0, .ipv4), Self.kind(1, .ipv4)]),
            ("route flush root 0/0 table main proto boot", []),
            ("addr add 10.9.0.1/24 dev c0", []),
            ("addr add 10.9.1.1/24 dev c1", []),
            (
                "route add default nexthop via 10.9.0.2 nexthop via 10.9.1.2",
                [Self.kind(0, .ipv4), Self.kind(1, .ipv4)]
            ),
            ("route replace default via 10.9.0.2 proto 71", []),
            ("route del default proto 71", []),
            ("route add default dev c2", [Self.kind(2, .ipv4)]),
            ("route replace blackhole default", []),
            ("route del blackhole default", []),
            ("-6 route add default via fe80::1 dev c0", [Self.kind(0, .ipv6)]),
            ("-6 route append default via fe80::2 dev c1", [Self.kind(0, .ipv6), Self.kind(1, .ipv6)]),
            (
                "-6 route append default via fe80::3 dev c2",
                [0, 1, 2].reduce(into: []) { $0.insert(Self.kind($1, .ipv6)) }
            ),
            ("-6 route del default via fe80::2 dev c1", [Self.kind(0, .ipv6), Self.kind(2, .ipv6)]),
            ("-6 route replace default via fe80::2 dev c1", [Self.kind(1, .ipv6)]),
            (
                "-6 route add default via fe80::9 dev c1 proto ra metric 2048",
                [Self.kind(1, .ipv6), Self.kind(1, .ipv6, isAdvertised: true)]
            ),
            ("-6 route del default via fe80::2 dev c1", [Self.kind(1, .ipv6, isAdvertised: true)]),
            ("-6 route replace default via fe80::9 dev c0 proto 71 metric 2048", []),
            ("-6 route del default proto 71", []),
            ("-6 route add default via fe80::9 dev c0 table 7100", [Self.kind(0, .ipv6)]),
            ("-6 route add default via fe80::9 dev c0 table 7101", [Self.kind(0, .ipv6)]),
            ("-6 route del default table 7100", []),
        ]
        for (command, expected) in steps {
            // `addr add` may fail: it only makes sure that the address is there.
            do { try fixture.ip(command) } catch { if !command.contains("addr add") { throw error } }
            let found = try Self.followedRoutes(monitor, fixture)
            #expect(found == expected, "wrong default routes after ip \(command)")
        }
    }

    @Test func defaultRoutesThatGoWithALinkOrAddressAreRemoved() throws {
        let fixture = try MachineFixture(cables: 3)
        let monitor = try Self.monitor(fixture)
        // Default routes over c0 (IPv4, IPv6) and c1 (IPv4, as second next hop; IPv6, by advertisement).
        func prepare() throws {
            try fixture.ip("addr replace 10.9.0.1/24 dev c0")
            try fixture.ip("addr replace 10.9.1.1/24 dev c1")
            try fixture.ip("addr replace 10.8.0.1/32 dev lo")
            try fixture.ip("route replace default via 10.9.0.2 src 10.8.0.1")
            try fixture.ip("route replace default metric 9 nexthop via 10.9.0.2 nexthop via 10.9.1.2")
            try fixture.ip("-6 route replace default via fe80::1 dev c0")
            try fixture.ip("-6 route replace default via fe80::1 dev c1 proto ra metric 2048")
            #expect(try Self.followedRoutes(monitor, fixture).count == 4)
        }
        try prepare()
        try fixture.ip("link set c0 down")
        #expect(
            try Self.followedRoutes(monitor, fixture) == [Self.kind(1, .ipv4), Self.kind(1, .ipv6, isAdvertised: true)])
        try fixture.ip("link set c0 up")
        let expected = [Self.kind(0, .ipv4), Self.kind(1, .ipv4), Self.kind(1, .ipv6, isAdvertised: true)]
        #expect(try Self.followedRoutes(monitor, fixture) == Set(expected))
        try prepare()
        try fixture.ip("route del default metric 9")
        try fixture.ip("addr del 10.8.0.1/32 dev lo")
        #expect(
            try Self.followedRoutes(monitor, fixture) == [Self.kind(0, .ipv6), Self.kind(1, .ipv6, isAdvertised: true)])
        try prepare()
        try fixture.ip("route del default metric 9")
        try fixture.ip("addr del 10.9.0.1/24 dev c0")
        #expect(
            try Self.followedRoutes(monitor, fixture) == [Self.kind(0, .ipv6), Self.kind(1, .ipv6, isAdvertised: true)])
        // Of the route with two next hops, the one over c1 stays.
        try prepare()
        try fixture.ip("addr del 10.9.0.1/24 dev c0")
        #expect(try Self.followedRoutes(monitor, fixture).subtracting([Self.kind(0, .ipv6)]).count == 2)
        try prepare()
        // With a device the kernel removes even IPv4 routes that have next hops over others.
        try fixture.ip("link del c0")
        #expect(try Self.followedRoutes(monitor, fixture) == [Self.kind(1, .ipv6, isAdvertised: true)])
    }

    @Test func nextHopObjectsOfOthersAreLookedUp() throws {
        let fixture = try MachineFixture(cables: 3)
        _ = try fixture.machine.run { KernelSettings.setNextHopCompatibility(false) }
        let monitor = try Self.monitor(fixture)
        try fixture.ip("addr add 10.9.0.1/24 dev c0")
        try fixture.ip("nexthop add id 5 via 10.9.0.2 dev c0 proto zebra")
        try fixture.ip("nexthop add id 6 via fe80::1 dev c1 proto zebra")
        try fixture.ip("nexthop add id 7 via fe80::1 dev c2 proto zebra")
        try fixture.ip("nexthop add id 8 group 6/7 proto zebra")
        try fixture.ip("route add default nhid 5 proto zebra")
        #expect(try Self.followedRoutes(monitor, fixture) == [Self.kind(0, .ipv4)])
        try fixture.ip("-6 route add default nhid 8 proto zebra")
        #expect(
            try Self.followedRoutes(monitor, fixture) == [
                Self.kind(0, .ipv4), Self.kind(1, .ipv6), Self.kind(2, .ipv6),
            ])
        try fixture.ip("route del default")
        try fixture.ip("-6 route del default")
        #expect(try Self.followedRoutes(monitor, fixture).isEmpty)
    }

    /// The filter drops other routes, and our default routes: even a small buffer does not overflow.
    @Test func otherRoutesAreFiltered() throws {
        let fixture = try MachineFixture(cables: 1)
        let monitor = try Self.monitor(fixture, receiveBuffer: 2048)
        let list = """
            for i in $(seq 1 2000); do echo "route add 2001:db8::$i/128 via fe80::9 dev c0 proto zebra"; done
            """
        _ = try fixture.output("(\(list)) | ip -6 -batch -")
        for number in 1...50 {
            try fixture.ip("-6 route add default via fe80::9 dev c0 proto 71 metric \(number)")
            try fixture.ip("-6 route del default proto 71 metric \(number)")
        }
        // The kernel may still notify that the port has come up.
        let events = try monitor.read().filter { event in
            switch event {
            case .link, .address: false
            default: true
            }
        }
        #expect(events.isEmpty && monitor.overflows == 0)
    }

    @Test func lostNotificationsLeadToARead() throws {
        let fixture = try MachineFixture()
        try fixture.ip("-6 route add default via fe80::1 dev c1")
        let monitor = try Self.monitor(fixture, receiveBuffer: 2048)
        _ = try fixture.output(
            "for i in $(seq 1 500); do echo route add default via fe80::$i dev c0 metric $i; done | ip -6 -batch -")
        try fixture.ip("-6 route del default via fe80::1 dev c1")
        let events = try monitor.read()
        #expect(events.suffix(2) == [.settingsChanged, .resynchronized])
        #expect(events.contains(.defaultRoute(Self.kind(0, .ipv6))))
        #expect(events.contains(.defaultRouteRemoved(Self.kind(1, .ipv6))))
        #expect(monitor.overflows == 1)
    }

    /// The table takes 1024 routes.
    @Test func theTableIsBoundedWithManyRoutersOnALink() {
        func route(_ number: UInt64, over interface: UInt32) -> DefaultRouteTable.Route {
            let gateway = IPv6Address(high: 0xfe80 << 48, low: number)
            return DefaultRouteTable.Route(
                key: DefaultRouteTable.Key(family: .ipv6, table: 254, metric: 1024, typeOfService: 0),
                protocolNumber: 9, target: .hops([KernelRoute.Hop(interface: interface, gateway: gateway)]))
        }
        func kind(_ interface: UInt32) -> DefaultRoute {
            DefaultRoute(interface: interface, family: .ipv6, isAdvertised: true)
        }
        var table = DefaultRouteTable()
        var unknown: [UInt64] = []
        for number in 0..<3000 as Range<UInt64>
        where !table.add(route(number, over: 7), interfaces: [7], replaces: false, isForeign: true) {
            unknown.append(number)
        }
        #expect(table.kinds == [kind(7)])
        // Routes that were left out matter only when the last known route of their kind is removed: here, the last of the 1024.
        for number in [2999] + Array(0..<1024 as Range<UInt64>) where !table.remove(route(number, over: 7)) {
            unknown.append(number)
        }
        #expect(unknown == [1023])
        #expect(table.kinds.isEmpty)
    }
}

@Suite(.serialized, .needsRoot) struct RouterAdvertisementTests {
    static let router = IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 0xaa)
    static let prefix = IPv6Prefix("2001:db8:5::/64")!

    @Test func aRouterAdvertisementIsReported() throws {
        let fixture = try MachineFixture()
        let monitor = try fixture.machine.run { try KernelMonitor() }
        let advertised = KernelEvent.routerAdvertised(interface: MachineFixture.interface(0))
        // A router that advertises a prefix and is no default router (lifetime 0).
        try fixture.advertiseRouter(over: 0, from: Self.router, lifetime: 0, prefix: Self.prefix)
        #expect(try KernelMonitorTests.wait(monitor) { $0 == advertised } != nil)
        #expect(monitor.defaultRoutes.isEmpty)
        // Further advertisements are reported too, once per call of `read`.
        for _ in 0..<3 { try fixture.advertiseRouter(over: 0, from: Self.router, lifetime: 0, prefix: Self.prefix) }
        usleep(50_000)
        #expect(try monitor.read().count { $0 == advertised } == 1)
        #expect(try monitor.read() == [])
        // A default route without a prefix, which lifetime 0 removes.
        let kind = DefaultRoute(interface: MachineFixture.interface(1), family: .ipv6, isAdvertised: true)
        try fixture.advertiseRouter(over: 1, from: Self.router, lifetime: 1800)
        #expect(try KernelMonitorTests.wait(monitor) { $0 == .defaultRoute(kind) } != nil)
        try fixture.advertiseRouter(over: 1, from: Self.router, lifetime: 0)
        #expect(try KernelMonitorTests.wait(monitor) { $0 == .defaultRouteRemoved(kind) } != nil)
    }

    @Test func aPortThatAcceptsAdvertisementsGetsADefaultRouteDespiteForwarding() throws {
        let fixture = try MachineFixture()
        let monitor = try fixture.machine.run { try KernelMonitor() }
        // Forwarding is set before the first advertisement, as when the agent starts before the network is up.
        let outcomes = try fixture.machine.run {
            [KernelSettings.setRouterAdvertisements(accepted: true, on: "c0")]
                + KernelSettings.applyForwarding()
        }
        #expect(outcomes.first?.description == "net.ipv6.conf.c0.accept_ra = 2 (was 1)")
        let kind = DefaultRoute(interface: MachineFixture.interface(0), family: .ipv6, isAdvertised: true)
        try fixture.advertiseRouter(over: 0, from: Self.router, lifetime: 1800, prefix: Self.prefix)
        try fixture.advertiseRouter(over: 1, from: Self.router, lifetime: 1800, prefix: Self.prefix)
        #expect(try KernelMonitorTests.wait(monitor) { $0 == .defaultRoute(kind) } != nil)
        #expect(try fixture.output("ip -6 addr show dev c0").contains("2001:db8:5:"))
        #expect(monitor.defaultRoutes == [kind])

        func accepts(_ port: String) throws -> Bool {
            try fixture.machine.run { try KernelSettings.acceptsRouterAdvertisements(port) }
        }
        #expect(try accepts("c0"))
        // accept_ra = 1, the default, has no effect on a machine that forwards.
        #expect(try !accepts("c1"))
        let refusal = try fixture.machine.run { KernelSettings.setRouterAdvertisements(accepted: false, on: "c0") }
        #expect(refusal.description == "net.ipv6.conf.c0.accept_ra = 0 (was 2)")
        #expect(try !accepts("c0"))
        let absent = try fixture.machine.run { KernelSettings.setRouterAdvertisements(accepted: true, on: "none") }
        guard case .absent = absent.result else {
            Issue.record("a port that does not exist must be absent: \(absent)")
            return
        }
    }
}

@Suite(.serialized, .needsRoot) struct SettingsChangeTests {
    @Test(arguments: [
        "net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.c0.forwarding=1", "net.ipv4.ip_forward=1",
        "net.ipv4.conf.all.forwarding=1", "net.ipv4.conf.c0.forwarding=1", "net.ipv4.conf.all.rp_filter=1",
        "net.ipv4.conf.c0.rp_filter=1",
    ])
    func aChangedSettingIsReported(setting: String) throws {
        let fixture = try MachineFixture(cables: 1)
        let monitor = try fixture.machine.run { try KernelMonitor() }
        // A new namespace may have inherited the settings of the machine.
        _ = try fixture.output("sysctl -w \(setting.dropLast())0")
        _ = try monitor.read()
        _ = try fixture.output("sysctl -w \(setting)")
        #expect(try monitor.read() == [.settingsChanged])
        _ = try fixture.output("sysctl -w \(setting.dropLast())0")
        #expect(try monitor.read() == [.settingsChanged])
        // Neither the same value again nor another setting is reported.
        _ = try fixture.output("sysctl -w \(setting.dropLast())0 net.ipv6.conf.c0.accept_ra=2")
        #expect(try monitor.read().isEmpty)
    }
}
