import Addressing
import Linux
import Netlink
import OSPF
import Routing
import TestSupport
import Testing

/// Backups and resilient groups in a real kernel.
@Suite(.serialized, .needsRoot) struct GroupTests {
    private static func destination(
        _ cables: [Int], backup: Int? = nil, isAnycast: Bool = false
    ) -> Destination {
        Destination(
            kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: cables.map(MachineFixture.hop),
            backup: backup.map(MachineFixture.hop), isAnycast: isAnycast)
    }

    /// Which cable each of 1,000 flows to a prefix takes.
    private static func flows(_ fixture: MachineFixture, to prefix: Int = 0) throws -> [String] {
        let address = MachineFixture.prefix(prefix).address
        let command =
            "seq 1 1000 | sed 's/.*/route get \(address) ipproto udp sport & dport 99/' | ip -6 -batch - | grep -o 'dev c[0-9]*'"
        return try fixture.output(command).split(separator: "\n").map(String.init)
    }

    /// Of the flows that were not on `cable`, those on another one now.
    private static func needlessMoves(_ before: [String], _ after: [String], without cable: Int) -> Int {
        zip(before, after).count { $0 != "dev c\(cable)" && $0 != $1 }
    }

    private func makeNode(cables: Int) throws -> (MachineFixture, Node) {
        let fixture = try MachineFixture(cables: cables)
        _ = try fixture.output("sysctl -qw net.ipv6.fib_multipath_hash_policy=1")
        return (fixture, try Node(fixture))
    }

    @Test func thisKernelHasBoth() throws {
        let fixture = try MachineFixture(cables: 0)
        let range = FIB.Configuration().nextHopIDs
        let support = try fixture.machine.run {
            let kernel = try KernelFIB()
            let first = try kernel.groupSupport(in: range)
            // A second time, with what a killed process left.
            _ = try MachineFixture.run("ip nexthop add id \(range.upperBound - 1) via fe80::1 fdb protocol 71")
            let second = try kernel.groupSupport(in: range)
            return [first.resilient, first.backups, second.resilient, second.backups]
        }
        #expect(support == [true, true, true, true])
        #expect(try fixture.output("ip nexthop show").isEmpty)
    }

    /// The carrier goes: all routes stay, all flows take the backup, and nobody has sent the kernel anything.
    @Test(arguments: [false, true]) func theKernelMovesAllFlowsToTheBackupByItself(isAnycast: Bool) throws {
        let (fixture, node) = try makeNode(cables: 3)
        node.update(0, Self.destination([0], backup: 1, isAnycast: isAnycast), 0..<100)
        node.install()
        #expect(try Self.flows(fixture).count { $0 != "dev c0" } <= 2)
        let changes = node.installer.kernelCounters.changes
        try fixture.unplug(0)
        while try fixture.output("ip link show c0").contains("state UP") {}
        #expect(try Self.flows(fixture) == Array(repeating: "dev c1", count: 1000))
        #expect(try node.kernelRoutes() == node.expected(0..<100, [MachineFixture.hop(1)]))
        // The agent learns of it, and leaves everything as it is.
        #expect(try node.run { node.installer.fib.repairs == 1 })
        #expect(node.installer.kernelCounters.changes == changes)
        // The router has calculated: what was the backup is the next hop, and has another backup.
        node.update(0, Self.destination([1], backup: 2, isAnycast: isAnycast), 0..<0)
        node.install()
        #expect(try Self.flows(fixture).count { $0 != "dev c1" } <= 2)
        #expect(try node.kernelRoutes() == node.expected(0..<100, [MachineFixture.hop(1)]))
        // The cable returns, and so do the flows.
        try fixture.plug(0)
        node.update(0, Self.destination([0], backup: 1, isAnycast: isAnycast), 0..<0)
        #expect(try node.run { try Self.flows(fixture).count { $0 != "dev c0" } <= 2 })
        #expect(node.installer.state(of: MachineFixture.prefix(0)) == .installed)
        #expect(!node.installer.fib.hasFailures)
    }

    @Test func aRestartAdoptsBackupsAndResilientGroups() throws {
        let (fixture, first) = try makeNode(cables: 3)
        let plain = Self.destination([0], backup: 1)
        let anycast = Self.destination([1, 2], isAnycast: true)
        let alone = Self.destination([2], backup: 0, isAnycast: true)
        func update(_ node: Node) {
            node.update(0, plain, 0..<10)
            node.update(1, anycast, 10..<20)
            node.update(2, alone, 20..<30)
            node.install()
        }
        update(first)
        let before = try fixture.output("ip nexthop show")
        #expect(before.occurrences(of: "type resilient buckets 128 idle_timer 60 unbalanced_timer 0") == 2)
        let second = try Node(fixture)
        let changes = second.installer.kernelCounters.changes
        update(second)
        try second.installer.sweep()
        second.install()
        #expect(second.installer.kernelCounters.changes == changes)
        #expect(try fixture.output("ip nexthop show") == before)
        #expect(second.installer.fib.counts.backups == 2)
    }

    /// A prefix gets a second announcer: its group cannot become resilient, so there is a new one, and the old one goes.
    @Test func aDestinationThatBecomesAnycastGetsAnotherGroup() throws {
        let (fixture, node) = try makeNode(cables: 2)
        node.update(0, Self.destination([0]), 0..<50)
        node.install()
        node.update(0, Self.destination([0, 1], isAnycast: true), 0..<0)
        node.install()
        #expect(try node.kernelRoutes() == node.expected(0..<50, [MachineFixture.hop(0), MachineFixture.hop(1)]))
        let objects = try fixture.output("ip nexthop show")
        #expect(objects.occurrences(of: " group ") == 1 && objects.occurrences(of: "type resilient") == 1)
        // The second one leaves: the group stays.
        node.update(0, Self.destination([0]), 0..<0)
        let changes = node.installer.kernelCounters.changes
        node.install()
        #expect(node.installer.kernelCounters.changes == changes + 1)
        #expect(try fixture.output("ip nexthop show").occurrences(of: "type resilient") == 1)
        #expect(!node.installer.fib.hasFailures)
    }

    /// A neighbor is lost while its link stays up: its object leaves a hundred groups by one request, whose notifications are
    /// not taken for changes by another program.
    @Test func aHundredGroupsLoseANeighborByOneRequest() throws {
        let (fixture, node) = try makeNode(cables: 2)
        for number in 0..<100 {
            let hops = number < 50 ? Self.destination([0, 1]) : Self.destination([0], backup: 1)
            node.update(UInt32(number), hops, number..<number + 1)
        }
        node.install()
        for number in 0..<100 { node.update(UInt32(number), Self.destination([1]), 0..<0) }
        let changes = node.installer.kernelCounters.changes
        node.install()
        #expect(node.installer.kernelCounters.changes == changes + 1)
        #expect(try node.kernelRoutes() == node.expected(0..<100, [MachineFixture.hop(1)]))
        #expect(try Self.flows(fixture) == Array(repeating: "dev c1", count: 1000))
        #expect(try node.run { node.installer.counters.foreignNextHopChanges == 0 })
        #expect(node.installer.fib.repairs == 50 && node.installer.counters.foreignRouteDeletions == 0)
    }

    /// Of 1,000 flows to four members, those of a member that goes move, and no other; when it returns, none does.
    @Test func onlyFlowsOfAMemberThatGoesMove() throws {
        let (fixture, node) = try makeNode(cables: 5)
        node.update(0, Self.destination([0, 1, 2, 3], isAnycast: true), 0..<1)
        node.install()
        let first = try Self.flows(fixture)
        #expect((0..<4).allSatisfy { cable in (150...350).contains(first.count { $0 == "dev c\(cable)" }) })
        try fixture.unplug(1)
        #expect(try node.run { try node.kernelRoutes()[MachineFixture.prefix(0)]?.count == 3 })
        let second = try Self.flows(fixture)
        #expect(!second.contains("dev c1"))
        #expect(Self.needlessMoves(first, second, without: 1) == 0)
        try fixture.plug(1)
        #expect(try node.run { node.installer.state(of: MachineFixture.prefix(0)) == .installed })
        #expect(try node.run { try fixture.output("ip link show c1").contains("state UP") })
        node.update(0, Self.destination([0, 1, 2, 3, 4], isAnycast: true), 0..<0)
        node.install()
        #expect(try node.kernelRoutes()[MachineFixture.prefix(0)]?.count == 5)
        #expect(try Self.flows(fixture) == second)
        // Another order, and a member that is replaced.
        node.update(0, Self.destination([4, 3, 2, 0], isAnycast: true), 0..<0)
        node.install()
        let last = try Self.flows(fixture)
        #expect(Self.needlessMoves(second, last, without: 1) == 0)
    }
}
