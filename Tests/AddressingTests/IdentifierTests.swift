import Addressing
import Testing

/// IPv4 addresses, router and area IDs, hardware addresses.
@Suite struct IdentifierTests {
    @Test(arguments: ["0.0.0.0", "10.0.0.1", "192.0.2.255", "255.255.255.255"])
    func dottedDecimalIsPrintedAsItWasRead(text: String) throws {
        #expect(try #require(IPv4Address(text)).description == text)
        #expect(try #require(RouterID(text)).description == text)
        #expect(try #require(AreaID(text)).description == text)
    }

    @Test(arguments: [
        "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.0", "01.2.3.4", "1.2.3.4 ",
        "+1.2.3.4",
        "-1.2.3.4", "1.2.3.0x4", "0000.0.0.0", "１.2.3.4",
    ])
    func invalidDottedDecimalIsRefused(text: String) {
        #expect(IPv4Address(text) == nil)
        #expect(RouterID(text) == nil)
    }

    /// An area ID may be written in dotted decimal or as a 32-bit number.
    @Test func anAreaIDMayBeAPlainNumber() {
        #expect(AreaID("0") == .backbone)
        #expect(AreaID("256")?.description == "0.0.1.0")
        #expect(AreaID("4294967295") == AreaID(rawValue: .max))
        for text in ["", "4294967296", "-1", "+1", "1.2", "0x1", "a"] {
            #expect(AreaID(text) == nil, "\(text) must be refused")
        }
    }

    @Test func dottedDecimalIsReadInNetworkByteOrder() {
        #expect(IPv4Address("10.0.0.1")!.rawValue == 0x0a00_0001)
        #expect(RouterID("10.0.0.1")! < RouterID("128.0.0.0")!)
        #expect(RouterID.none.description == "0.0.0.0")
    }

    @Test func hardwareAddressesAreReadAndInvalidOnesRefused() throws {
        let address = try #require(MACAddress("00:1B:21:0a:0f:ff"))
        #expect(address.description == "00:1b:21:0a:0f:ff")
        #expect(address.rawValue == 0x001b_210a_0fff)
        #expect(MACAddress(octets: [0, 0x1b, 0x21, 0x0a, 0x0f, 0xff]) == address)
        #expect(address.isUsable && !address.isLocallyAdministered)
        #expect(MACAddress("02:00:00:00:00:01")!.isLocallyAdministered)
        #expect(!MACAddress("01:00:5e:00:00:01")!.isUsable && !MACAddress("00:00:00:00:00:00")!.isUsable)
        for text in [
            "", "00:1b:21:0a:0f", "00:1b:21:0a:0f:ff:00", "0:1b:21:a:f:ff", "00-1b-21-0a-0f-ff", "001b210a0fff",
            "+0:1b:21:0a:0f:ff", "-0:1b:21:0a:0f:ff", "00:1b:21:0a:0f:fg", "00:1b:21:0a:0f:",
        ] { #expect(MACAddress(text) == nil, "\(text) must be refused") }
        #expect(MACAddress(octets: [1, 2, 3, 4, 5]) == nil)
    }
}
