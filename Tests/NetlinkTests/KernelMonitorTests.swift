import Addressing
import Glibc
import Links
import Linux
import OSPF
import TestSupport
import Testing
import Timing

@testable import Netlink

@Suite(.serialized, .needsRoot) struct KernelMonitorTests {
    /// Reads until an event satisfies `condition`, for at most 5 s; duplicate address detection takes up to 2 s. `nil` if none
    /// does.
    static func wait(_ monitor: KernelMonitor, for condition: (KernelEvent) -> Bool) throws -> KernelEvent? {
        let deadline = EventLoop.now + .seconds(5)
        while EventLoop.now < deadline {
            if let event = try monitor.read().first(where: condition) { return event }
            usleep(500)
        }
        return nil
    }

    @Test func linksAreKnownFromTheStart() throws {
        let fixture = try MachineFixture(cables: 1)
        let monitor = try fixture.machine.run { try KernelMonitor() }
        let loopback = try #require(monitor.links[1])
        #expect(loopback.isLoopback && loopback.name == "lo" && loopback.isUsable && !loopback.isPhysical)
        let cable = try #require(monitor.links[MachineFixture.interface(0)])
        #expect(cable.name == "c0" && cable.kind == "veth" && cable.mtu == 1500 && !cable.isPhysical)
        #expect(cable.isUsable && cable.isMulticastCapable && cable.linkNamespaceID != nil)
        let shown = try fixture.output("ip link show c0")
        #expect(shown.contains("\(try #require(cable.macAddress))"))
        #expect(
            monitor.addresses.contains {
                $0.address == MachineFixture.nodeAddress && $0.interface == 1 && $0.prefixLength == 128
            })
    }

    @Test func allChangesOfALinkAreReported() throws {
        let fixture = try MachineFixture(cables: 1)
        let monitor = try fixture.machine.run { try KernelMonitor() }
        let index = MachineFixture.interface(0)
        func link(_ condition: (Link) -> Bool) throws -> Bool {
            try Self.wait(monitor) {
                if case .link(let link) = $0, link.index == index { condition(link) } else { false }
            } != nil
        }
        try fixture.unplug(0)
        #expect(try link { $0.isUp && !$0.hasCarrier })
        try fixture.plug(0)
        #expect(try link { $0.isUsable })
        try fixture.ip("link set c0 mtu 1280")
        #expect(try link { $0.mtu == 1280 })
        try fixture.ip("link set c0 down")
        #expect(try link { !$0.isUp })
        try fixture.ip("link set c0 name renamed address 02:00:00:00:00:77")
        #expect(try link { $0.name == "renamed" && $0.macAddress == MACAddress("02:00:00:00:00:77") })
        try fixture.ip("link add name br0 index 50 type bridge")
        try fixture.ip("link set renamed master br0")
        #expect(try link { $0.master == 50 })
        // When a port leaves a bridge, the kernel also sends RTM_DELLINK with the family AF_BRIDGE, which removes no link.
        try fixture.ip("link set renamed nomaster")
        #expect(try link { $0.master == nil })
        #expect(monitor.links[index] != nil)
        try fixture.ip("link del renamed")
        #expect(
            try Self.wait(monitor) { if case .linkRemoved(let link) = $0 { link.index == index } else { false } } != nil
        )
        #expect(monitor.links[index] == nil)
    }

    @Test func addressesAndTheirStatesAreReported() throws {
        let fixture = try MachineFixture(cables: 1)
        let monitor = try fixture.machine.run { try KernelMonitor() }
        try fixture.ip("addr add fe80::77/64 dev c0")
        let tentative = try Self.wait(monitor) {
            if case .address(let address) = $0 {
                address.isTentative && address.address == IPv6Address("fe80::77")
            } else {
                false
            }
        }
        #expect(tentative != nil)
        let usable = try Self.wait(monitor) {
            if case .address(let address) = $0 {
                address.isUsable && address.address == IPv6Address("fe80::77")
            } else {
                false
            }
        }
        #expect(usable != nil)
        try fixture.ip("addr del fe80::77/64 dev c0")
        let removed = try Self.wait(monitor) {
            if case .addressRemoved(let address) = $0 { address.address == IPv6Address("fe80::77") } else { false }
        }
        #expect(removed != nil)
        #expect(!monitor.addresses.contains { $0.address == IPv6Address("fe80::77") })
    }

    @Test func lostNotificationsLeadToARead() throws {
        let fixture = try MachineFixture(cables: 1)
        let monitor = try fixture.machine.run { try KernelMonitor(receiveBuffer: 2048) }
        try fixture.ip("link del c0")
        _ = try fixture.output("for i in $(seq 30); do echo link add d$i type veth peer name e$i; done | ip -batch -")
        var events: [KernelEvent] = []
        let deadline = EventLoop.now + .seconds(2)
        while !events.contains(.resynchronized), EventLoop.now < deadline { events += try monitor.read() }
        #expect(events.contains(.resynchronized))
        #expect(monitor.overflows > 0)
        // Together with the events before, those of the read give the present links: 30 veth pairs, without lo.
        var known: Set<UInt32> = [MachineFixture.interface(0)]
        for event in events {
            switch event {
            case .link(let link): known.insert(link.index)
            case .linkRemoved(let link): known.remove(link.index)
            default: break
            }
        }
        #expect(known.count == 60)
        #expect(monitor.links.count == 61)
    }
}

@Suite(.serialized, .needsRoot) struct KernelSettingsTests {
    @Test func aFailedReadIsRetriedWithoutLosingEvents() throws {
        let fixture = try MachineFixture(cables: 1)
        let monitor = try fixture.machine.run { try KernelMonitor(receiveBuffer: 4096) }
        // The socket for requests is replaced by /dev/null, so that requests fail.
        let socket = monitor.requests.descriptor
        let saved = dup(socket)
        let null = open("/dev/null", O_RDWR)
        defer { [saved, null].forEach { close($0) } }
        #expect(dup2(null, socket) == socket)
        // More notifications than the buffer takes: everything must be read again, which fails.
        for number in 0..<100 { try fixture.ip("address add 10.9.0.\(number)/32 dev c0") }
        #expect(throws: SystemError.self) { try monitor.read() }
        #expect(throws: SystemError.self) { try monitor.read() }
        #expect(monitor.mustRetry)
        #expect(dup2(saved, socket) == socket)
        let events = try monitor.read()
        let added = events.count { if case .address(let address) = $0 { address.address.ipv4 != nil } else { false } }
        #expect(added == 100)
        #expect(events.contains(.resynchronized))
        #expect(!monitor.mustRetry)
    }

    @Test func addingOrRemovingAnAddressTwiceChangesNothing() throws {
        let fixture = try MachineFixture(cables: 0)
        let addresses = try fixture.machine.run { try KernelAddresses() }
        let address = IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x1234)
        #expect(try addresses.add(address))
        #expect(try !addresses.add(address))
        let shown = try fixture.output("ip -6 -o addr show dev lo to 2001:db8::1234")
        #expect(shown.contains("2001:db8::1234/128") && !shown.contains("tentative"))
        #expect(try addresses.own().map(\.address) == [address])
        #expect(try !addresses.add(MachineFixture.nodeAddress))
        #expect(try addresses.own().count == 1)
        #expect(try addresses.remove(address))
        #expect(try !addresses.remove(address))
        #expect(throws: SystemError.self) { try addresses.add(address, to: 999) }
    }

    @Test func forwardingIsSetAndReported() throws {
        let fixture = try MachineFixture(cables: 1)
        let (first, second) = try fixture.machine.run {
            (KernelSettings.applyForwarding(), KernelSettings.applyForwarding())
        }
        #expect(first.map(\.description).contains("net.ipv6.conf.all.forwarding = 1 (was 0)"))
        #expect(second.map(\.description).contains("net.ipv6.conf.all.forwarding = 1"))
        #expect(try fixture.output("cat /proc/sys/net/ipv6/fib_multipath_hash_policy") == "1\n")
        let outcome = try fixture.machine.run { KernelSettings.setNextHopCompatibility(false) }
        #expect(outcome.description == "net.ipv4.nexthop_compat_mode = 0 (was 1)")
    }

    @Test func unusualSettingsAreReported() throws {
        let fixture = try MachineFixture(cables: 2)
        func deviations() throws -> [String] {
            try fixture.machine.run { KernelSettings.deviations(on: ["c0", "c1", "none"]).map(\.description) }
        }
        _ = try fixture.output("sysctl -w net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.c0.rp_filter=0")
        #expect(try deviations().isEmpty)
        _ = try fixture.output("sysctl -w net.ipv4.conf.all.rp_filter=1")
        _ = try fixture.machine.run {
            _ = KernelSettings.applyForwarding()
            _ = KernelSettings.setNextHopCompatibility(false)
            _ = KernelSettings.relaxReversePathFilter(of: "c0")
            _ = KernelSettings.setRouterAdvertisements(accepted: false, on: "c1")
        }
        #expect(
            try deviations() == [
                "net.ipv6.conf.all.forwarding = 1 (usually 0)", "net.ipv6.fib_multipath_hash_policy = 1 (usually 0)",
                "net.ipv4.ip_forward = 1 (usually 0)", "net.ipv4.fib_multipath_hash_policy = 1 (usually 0)",
                "net.ipv4.nexthop_compat_mode = 0 (usually 1)", "net.ipv6.conf.c1.accept_ra = 0 (usually 1)",
                "net.ipv4.conf.c0.rp_filter = 2 (usually 0)",
            ])
    }

    @Test func onlyAPortWithAnAdvertisedDefaultRouteKeepsAcceptingAdvertisements() throws {
        let fixture = try MachineFixture(cables: 2)
        // As the kernel makes it from an advertisement.
        try fixture.ip("-6 route add default via fe80::1 dev c1 proto ra metric 1024 expires 1800")
        let outcomes = try fixture.machine.run {
            [KernelSettings.keepRouterAdvertisements(of: "c1")].compactMap(\.self)
                + KernelSettings.applyForwarding()
        }
        #expect(outcomes.first?.description == "net.ipv6.conf.c1.accept_ra = 2 (was 1)")
        #expect(try fixture.output("cat /proc/sys/net/ipv6/conf/c1/accept_ra") == "2\n")
        #expect(try fixture.output("cat /proc/sys/net/ipv6/conf/c0/accept_ra") == "1\n")
    }
}
