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
    private static let pods = [IPv6Prefix("2001:db8:5::/120")!]

    private static func contents(_ addresses: IPv6Address..., pods: [IPv6Prefix] = pods) -> ProxyBypass.Contents {
        ProxyBypass.Contents(addresses: Set(addresses), pods: pods)
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

    @Test mutating func aTableOfAnEarlierRunIsReplacedAndThenOnlyDifferencesAreRequested() {
        bypass.want(Self.contents(Self.first, Self.second), at: now)
        #expect(settle() == [.replace(Self.contents(Self.first, Self.second))])
        bypass.want(Self.contents(Self.second, Self.third), at: now)
        #expect(settle() == [.change(adding: [Self.third], removing: [Self.first])])
        #expect(bypass.placedCount == 2 && bypass.isComplete)
        // Other pods or ports are other rules.
        var other = Self.contents(Self.second, pods: [])
        bypass.want(other, at: now)
        #expect(settle() == [.replace(other)])
        other.ports = ["br0"]
        bypass.want(other, at: now)
        #expect(settle() == [.replace(other)])
        bypass.want(nil, at: now)
        #expect(settle() == [.remove])
        #expect(bypass.placedCount == 0 && bypass.isComplete)
    }

    /// Changes during a request are gathered in the next one.
    @Test mutating func oneRequestIsUnderWayAtATime() {
        bypass.want(Self.contents(Self.first), at: now)
        #expect(bypass.next(at: now) == .replace(Self.contents(Self.first)))
        for addresses in [
            [Self.first, Self.second], [Self.first, Self.second, Self.third], [Self.second, Self.third],
        ] {
            bypass.want(ProxyBypass.Contents(addresses: Set(addresses), pods: Self.pods), at: now)
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
            #expect(bypass.next(at: now) == .replace(Self.contents(Self.first)))
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

    private func bench(_ change: (inout Configuration) -> Void = { _ in }) -> NodeBench {
        var configuration = Configuration()
        configuration.vips = [VIP(name: "api", address: Self.first)]
        configuration.addressing.podPrefixes = Self.pods
        change(&configuration)
        var bench = NodeBench(configuration, hasCluster: true)
        bench.table = Self.contents(Self.second)
        bench.start()
        return bench
    }

    @Test func whatAnEarlierRunLeftStaysUntilTheMeshIsKnown() {
        var bench = bench()
        #expect(!bench.node.life.isSynchronized && bench.table == Self.contents(Self.second))
        bench.run(for: .seconds(60))
        #expect(bench.node.life.isSynchronized && bench.table == Self.contents(Self.first))
    }

    /// On a port of the mesh that is a bridge, packets are in transit; from other bridges they come from pods.
    @Test func portsOfTheMeshThatAreBridgesAreInTheTable() {
        var configuration = Configuration()
        configuration.vips = [VIP(name: "api", address: Self.first)]
        var rule = InterfaceRule(pattern: .named(Glob("br*")!))
        rule.role = .active(.auto)
        configuration.interfaces = [rule] + configuration.interfaces
        var bench = NodeBench(configuration, hasCluster: true)
        let mac = MACAddress("00:1b:21:00:00:09")!
        bench.start([
            NodeBench.eno1, Link(index: 9, name: "br0", macAddress: mac, kind: "bridge"),
            Link(index: 10, name: "cni0", macAddress: mac, kind: "bridge"),
        ])
        bench.run(for: .seconds(60))
        #expect(bench.table?.ports == ["br0"])
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
