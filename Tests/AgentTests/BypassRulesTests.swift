import Addressing
import Node
import Testing

@testable import Agent

/// The text that `nft` reads and writes.
@Suite struct BypassRulesTests {
    private static let listing = """
        table inet kubermesh_bypass {
        \tset services6 {
        \t\ttype ipv6_addr
        \t\telements = { 2001:db8::1, 2001:db8::2,
        \t\t\t     2001:db8::3 }
        \t}

        \tset translated6 {
        \t\ttype ipv6_addr . ipv6_addr
        \t\tsize 65536
        \t\tflags dynamic,timeout
        \t\ttimeout 5d
        \t\telements = { 2001:db8::9 . 2001:db8::1 expires 4d23h }
        \t}

        \tchain prerouting {
        \t\ttype filter hook prerouting priority raw; policy accept;
        \t\tip6 daddr @services6 notrack
        \t}
        }
        """

    @Test func elementsAreCountedAndNotPartOfTheStructure() throws {
        let listing = BypassRules.Listing(Self.listing)
        #expect(listing.counts == ["services6": 3])
        #expect(!listing.structure.contains { $0.contains("elements") || $0.contains("2001:db8::3") })
        #expect(listing.structure.contains { $0.contains("notrack") })
        // A connection that a packet adds is no change.
        let later = BypassRules.Listing(
            Self.listing.replacing("2001:db8::9 .", with: "2001:db8::8 . 2001:db8::2 expires 1d, 2001:db8::9 ."))
        #expect(later == listing)
        #expect(BypassRules.Listing(Self.listing.replacing("notrack", with: "accept")) != listing)
        #expect(BypassRules.Listing(Self.listing.replacing(", 2001:db8::2", with: "")) != listing)
    }

    @Test func countsFollowChanges() throws {
        var listing = BypassRules.Listing("")
        let first = IPv6Address("2001:db8::1")!
        let second = IPv6Address("::ffff:10.0.0.1")!
        listing.count(adding: [first, second], removing: [])
        #expect(listing.counts == ["services6": 1, "quoted6": 1, "services4": 1, "quoted4": 1])
        listing.count(adding: [], removing: [first])
        #expect(listing.counts == ["services4": 1, "quoted4": 1])
    }

    /// Names of ports are from the kernel, which allows quotation marks and asterisks.
    @Test func portsWhoseNamesNFTCannotReadAreLeftOut() {
        let contents = ProxyBypass.Contents(ports: ["br0", "a\"b", "c*", "d\\e"])
        let text = BypassRules.replacement(contents)
        #expect(text.contains("elements = { \"br0\" }"))
    }

    @Test func addressesAreWrittenAlsoAsNumbers() {
        let text = BypassRules.change(
            adding: [IPv6Address("2001:db8::1")!, IPv6Address("::ffff:10.0.0.1")!], removing: [])
        #expect(text.contains("quoted6 { 0x20010db8000000000000000000000001 }"))
        #expect(text.contains("quoted4 { 167772161 }"))
    }
}
