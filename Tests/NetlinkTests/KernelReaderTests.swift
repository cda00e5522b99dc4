import Addressing
import Glibc
import Links
import Linux
import Netlink
import TestSupport
import Testing
import Timing

@Suite(.serialized, .needsRoot) struct KernelReaderTests {
    static func prefix(_ text: String) -> IPv6Prefix { IPv6Prefix(text)! }

    @Test func foreignRoutesThatOverlapAreFound() throws {
        let fixture = try MachineFixture()
        try fixture.ip("addr add 192.168.1.10/24 dev c0")
        try fixture.ip("route add default via 192.168.1.1")
        try fixture.ip("route add 10.1.0.0/16 via 192.168.1.1 proto static")
        try fixture.ip("route add 10.2.3.4 via 192.168.1.1 proto static")
        try fixture.ip("route add unreachable 10.3.0.0/24 proto static")
        try fixture.ip("route add 10.4.0.0/24 via 192.168.1.1 table 7100")
        try fixture.ip("route add 10.4.0.0/24 via 192.168.1.1 table 99")
        try fixture.ip("route add 10.5.0.0/24 via 192.168.1.1 proto 71")
        try fixture.ip("addr add 2001:db8:9::1/64 dev c1")
        let reader = try fixture.machine.run { try KernelReader(configuration: KernelFIBConfiguration(table: 7100)) }
        func found(_ text: String) throws -> [ForeignRoute] { try reader.foreignRoutes(overlapping: Self.prefix(text)) }

        let connected = try found("192.168.1.0/30")
        #expect(
            connected == [
                ForeignRoute(
                    prefix: Self.prefix("192.168.1.0/24"), interfaces: [MachineFixture.interface(0)], protocolNumber: 2,
                    isConnected: true)
            ])
        // Prefixes inside, around and beside 10.1.0.0/16.
        let route = ForeignRoute(
            prefix: Self.prefix("10.1.0.0/16"), interfaces: [MachineFixture.interface(0)],
            gateway: IPv6Address(IPv4Address("192.168.1.1")!), protocolNumber: 4, isConnected: false)
        #expect(try found("10.1.2.0/24") == [route])
        #expect(try found("10.0.0.0/15") == [route])
        #expect(try found("10.6.0.0/16").isEmpty)
        #expect(try found("10.2.0.0/16").map(\.prefix) == [Self.prefix("10.2.3.4/32")])
        #expect(try found("10.3.0.1/32").map(\.interfaces) == [[]])
        // Routes in table 99, and our own (protocol 71), are not found.
        #expect(try found("10.4.0.0/24").count == 1)
        #expect(try found("10.5.0.0/24").isEmpty)
        #expect(try found("2001:db8::/32").map(\.prefix).contains(Self.prefix("2001:db8:9::/64")))
        #expect(try found("2001:db8:8::/64").isEmpty)
        #expect(try reader.foreignRoutes(overlapping: Self.prefix("10.0.0.0/8"), limit: 2).count == 2)
    }

    @Test func addressesOfOtherMachinesAreFoundInTheNeighborTable() throws {
        let fixture = try MachineFixture()
        try fixture.ip("addr add 10.70.0.1/24 dev c0")
        try fixture.ip("addr add 2001:db8:70::1/64 dev c0 nodad")
        try fixture.peerNamespace.run {
            _ = try MachineFixture.run("ip addr add 10.70.0.2/24 dev p0")
            _ = try MachineFixture.run("ip addr add 2001:db8:70::2/64 dev p0 nodad")
            _ = try MachineFixture.run("ip link set p0 address 02:00:00:00:00:02")
        }
        let reader = try fixture.machine.run { try KernelReader() }
        let candidates = [
            "10.70.0.1", "10.70.0.2", "10.70.0.3", "10.70.0.4", "2001:db8:70::1", "2001:db8:70::2", "2001:db8:70::3",
        ].compactMap { IPv6Address($0) ?? IPv4Address($0).map { IPv6Address($0) } }
        let addresses = Set(candidates)
        #expect(addresses.count == 7)
        #expect(try reader.neighbors(among: addresses).isEmpty)
        // The two addresses of the other machine answer. Nobody has 10.70.0.3: neither the failed entry nor that for proxy ARP
        // counts. 10.70.0.4 is entered by hand.
        _ = try fixture.output("ping -c1 -W1 10.70.0.2; ping -c1 -W1 2001:db8:70::2; ping -c1 -W1 10.70.0.3 || true")
        try fixture.ip("neigh add 10.70.0.4 lladdr 02:00:00:00:00:04 dev c1 nud permanent")
        try fixture.ip("neigh add proxy 10.70.0.3 dev c0")
        let found = try reader.neighbors(among: addresses)
        let others =
            ["10.70.0.2", "10.70.0.4"].map { IPv6Address(IPv4Address($0)!) } + [IPv6Address("2001:db8:70::2")!]
        #expect(Set(found.keys) == Set(others))
        #expect(
            found[others[0]]
                == KnownNeighbor(
                    address: others[0], interface: MachineFixture.interface(0),
                    macAddress: MACAddress("02:00:00:00:00:02")))
        #expect(found[others[1]]?.interface == MachineFixture.interface(1))
        #expect(try reader.neighbors(among: []).isEmpty)
        // After a probe, the entry of a machine that answers is no longer stale, and that of one that is gone is removed.
        try fixture.ip("neigh replace 10.70.0.2 lladdr 02:00:00:00:00:02 dev c0 nud stale")
        try fixture.ip("neigh replace 10.70.0.5 lladdr 02:00:00:00:00:05 dev c0 nud stale")
        let missing = IPv6Address(IPv4Address("10.70.0.5")!)
        let stale = try reader.neighbors(among: [others[0], missing])
        #expect(stale.count == 2 && stale.values.allSatisfy(\.isStale))
        for neighbor in stale.values { try fixture.machine.run { try reader.probe(neighbor) } }
        let deadline = ContinuousClock.now + .seconds(15)
        while try reader.neighbors(among: [missing]) != [:], ContinuousClock.now < deadline { usleep(50_000) }
        let remaining = try reader.neighbors(among: [others[0], missing])
        #expect(remaining.keys.sorted() == [others[0]] && remaining[others[0]]?.isStale == false)
        try reader.probe(KnownNeighbor(address: IPv6Address("2001:db8:70::77")!, interface: 9999))
        // Only requested addresses are returned.
        #expect(try reader.neighbors(among: [others[0]]).count == 1)
    }
}
