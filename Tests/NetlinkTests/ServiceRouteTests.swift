import Addressing
import Links
import Linux
import Netlink
import OSPF
import Routing
import TestSupport
import Testing

/// Service routes in a real kernel, which has no default route.
@Suite(.serialized, .needsRoot) struct ServiceRouteTests {
    private static let ranges: Set<IPv6Prefix> = [IPv6Prefix("10.96.0.0/12")!, IPv6Prefix("fd00:10:96::/112")!]
    private static let address = IPv4Address("172.30.2.1")!

    private func node(_ fixture: MachineFixture, _ mode: FIB.Mode = .objects) throws -> Node {
        try fixture.machine.run { _ = try KernelAddresses().add(IPv6Address(Self.address)) }
        let node = try Node(
            fixture, mode: mode, preferredSource: MachineFixture.nodeAddress, preferredSourceIPv4: Self.address)
        node.installer.setServiceRoutes(Self.ranges)
        node.install()
        return node
    }

    private func areInstalled(_ node: Node) throws -> Bool {
        try node.serviceRoutes() == [IPv6Prefix("10.96.0.0/12")!: true, IPv6Prefix("fd00:10:96::/112")!: true]
            && node.installer.fib.serviceRouteStates.allSatisfy { $0.state == .installed }
    }

    @Test(arguments: [FIB.Mode.objects, .multipath]) func packetsGetOurSource(mode: FIB.Mode) throws {
        let fixture = try MachineFixture()
        let node = try node(fixture, mode)
        #expect(try areInstalled(node) && node.kernelRoutes().isEmpty)
        #expect(try fixture.output("ip -4 route get 10.96.0.1").contains("dev lo src 172.30.2.1"))
        #expect(try fixture.output("ip -6 route get fd00:10:96::1").contains("src \(MachineFixture.nodeAddress)"))
        // A new run adopts them without a change.
        let next = try Node(
            fixture, mode: mode, preferredSource: MachineFixture.nodeAddress, preferredSourceIPv4: Self.address)
        next.installer.setServiceRoutes(Self.ranges)
        next.install()
        try next.installer.sweep()
        next.install()
        #expect(next.installer.kernelCounters.changes == 0)
        #expect(try areInstalled(next))
        // Another source.
        next.installer.setPreferredSourceIPv4(nil)
        next.install()
        #expect(try areInstalled(node) == false, "the source differs from that of the earlier run")
        #expect(try next.installer.cleanUp() == (2, 0))
        #expect(try fixture.output("ip -4 route show table main; ip -6 route show proto 71").isEmpty)
    }

    @Test func routesThatOthersOrTheKernelRemoveArePutBack() throws {
        let fixture = try MachineFixture()
        let node = try node(fixture)
        try fixture.ip("-4 route del anycast 10.96.0.0/12 table main")
        try fixture.ip("-6 route del fd00:10:96::/112")
        #expect(try node.run { try areInstalled(node) && node.installer.counters.foreignRouteDeletions == 2 })
        // The kernel removes them with `lo`.
        try fixture.ip("link set lo down")
        #expect(try node.run { try node.serviceRoutes().isEmpty && node.monitor.links[1]?.isUp == false })
        try fixture.ip("link set lo up")
        try fixture.ip("addr replace \(MachineFixture.nodeAddress)/128 dev lo")
        node.installer.requireRead()
        #expect(try node.run { try areInstalled(node) })
    }

    /// Our route has the largest metric, so it comes after that of another program, and does not change it.
    @Test func otherRoutesToTheSameRangeComeFirst() throws {
        let fixture = try MachineFixture()
        let node = try node(fixture)
        let (range, sixRange) = (IPv6Prefix("10.96.0.0/12")!, IPv6Prefix("fd00:10:96::/112")!)
        try fixture.ip("-4 route add 10.96.0.0/12 via inet6 fe80::9 dev c0 metric 4000")
        try fixture.ip("-6 route add fd00:10:96::/112 via fe80::9 dev c0 metric 4000")
        #expect(try fixture.output("ip -4 route get 10.96.0.1").contains("dev c0"))
        #expect(try fixture.output("ip -6 route get fd00:10:96::1").contains("dev c0"))
        // The mesh's own route comes before both.
        node.update([(0, [MachineFixture.hop(1)])], [(range, 0), (sixRange, 0)])
        node.install()
        #expect(try areInstalled(node) && node.kernelRoutes().count == 2)
        #expect(try fixture.output("ip -4 route get 10.96.0.1").contains("dev c1"))
        #expect(try fixture.output("ip -6 route get fd00:10:96::1").contains("dev c1"))
        node.installer.setServiceRoutes([])
        node.install()
        #expect(try node.serviceRoutes().isEmpty && node.kernelRoutes().count == 2)
        #expect(
            try fixture.output("ip -4 route show; ip -6 route show").split(separator: "\n").count {
                $0.contains("metric 4000")
            } == 2)
    }

    /// A packet that another machine sends to a cluster IP, and no rule translates, is not forwarded through `lo`.
    @Test func packetsOfOthersAreNotForwarded() throws {
        let fixture = try MachineFixture()
        let node = try node(fixture)
        _ = try fixture.output("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        let gateway = try fixture.output("ip -6 -br addr show dev c0").split { $0 == " " || $0 == "/" }
        let linkLocal = try #require(gateway.first { $0.hasPrefix("fe80:") })
        try fixture.peerNamespace.run {
            for command in [
                "link set lo up", "addr add 172.30.2.9/32 dev lo", "addr add fd00:9::9/128 dev lo",
                "route add 10.96.0.0/12 via inet6 \(linkLocal) dev p0 src 172.30.2.9",
                "-6 route add fd00:10:96::/112 via \(linkLocal) dev p0 src fd00:9::9",
            ] { _ = try MachineFixture.run("ip \(command)") }
        }
        let before = try fixture.output("cat /proc/net/dev | grep lo: | awk '{print $3}'")
        try fixture.peerNamespace.run {
            // Link-local addresses may still be tentative at first.
            _ = try MachineFixture.run(
                "ping -c 5 -i 0.2 -W 1 -4 10.96.0.5; ping -c 5 -i 0.2 -W 1 -6 fd00:10:96::5; true")
        }
        #expect(try fixture.output("cat /proc/net/dev | grep lo: | awk '{print $3}'") == before)
        #expect(try areInstalled(node))
    }
}
