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

    private mutating func want(
        _ addresses: IPv6Address..., ports: [UInt32] = [2], reserved: Set<IPv6Address> = [], knowsMesh: Bool = true
    ) {
        let contents = ProxyBypass.Contents(addresses: Set(addresses), ports: ports, uplinks: ports)
        bypass.want(contents, reserved: reserved, knowsMesh: knowsMesh, at: now)
    }

    /// Lets time pass, and calls the value at its deadlines. Returns the requests other than checks.
    private mutating func run(for duration: Duration) -> [ProxyBypass.Request] {
        let end = now + duration
        var requests = settle()
        while let deadline = bypass.nextDeadline, deadline <= end {
            now = max(now, deadline)
            requests += settle()
        }
        now = end
        return requests.filter { $0 != .check }
    }

    @Test mutating func aTableOfAnEarlierRunIsRemovedOnceIfNoneIsWanted() {
        #expect(bypass.next(at: now) == nil, "the mesh is not known")
        want()
        #expect(settle() == [.remove])
        now = now + .seconds(600)
        #expect(settle().isEmpty && bypass.nextDeadline == nil)
    }

    /// An update keeps the connections that the table remembers. What nobody announces stays for some minutes.
    @Test mutating func aTableOfAnEarlierRunIsUpdatedAndThenOnlyDifferencesAreRequested() {
        want(Self.first, Self.second, knowsMesh: false)
        #expect(settle() == [.update(Self.contents(Self.first, Self.second), keepsAddresses: true)])
        #expect(run(for: .seconds(600)) == [], "nothing is removed before the mesh is known")
        want(Self.first, Self.second)
        want(Self.second, Self.third)
        #expect(settle() == [.change(adding: [Self.third], removing: [])])
        #expect(bypass.placedCount == 3 && bypass.isComplete)
        let all = Self.contents(Self.first, Self.second, Self.third)
        #expect(run(for: ProxyBypass.sweepInterval) == [.update(all, keepsAddresses: false)])
        #expect(run(for: ProxyBypass.sweepInterval) == [.change(adding: [], removing: [Self.first])])
        let other = Self.contents(Self.second, Self.third, ports: [2, 3])
        want(Self.second, Self.third, ports: [2, 3])
        #expect(settle() == [.update(other, keepsAddresses: false)])
        bypass.usePorts([2], uplinks: [2], at: now)
        #expect(settle() == [.update(Self.contents(Self.second, Self.third), keepsAddresses: false)])
        bypass.wantNone(at: now)
        #expect(settle() == [.remove])
        #expect(bypass.placedCount == 0 && bypass.isComplete)
    }

    /// Between its route and its element in the table, new connections would be reset.
    @Test mutating func anAddressThatReturnsHasNeverLeft() {
        want(Self.first, Self.second)
        #expect(settle().count == 1)
        for _ in 0..<5 {
            want(Self.first)
            #expect(
                run(for: ProxyBypass.sweepInterval - .seconds(1)).allSatisfy {
                    if case .update = $0 { true } else { false }
                })
            #expect(bypass.includes(Self.second))
            want(Self.first, Self.second)
            #expect(settle() == [])
        }
        want(Self.first)
        #expect(run(for: ProxyBypass.sweepInterval * 2) == [.change(adding: [], removing: [Self.second])])
        want()
        #expect(run(for: ProxyBypass.sweepInterval * 2) == [.remove])
    }

    /// An address that has become a node's own is no service's any more.
    @Test mutating func aReservedAddressLeavesAtOnce() {
        want(Self.first, Self.second)
        #expect(settle().count == 1)
        want(Self.first, reserved: [Self.second])
        #expect(settle() == [.change(adding: [], removing: [Self.second])])
    }

    @Test mutating func thereAreNeverMoreAddressesThanTheMost() {
        let many = Set((0..<UInt64(ProxyBypass.mostAddresses)).map { IPv6Address(high: 1, low: $0) })
        bypass.want(ProxyBypass.Contents(addresses: many, ports: [2], uplinks: [2]), knowsMesh: true, at: now)
        #expect(settle().count == 1)
        want(Self.first)
        #expect(bypass.wanted == Self.contents(Self.first))
    }

    /// Changes during a request are gathered in the next one. Until its outcome, however long that takes, no deadline is due.
    @Test mutating func oneRequestIsUnderWayAtATime() {
        want(Self.first)
        #expect(bypass.next(at: now) == .update(Self.contents(Self.first), keepsAddresses: true))
        for addresses in [
            [Self.first, Self.second], [Self.first, Self.second, Self.third], [Self.second, Self.third],
        ] {
            bypass.want(
                ProxyBypass.Contents(addresses: Set(addresses), ports: [2], uplinks: [2]), knowsMesh: true, at: now)
            #expect(bypass.next(at: now) == nil)
            #expect(bypass.nextDeadline == nil && bypass.latestDeadline == nil)
        }
        #expect(bypass.receive(.done, at: now) == nil)
        #expect(settle() == [.change(adding: [Self.third, Self.second].sorted(), removing: [])])
    }

    @Test mutating func theTableIsCheckedRegularlyAndPutBack() throws {
        want(Self.first)
        #expect(settle().count == 1 && bypass.next(at: now) == nil)
        let deadline = try #require(bypass.nextDeadline)
        #expect(deadline - now <= .seconds(5))
        now = deadline
        #expect(bypass.next(at: now) == .check)
        #expect(bypass.receive(.changedByOthers, at: now)?.level == .warning)
        #expect(settle() == [.update(Self.contents(Self.first), keepsAddresses: true)], "with its connections")
        #expect(bypass.foreignChanges == 1)
    }

    /// A failure is a problem at once, and tried again after 1, 2, 4 … 60 s.
    @Test mutating func failuresAreTriedAgainWithLongerDelays() {
        want(Self.first, knowsMesh: false)
        var delays: [Duration] = []
        for _ in 0..<9 {
            #expect(bypass.next(at: now) == .update(Self.contents(Self.first), keepsAddresses: true))
            _ = bypass.receive(.failed("no nft"), at: now)
            #expect(bypass.failure == "no nft")
            // A change meanwhile does not lead to an earlier attempt.
            want(Self.first, Self.second, knowsMesh: false)
            want(Self.first, reserved: [Self.second], knowsMesh: false)
            #expect(bypass.next(at: now) == nil)
            guard let deadline = bypass.nextDeadline else { break }
            delays.append(deadline - now)
            now = deadline
        }
        #expect(delays == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        #expect(settle().count == 1 && bypass.failure == nil)
    }

    /// That a table cannot be read says nothing about its contents.
    @Test mutating func aCheckThatFailsChangesNothing() throws {
        want(Self.first)
        #expect(settle().count == 1)
        now = try #require(bypass.nextDeadline)
        #expect(bypass.next(at: now) == .check)
        #expect(bypass.receive(.failed("it takes too long"), at: now) == nil)
        #expect(bypass.failure == "it takes too long")
        now = try #require(bypass.nextDeadline)
        #expect(settle() == [.check] && bypass.failure == nil)
    }

    /// Replacing the table forgets connections, so it comes last: only if nftables has refused to update it, twice.
    @Test mutating func aTableThatCannotBeUpdatedIsReplaced() throws {
        want(Self.first)
        #expect(settle().count == 1)
        want(Self.first, Self.second)
        #expect(bypass.next(at: now) == .change(adding: [Self.second], removing: []))
        #expect(bypass.receive(.changedByOthers, at: now)?.level == .warning)
        let both = Self.contents(Self.first, Self.second)
        for _ in 0..<2 {
            #expect(bypass.next(at: now) == .update(both, keepsAddresses: true))
            #expect(bypass.receive(.refused("File exists"), at: now) == nil)
            now = try #require(bypass.nextDeadline)
        }
        #expect(settle() == [.replace(both)] && bypass.failure == nil)
    }

    /// Without nftables there is nothing to remove.
    @Test mutating func aRemovalThatFailsAtTheStartIsGivenUp() {
        want()
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

    /// New addresses are added before the mesh is known; those that an earlier run left stay for some minutes.
    @Test func whatAnEarlierRunLeftStays() {
        var bench = bench()
        bench.run(for: .seconds(1))
        #expect(!bench.node.life.isSynchronized && bench.table == Self.contents(Self.first, Self.second))
        bench.run(for: .seconds(60))
        #expect(bench.node.life.isSynchronized && bench.table == Self.contents(Self.first, Self.second))
        bench.run(for: ProxyBypass.sweepInterval)
        #expect(bench.table == Self.contents(Self.first))
        #expect(bench.tableRequests.count { $0 != .check } == 2)
    }

    /// A request without an outcome, as while `nft` hangs, makes no timer due.
    @Test func aRequestUnderWayMakesNoTimerDue() {
        var bench = bench()
        bench.run(for: .seconds(60))
        var effects: [NodeEffect] = []
        let link = Link(index: 11, name: "bond0", macAddress: MACAddress("00:1b:21:00:00:09")!, kind: "bond")
        let links = [link, Link(index: 12, name: "bond1", macAddress: link.macAddress, kind: "bond")]
        for link in links { bench.node.handle(.kernel([.link(link)]), at: bench.now, effects: &effects) }
        #expect(effects.count { if case .proxyBypass = $0 { true } else { false } } == 1)
        bench.node.handle(.timer, at: bench.now, effects: &effects)
        #expect(bench.node.nextDeadline.map { $0 > bench.now } == true)
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
        #expect(bench.problems(.proxyBypass).isEmpty && bench.table == Self.contents(Self.first, Self.second))
    }

    @Test func aTableWithoutRoomIsAProblemThatEnds() {
        var bench = bench()
        bench.run(for: .seconds(60))
        bench.tableOutcome = .full
        bench.run(for: .seconds(15))
        #expect(bench.problems(.proxyBypass).map(\.text).contains { $0.contains("no room") })
        bench.tableOutcome = nil
        bench.run(for: .seconds(15))
        #expect(bench.problems(.proxyBypass).isEmpty)
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
