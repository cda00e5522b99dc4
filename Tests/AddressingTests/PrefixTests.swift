import Addressing
import Testing

@Suite struct PrefixTests {
    @Test(arguments: ["::/0", "2001:db8::/32", "2001:db8::1/128", "fe80::/10", "8000::/1"])
    func prefixesArePrintedAsTheyWereRead(text: String) throws {
        #expect(try #require(IPv6Prefix(text)).description == text)
    }

    @Test(arguments: [
        "", "/", "::", "::/", "/64", "::/129", "::/-1", "::/+1", "::/01", "::/1000", "::/0/0", "::/ 0", "::1/127",
        "2001:db8::1/64", "8000::/0", "1.2.3.0/33", "1.2.3.4/24", "::1.2.3.0/24", "::/0x10",
    ])
    func invalidPrefixesAreRefused(text: String) {
        #expect(IPv6Prefix(text) == nil)
    }

    @Test(arguments: 0...128)
    func aPrefixOfAnAddressClearsTheBitsPastItsLength(length: Int) {
        let prefix = IPv6Prefix(IPv6Address(high: .max, low: .max), length: length)
        #expect(prefix.address == IPv6Address(high: .max, low: .max).masked(to: length))
        #expect(prefix == IPv6Prefix(prefix.address, length: length))
        #expect(IPv6Prefix(prefix.description) == prefix)
        #expect(prefix.contains(prefix.address) && prefix.contains(prefix))
        #expect(IPv6Prefix.default.contains(prefix))
        #expect(prefix.contains(.default) == (length == 0))
    }

    /// An IPv4 prefix is kept in IPv4-mapped form, ::ffff:0:0/96, and printed as IPv4.
    @Test(arguments: ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.1/32"])
    func ipv4PrefixesAreKeptInMappedForm(text: String) throws {
        let prefix = try #require(IPv6Prefix(text))
        let ipv4 = try #require(IPv4Prefix(text))
        #expect(prefix == IPv6Prefix(ipv4) && prefix.ipv4 == ipv4)
        #expect(prefix.length == ipv4.length + 96)
        #expect(prefix.description == text)
        #expect(IPv6Prefix("::ffff:\(ipv4.address)/\(prefix.length)") == prefix)
        #expect(prefix.isDefault == (ipv4.length == 0) && prefix.isHost == (ipv4.length == 32))
    }

    /// ::/0 is the default of IPv6, and contains all IPv4 prefixes.
    @Test func prefixesOutsideTheMappedRangeAreNotIPv4() {
        for text in ["::/0", "::fffe:0:0/95", "::/96", "::ffff:0:0:0/96", "::1/128"] {
            #expect(IPv6Prefix(text)!.ipv4 == nil)
        }
        #expect(IPv6Prefix("::/0")!.isDefault)
        #expect(IPv6Prefix("::/0")!.contains(IPv6Prefix("10.0.0.0/8")!))
        #expect(!IPv6Prefix("::/96")!.isDefault)
    }

    @Test func aPrefixContainsAddressesAndPrefixesThatBeginWithIt() {
        let prefix = IPv6Prefix("2001:db8::/33")!
        #expect(prefix.contains(IPv6Address("2001:db8:7fff::")!))
        #expect(!prefix.contains(IPv6Address("2001:db8:8000::")!))
        #expect(prefix.contains(IPv6Prefix("2001:db8:4000::/34")!))
        #expect(!prefix.contains(IPv6Prefix("2001:db8::/32")!))
        #expect(!prefix.contains(IPv6Prefix("2001:db9::/48")!))
        #expect(IPv6Prefix(host: IPv6Address("::1")!).description == "::1/128")
    }

    @Test func prefixesAreOrderedByAddressThenByLength() {
        let prefixes = ["::/0", "::/1", "::/128", "::1/128", "2001:db8::/32", "2001:db8::/33"].map { IPv6Prefix($0)! }
        #expect(prefixes.reversed().sorted() == prefixes)
    }

    @Test func ipv4PrefixesAreReadAndCompared() throws {
        for length in 0...32 {
            let prefix = IPv4Prefix(IPv4Address(.max), length: length)
            #expect(prefix.address.rawValue == UInt32(truncatingIfNeeded: UInt64.max << UInt64(32 - length)))
            #expect(IPv4Prefix(prefix.description) == prefix)
        }
        let prefix = try #require(IPv4Prefix("10.42.0.0/15"))
        #expect(prefix.contains(IPv4Address("10.43.255.255")!) && !prefix.contains(IPv4Address("10.44.0.0")!))
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0.1/24", "10.0.0.0/", "::/0", "10.0.0.0/024"] {
            #expect(IPv4Prefix(text) == nil, "\(text) must be refused")
        }
    }
}
