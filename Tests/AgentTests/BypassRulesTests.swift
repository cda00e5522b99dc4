import Addressing
import Glibc
import Lab
import Node
import TestSupport
import Testing

@testable import Agent

/// The commands for `nft`, with the real program and the kernel, in a namespace of their own.
@Suite(.serialized, .needsRoot) struct BypassRulesTests {
    private static let ipv6 = IPv6Address("2001:db8::1")!
    private static let ipv4 = IPv6Address("::ffff:10.0.0.1")!

    private func withNamespace(
        _ body: (_ nft: (_ arguments: [String], _ input: String) throws -> String) throws -> Void
    ) throws {
        let name = "mesh-nft-\(getpid())"
        try Command(["ip", "netns", "add", name]).run()
        defer { _ = try? Command(["ip", "netns", "delete", name]).run() }
        try body { try Command(["nft"] + $0, in: name, input: $1).run() }
    }

    private static let contents: [ProxyBypass.Contents] = [
        .init(), .init(addresses: [ipv6]), .init(addresses: [ipv4], ports: [1], uplinks: [1]),
        .init(addresses: [ipv6, ipv4], ports: [1], uplinks: [1, 77]),
    ]

    /// In whatever order: also from a table with one family only, or none, to another.
    @Test func everyTableCanBecomeEveryOther() throws {
        try withNamespace { nft in
            for first in Self.contents {
                for second in Self.contents {
                    _ = try nft(["-f", "-"], BypassRules.replacement(first))
                    _ = try nft(["-f", "-"], BypassRules.update(second, keepsAddresses: true))
                    let kept = try list(nft)
                    _ = try nft(["-f", "-"], BypassRules.update(second, keepsAddresses: false))
                    let updated = try list(nft)
                    _ = try nft(["-f", "-"], BypassRules.replacement(second))
                    #expect(try list(nft) == updated)
                    for (address, text) in [(Self.ipv6, "2001:db8::1"), (Self.ipv4, "10.0.0.1")] {
                        #expect(updated.contains(text) == second.addresses.contains(address))
                        #expect(kept.contains(text) == second.addresses.union(first.addresses).contains(address))
                    }
                }
            }
        }
    }

    private func list(_ nft: (_ arguments: [String], _ input: String) throws -> String) throws -> String {
        try nft(["list", "table", "inet", BypassRules.table], "")
    }

    @Test func portsAndAddressesAreFilledAgain() throws {
        try withNamespace { nft in
            let contents = ProxyBypass.Contents(addresses: [Self.ipv6, Self.ipv4], ports: [1], uplinks: [1, 77])
            _ = try nft(["-f", "-"], BypassRules.replacement(.init(ports: [1], uplinks: [1, 77])))
            _ = try nft(["-f", "-"], BypassRules.change(adding: [Self.ipv6, Self.ipv4], removing: []))
            let full = try list(nft)
            #expect(full.contains("2001:db8::1") && full.contains("10.0.0.1") && full.contains("77"))
            _ = try nft(["-f", "-"], BypassRules.change(adding: [], removing: [Self.ipv6]))
            for set in ["ports", "uplinks"] {
                _ = try nft(["flush", "set", "inet", BypassRules.table, set], "")
                _ = try nft(["add", "element", "inet", BypassRules.table, set, "{ 78 }"], "")
            }
            for keepsAddresses in [true, false] {
                _ = try nft(["-f", "-"], BypassRules.refill(contents, keepsAddresses: keepsAddresses))
                #expect(try list(nft) == full)
            }
            let ports = ProxyBypass.Contents(ports: [1], uplinks: [1, 77])
            _ = try nft(["-f", "-"], BypassRules.refill(ports, keepsAddresses: true))
            #expect(try list(nft) == full)
            _ = try nft(["-f", "-"], BypassRules.refill(ports, keepsAddresses: false))
            #expect(try !list(nft).contains("2001:db8::1"))
        }
    }

    /// An update keeps the connections that the table remembers.
    @Test func anUpdateKeepsConnections() throws {
        try withNamespace { nft in
            _ = try nft(["-f", "-"], BypassRules.replacement(Self.contents[1]))
            let connection = "{ tcp . 2001:db8::9 . 1024 . 2001:db8::1 . 80 timeout 1h }"
            _ = try nft(["add", "element", "inet", BypassRules.table, "translated6", connection], "")
            _ = try nft(["-f", "-"], BypassRules.update(Self.contents[3], keepsAddresses: false))
            #expect(try list(nft).contains("2001:db8::9"))
        }
    }
}
