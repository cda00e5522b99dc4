import Addressing
import Links
import Linux
import Netlink
import OSPF
import Routing
import TestSupport
import Testing

/// IPv4 routes with IPv6 next hops, beside IPv6 routes with the same next hops.
@Suite(.serialized, .needsRoot) struct IPv4RouteTests {
    static let bothHops = [MachineFixture.hop(0), MachineFixture.hop(1)]
    static let address = IPv4Address("172.30.2.1")!
    static let prefixes = ["172.31.5.0/24", "172.30.2.5/32", "0.0.0.0/0", "2001:db8:5::/120"].map { IPv6Prefix($0)! }
    static let allRoutes = Dictionary(uniqueKeysWithValues: prefixes.map { ($0, bothHops) })

    /// A node with the IPv4 address and all prefixes installed over both cables.
    private func node(_ fixture: MachineFixture, _ mode: FIB.Mode) throws -> Node {
        try fixture.machine.run { _ = try KernelAddresses().add(IPv6Address(Self.address)) }
        let node = try Node(
            fixture, mode: mode, preferredSource: MachineFixture.nodeAddress, preferredSourceIPv4: Self.address)
        node.update([(0, Self.bothHops)], Self.prefixes.map { ($0, 0) })
        node.install()
        return node
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func installedRoutesHaveIPv6NextHops(mode: FIB.Mode) throws {
        let fixture = try MachineFixture()
        let node = try node(fixture, mode)
        #expect(try node.kernelRoutes() == Self.allRoutes)
        let shown = try fixture.output("ip -4 -d route show proto 71")
        #expect(shown.contains("172.31.5.0/24") && shown.contains("172.30.2.5 ") && shown.contains("default"))
        #expect(shown.contains("via inet6 \(MachineFixture.hop(0).gateway) dev c0"))
        let shownRoute = try fixture.output("ip -4 route get 172.31.5.9")
        #expect(shownRoute.contains("via inet6 fe80::10"))
        #expect(shownRoute.contains("src 172.30.2.1"))
        if mode == .objects { #expect(node.installer.fib.counts.groups == 1) }

        node.update([(0, [MachineFixture.hop(1)])])
        node.install()
        #expect(try node.kernelRoutes() == Self.allRoutes.mapValues { _ in [MachineFixture.hop(1)] })
        node.update([], Self.prefixes.map { ($0, nil) }, released: [0])
        node.install()
        #expect(try node.kernelRoutes().isEmpty)
        #expect(try fixture.output("ip -4 route show proto 71").isEmpty)
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func allRoutesAreInstalledAfterFlapsOfAllCables(mode: FIB.Mode) throws {
        let fixture = try MachineFixture()
        let node = try node(fixture, mode)
        for _ in 0..<3 {
            try fixture.unplug(0)
            #expect(
                try node.run { try node.kernelRoutes() == Self.allRoutes.mapValues { _ in [MachineFixture.hop(1)] } })
            try fixture.unplug(1)
            #expect(try node.run { node.monitor.links[MachineFixture.interface(1)]?.isUsable == false })
            // IPv4 routes without next-hop objects stay, with dead next hops, until the router withdraws them.
            node.update([], Self.prefixes.map { ($0, nil) }, released: [0])
            node.install()
            #expect(try node.kernelRoutes().isEmpty)
            try fixture.plug(1)
            try fixture.plug(0)
            node.update([(0, Self.bothHops)], Self.prefixes.map { ($0, 0) })
            #expect(try node.run { try node.kernelRoutes() == Self.allRoutes })
        }
    }

    @Test func routesThatOthersRemoveAreRestored() throws {
        let fixture = try MachineFixture()
        let node = try node(fixture, .objects)
        try fixture.ip("-4 route del 172.31.5.0/24 proto 71")
        #expect(try node.run { try node.kernelRoutes() == Self.allRoutes })
        #expect(node.installer.counters.foreignRouteDeletions == 1)
        // With the address, the kernel removes all IPv4 routes that have it as preferred source, and does not notify that.
        try fixture.ip("addr del 172.30.2.1/32 dev lo")
        #expect(try node.run { !node.monitor.addresses.contains { $0.address == IPv6Address(Self.address) } })
        try fixture.machine.run { _ = try KernelAddresses().add(IPv6Address(Self.address)) }
        node.installer.setPreferredSource(IPv6Address(Self.address))
        #expect(try node.run { try node.kernelRoutes() == Self.allRoutes })
    }

    @Test func routesOfAnEarlierRunAreAdoptedWithoutAChange() throws {
        let fixture = try MachineFixture()
        _ = try node(fixture, .objects)
        let next = try node(fixture, .objects)
        #expect(next.installer.kernelCounters.changes == 0)
        try next.installer.sweep()
        #expect(try next.kernelRoutes() == Self.allRoutes)
        #expect(try next.installer.cleanUp().routes == Self.prefixes.count)
        #expect(try fixture.output("ip -4 route show proto 71").isEmpty)
    }
}
