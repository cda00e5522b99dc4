import Addressing
import Testing

@Suite struct IPv6AddressTests {
    @Test(arguments: [
        ("2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"),
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:DB8::AbCd", "2001:db8::abcd"),
        // §4.2.2: a single group of zeros is not shortened. §4.2.3: the longest run of zeros is, of equal ones the first.
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("1:0:0:0:0:0:0:0", "1::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("fe80::0001", "fe80::1"),
        // IPv4-mapped addresses are printed as IPv4 addresses; others are never dotted.
        ("::ffff:c000:201", "192.0.2.1"),
        ("::ffff:0:0", "0.0.0.0"),
        ("::192.0.2.1", "::c000:201"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
    func theTextIsTheCanonicalOneOfRFC5952(input: String, canonical: String) throws {
        let address = try #require(IPv6Address(input))
        #expect(address.description == canonical)
        #expect(IPv6Address(canonical) == address)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8", "1::2::3", "1:::2", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:", "::1:", "12345::", "g::",
        "+1::", "-1::", " ::1", "::1 ", "::1\n", "[::1]", "fe80::1%eth0", "::1/128", "::1.2.3", "::1.2.3.4.5",
        "::256.0.0.1", "::01.2.3.4", "1.2.3.4::", "1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4", "::１",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", String(repeating: ":", count: 10_000),
    ])
    func invalidAddressesAreRefused(input: String) {
        #expect(IPv6Address(input) == nil)
    }

    @Test func everyAddressIsReadBackFromItsTextAndOctets() {
        // Every combination of groups that are zero and groups that are not.
        for pattern in 0..<256 {
            let octets: [UInt8] = (0..<8).flatMap { pattern >> $0 & 1 == 1 ? [0xab, UInt8($0)] : [0, 0] }
            guard let address = IPv6Address(octets: octets) else {
                Issue.record("16 octets are not accepted as an address")
                continue
            }
            #expect(address.octets == octets)
            #expect(IPv6Address(address.description) == address)
        }
        let groups = IPv6Address(1, 2, 3, 4, 5, 6, 7, 0xffff)
        #expect(groups.description == "1:2:3:4:5:6:7:ffff")
        #expect(IPv6Address(octets: [UInt8](repeating: 0, count: 15)) == nil)
        #expect(IPv6Address(octets: [UInt8](repeating: 0, count: 17)) == nil)
    }

    @Test(arguments: 0...128)
    func maskingKeepsOnlyTheFirstBits(length: Int) {
        let address = IPv6Address(high: .max, low: .max).masked(to: length)
        for bit in 0..<128 {
            let isSet = address[octet: bit / 8] & 0x80 >> UInt8(bit % 8) != 0
            #expect(isSet == (bit < length))
        }
    }

    /// fe80::/10 is link-local, ff00::/8 multicast.
    @Test func linkLocalAndMulticastAddressesAreRecognizedByTheirFirstBits() {
        #expect(IPv6Address("fe80::1")!.isLinkLocal && IPv6Address("febf::1")!.isLinkLocal)
        #expect(!IPv6Address("fec0::1")!.isLinkLocal && !IPv6Address("fe7f::1")!.isLinkLocal)
        #expect(IPv6Address("ff02::5")!.isMulticast && !IPv6Address("fe80::1")!.isMulticast)
        #expect(IPv6Address.unspecified.isUnspecified && !IPv6Address.loopback.isUnspecified)
        #expect(IPv6Address.loopback.description == "::1")
    }

    @Test func addressesAreOrderedByTheirOctets() {
        let texts = ["::", "::1", "::1:0:0:0:0", "1::", "7fff::", "8000::", "fe80::", "ff02::5", "ffff::"]
        let addresses = texts.map { IPv6Address($0)! }
        #expect(addresses.reversed().sorted() == addresses)
    }
}
