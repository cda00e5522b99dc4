import Linux
import Netlink
import TestSupport
import Testing

/// Tables of nftables, as netlink shows them.
@Suite(.serialized, .needsRoot) struct NetfilterTablesTests {
    private static let rule = "nft add rule inet t c counter name n"

    private func withTable(_ body: (MachineFixture, NetfilterTables) throws -> Void) throws {
        let fixture = try MachineFixture(cables: 0)
        let tables = try fixture.machine.run { try NetfilterTables() }
        for command in [
            "nft add table inet t", "nft add counter inet t n", "nft add set inet t s '{ type ipv6_addr; }'",
            "nft add chain inet t c '{ type filter hook output priority 0; }'", Self.rule,
        ] { _ = try fixture.output(command) }
        try body(fixture, tables)
    }

    /// Elements of sets and other tables do not count, but every change of a rule or a chain, also if the same rule is made again.
    @Test func theStructureShowsChangesOfChainsAndRules() throws {
        try withTable { fixture, tables in
            func structure() throws -> [UInt8] { try tables.structure(of: "t", chains: ["c"]) }
            let first = try structure()
            #expect(!first.isEmpty)
            for command in [
                "nft add element inet t s '{ 2001:db8::1 }'", "nft add table inet other", "ping -6 -c 1 ::1",
            ] { _ = try fixture.output(command) }
            #expect(try structure() == first)
            var seen = [first]
            for command in [
                Self.rule, "nft add chain inet t c '{ policy drop; }'", "nft flush chain inet t c", Self.rule,
                "nft delete table inet t",
            ] {
                _ = try fixture.output(command)
                let now = try structure()
                #expect(!seen.contains(now), "\(command)")
                seen.append(now)
            }
            #expect(seen.last == [])
        }
    }

    @Test func packetsAreCounted() throws {
        try withTable { fixture, tables in
            #expect(try tables.packets(of: "n", in: "t") == 0)
            _ = try fixture.output("ping -6 -c 1 ::1")
            #expect(try #require(try tables.packets(of: "n", in: "t")) > 0)
            #expect(try tables.packets(of: "other", in: "t") == nil)
            #expect(try tables.packets(of: "n", in: "other") == nil)
        }
    }
}
