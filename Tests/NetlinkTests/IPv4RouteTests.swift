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
    static let both = [Stage.hop(0), Stage.hop(1)]
    static let address = IPv4Address("172.30.2.1")!
    static let prefixes = ["172.31.5.0/24", "172.30.2.5/32", "0.0.0.0/0", "2001:db8:5::/120"].map { IPv6Prefix($0)! }
    static let whole = Dictionary(uniqueKeysWithValues: prefixes.map { ($0, both) })

    /// A node with the IPv4 address and all prefixes installed over both cables.
    private func node(_ stage: Stage, _ mode: FIB.Mode) throws -> Node {
        try stage.machine.run { _ = try KernelAddresses().add(IPv6Address(Self.address)) }
        let node = try Node(
            stage, mode: mode, preferredSource: Stage.nodeAddress, preferredSourceIPv4: Self.address)
        node.update([(0, Self.both)], Self.prefixes.map { ($0, 0) })
        node.install()
        return node
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func theyGoByIPv6NeighborsAsOthersSeeToo(mode: FIB.Mode) throws {
        let stage = try Stage()
        let node = try node(stage, mode)
        #expect(try node.kernelRoutes() == Self.whole)
        let shown = try stage.output("ip -4 -d route show proto 71")
        #expect(shown.contains("172.31.5.0/24") && shown.contains("172.30.2.5 ") && shown.contains("default"))
        #expect(shown.contains("via inet6 \(Stage.hop(0).gateway) dev c0"))
        let way = try stage.output("ip -4 route get 172.31.5.9")
        #expect(way.contains("via inet6 fe80::10"))
        #expect(way.contains("src 172.30.2.1"))
        if mode == .objects { #expect(node.installer.fib.counts.groups == 1) }

        node.update([(0, [Stage.hop(1)])])
        node.install()
        #expect(try node.kernelRoutes() == Self.whole.mapValues { _ in [Stage.hop(1)] })
        node.update([], Self.prefixes.map { ($0, nil) }, released: [0])
        node.install()
        #expect(try node.kernelRoutes().isEmpty)
        #expect(try stage.output("ip -4 route show proto 71").isEmpty)
    }

    @Test(arguments: [FIB.Mode.objects, .multipath])
    func theySurviveFlapsOfAllCables(mode: FIB.Mode) throws {
        let stage = try Stage()
        let node = try node(stage, mode)
        for _ in 0..<3 {
            try stage.unplug(0)
            #expect(try node.run { try node.kernelRoutes() == Self.whole.mapValues { _ in [Stage.hop(1)] } })
            try stage.unplug(1)
            #expect(try node.run { node.monitor.links[Stage.interface(1)]?.isUsable == false })
            // IPv4 routes without next-hop objects stay, with dead next hops, until the router withdraws them.
            node.update([], Self.prefixes.map { ($0, nil) }, released: [0])
            node.install()
            #expect(try node.kernelRoutes().isEmpty)
            try stage.plug(1)
            try stage.plug(0)
            node.update([(0, Self.both)], Self.prefixes.map { ($0, 0) })
            #expect(try node.run { try node.kernelRoutes() == Self.whole })
        }
    }

    @Test func whatOthersRemoveComesBack() throws {
        let stage = try Stage()
        let node = try node(stage, .objects)
        try stage.ip("-4 route del 172.31.5.0/24 proto 71")
        #expect(try node.run { try node.kernelRoutes() == Self.whole })
        #expect(node.installer.counters.foreignRouteDeletions == 1)
        // With the address, the kernel removes all IPv4 routes that have it as preferred source, and does not notify that.
        try stage.ip("addr del 172.30.2.1/32 dev lo")
        #expect(try node.run { !node.monitor.addresses.contains { $0.address == IPv6Address(Self.address) } })
        try stage.machine.run { _ = try KernelAddresses().add(IPv6Address(Self.address)) }
        node.installer.setPreferredSource(IPv6Address(Self.address))
        #expect(try node.run { try node.kernelRoutes() == Self.whole })
    }

    @Test func anEarlierRunsRoutesAreTakenOverWithoutAChange() throws {
        let stage = try Stage()
        _ = try node(stage, .objects)
        let next = try node(stage, .objects)
        #expect(next.installer.kernelCounters.changes == 0)
        try next.installer.sweep()
        #expect(try next.kernelRoutes() == Self.whole)
        #expect(try next.installer.cleanUp().routes == Self.prefixes.count)
        #expect(try stage.output("ip -4 route show proto 71").isEmpty)
    }
}
