import Addressing
import Links
import MeshConfiguration
import OSPF
import Services
import Testing
import Timing

@testable import Node

/// What the node requests of nftables, so that packets in transit bypass the service proxy.
@Suite struct ProxyBypassTests {
    private static let first = IPv6Address("2001:db8:aa::1")!
    private static let second = IPv6Address("2001:db8:aa::2")!
    private static let third = IPv6Address("::ffff:10.0.0.3")!

    private static func contents(_ addresses: IPv6Address..., ports: [UInt32] = [2]) -> ProxyBypass.Contents {
        ProxyBypass.Contents(addresses: Set(addresses), ports: ports, uplinks: ports)
    }

    private var bypass = ProxyBypass()
    private var now = Instant.zero + .seconds(100)

    /// Carries out requests with success until there are none. Returns them.
    private mutating func settle() -> [ProxyBypass.Request] {
        var requests: [ProxyBypass.Request] = []
        while let request = bypass.next(at: now) {
            requests.append(request)
            #expect(bypass.receive(.done, at: now) == nil)
        }
        return requests
    }

    @Test mutating func aTableOfAnEarlierRunIsRemovedOnceIfNoneIsWanted() {
        #expect(settle() == [.remove])
        now = now + .seconds(600)
        #expect(settle().isEmpty && bypass.nextDeadline == nil)
    }

    /// An update keeps the connections that the table remembers.
    @Test mutating func aTableOfAnEarlierRunIsUpdatedAndThenOnlyDifferencesAreRequested() {
        bypass.want(Self.contents(Self.first, Self.second), at: now)
        #expect(settle() == [.update(Self.contents(Self.first, Self.second))])
        bypass.want(Self.contents(Self.second, Self.third), at: now)
        #expect(settle() == [.change(adding: [Self.third], removing: [Self.first])])
        #expect(bypass.placedCount == 2 && bypass.isComplete)
        let other = Self.contents(Self.second, ports: [2, 3])
        bypass.want(other, at: now)
        #expect(settle() == [.update(other)])
        bypass.want(nil, at: now)
        #expect(settle() == [.remove])
        #expect(bypass.placedCount == 0 && bypass.isComplete)
    }

    /// Changes during a request are gathered in the next one.
    @Test mutating func oneRequestIsUnderWayAtATime() {
        bypass.want(Self.contents(Self.first), at: now)
        #expect(bypass.next(at: now) == .update(Self.contents(Self.first)))
        for addresses in [
            [Self.first, Self.second], [Self.first, Self.second, Self.third], [Self.second, Self.third],
        ] {
            bypass.want(ProxyBypass.Contents(addresses: Set(addresses), ports: [2], uplinks: [2]), at: now)
            #expect(bypass.next(at: now) == nil)
        }
        #expect(bypass.receive(.done, at: now) == nil)
        #expect(settle() == [.change(adding: [Self.third, Self.second].sorted(), removing: [Self.first])])
    }

    @Test mutating func theTableIsCheckedRegularlyAndPutBack() throws {
        bypass.want(Self.contents(Self.first), at: now)
        #expect(settle().count == 1 && bypass.next(at: now) == nil)
        let deadline = try #require(bypass.nextDeadline)
        #expect(deadline - now <= .seconds(5))
        now = deadline
        #expect(bypass.next(at: now) == .check)
        #expect(bypass.receive(.changedByOthers, at: now)?.level == .warning)
        #expect(settle() == [.replace(Self.contents(Self.first))])
        #expect(bypass.foreignChanges == 1)
    }

    /// The first failure leads to an attempt at once, because the table may have been removed by another program. Only a second
    /// one is a problem, and is tried again after 1, 2, 4 … 60 s.
    @Test mutating func failuresAreTriedAgainWithLongerDelays() {
        bypass.want(Self.contents(Self.first), at: now)
        var delays: [Duration] = []
        for _ in 0..<10 {
            let request = bypass.next(at: now)
            #expect(
                request == (delays.isEmpty ? .update(Self.contents(Self.first)) : .replace(Self.contents(Self.first))))
            _ = bypass.receive(.failed("no nft"), at: now)
            guard let deadline = bypass.nextDeadline else { break }
            delays.append(deadline - now)
            // A change meanwhile does not lead to an earlier attempt, except the first.
            now = deadline
        }
        #expect(delays == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        #expect(bypass.failure == "no nft")
        #expect(settle() == [.replace(Self.contents(Self.first))])
        #expect(bypass.failure == nil)
    }

    @Test mutating func aChangeOfARemovedTableReplacesIt() {
        bypass.want(Self.contents(Self.first), at: now)
        #expect(settle().count == 1)
        bypass.want(Self.contents(Self.first, Self.second), at: now)
        #expect(bypass.next(at: now) == .change(adding: [Self.second], removing: []))
        #expect(bypass.receive(.failed("no such table"), at: now) == nil)
        #expect(bypass.failure == nil && settle() == [.replace(Self.contents(Self.first, Self.second))])
    }

    /// Without nftables there is nothing to remove.
    @Test mutating func aRemovalThatFailsAtTheStartIsGivenUp() {
        #expect(bypass.next(at: now) == .remove)
        #expect(bypass.receive(.failed("no nftables in this kernel"), at: now) == nil)
        #expect(bypass.failure == nil && bypass.next(at: now) == nil && bypass.isComplete)
    }

    // MARK: In the node

    private func bench(_ links: [Link] = [NodeBench.eno1], _ change: (inout Configuration) -> Void = { _ in })
        -> NodeBench
    {
        var configuration = Configuration()
        configuration.vips = [VIP(name: "api", address: Self.first)]
        change(&configuration)
        var bench = NodeBench(configuration, hasCluster: true)
        bench.table = Self.contents(Self.second)
        bench.start(links)
        return bench
    }

    @Test func whatAnEarlierRunLeftStaysUntilTheMeshIsKnown() {
        var bench = bench()
        #expect(!bench.node.life.isSynchronized && bench.table == Self.contents(Self.second))
        bench.run(for: .seconds(60))
        #expect(bench.node.life.isSynchronized && bench.table == Self.contents(Self.first))
    }

    /// Packets may come from ports of the mesh and other network cards, bonds and VLANs, but not from devices of containers.
    @Test func devicesOfContainersAreNotInTheTable() {
        let mac = MACAddress("00:1b:21:00:00:09")!
        let links = [
            NodeBench.eno1, NodeBench.enp1s0, Link(index: 9, name: "cni0", macAddress: mac, kind: "bridge"),
            Link(index: 10, name: "veth1", macAddress: mac, kind: "veth"),
            Link(index: 11, name: "bond0", macAddress: mac, kind: "bond"),
            Link(index: 12, name: "br0", macAddress: mac, kind: "bridge"),
        ]
        var bench = bench(links) { configuration in
            var rules = ["enp1s0", "br0"].map { InterfaceRule(pattern: .named(Glob($0)!)) }
            rules[0].role = .ignored
            rules[1].role = .active(.auto)
            configuration.interfaces = rules + configuration.interfaces
        }
        bench.run(for: .seconds(60))
        #expect(bench.table?.ports == [2, 12] && bench.table?.uplinks == [2, 3, 11, 12])
        bench.handle(.kernel([.linkRemoved(links[4])]))
        #expect(bench.table?.uplinks == [2, 3, 12])
    }

    @Test func theTableIsRemovedWhereTheBypassIsOff() {
        var bench = bench { $0.kubernetes.bypassesServiceProxy = false }
        bench.run(for: .seconds(60))
        #expect(bench.table == nil && bench.tableRequests == [.remove])
    }

    @Test func aFailureIsAProblemThatEnds() {
        var bench = bench()
        bench.tableOutcome = .failed("nft cannot be run")
        bench.run(for: .seconds(60))
        #expect(bench.problems(.proxyBypass).map(\.text).contains { $0.contains("nft cannot be run") })
        #expect(bench.log.count { $0.contains("nft cannot be run") } == 1)
        bench.tableOutcome = nil
        bench.run(for: .seconds(61))
        #expect(bench.problems(.proxyBypass).isEmpty && bench.table == Self.contents(Self.first))
    }

    /// kube-proxy in IPVS mode has the addresses of all services on its device, so packets in transit end here.
    @Test func addressesOnTheDeviceOfIPVSAreAProblem() {
        var bench = bench()
        bench.run(for: .seconds(60))
        let device = Link(index: 9, name: "kube-ipvs0", macAddress: nil)
        bench.handle(.kernel([.link(device)]))
        bench.handle(
            .kernel([.address(InterfaceAddress(interface: 9, address: Self.second, prefixLength: 128))]))
        bench.run(for: .seconds(60))
        #expect(bench.problems(.proxyBypass).isEmpty, "nobody announces that address")
        bench.handle(
            .kernel([.address(InterfaceAddress(interface: 9, address: Self.first, prefixLength: 128))]))
        bench.run(for: .seconds(60))
        #expect(bench.problems(.proxyBypass).isEmpty, "this node has the service itself")
    }
}
