import Addressing
import OSPFPacket
import Testing

/// Each reason to refuse a packet or an LSA, and what is accepted although it is unusual.
@Suite struct RefusalTests {
    static let source = IPv6Address("fe80::1")!
    static let destination = IPv6Address("fe80::2")!
    static let hello = hello(options: [.v6, .e, .r])

    static func hello(options: OSPFOptions) -> Packet {
        Packet(
            header: PacketHeader(routerID: RouterID(1), areaID: .backbone, instanceID: 0),
            body: .hello(
                Hello(
                    interfaceID: 1, priority: 1, options: options, helloInterval: 1, deadInterval: 4,
                    designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [])))
    }

    static let key = LSAKey(type: .router, linkStateID: 0, advertisingRouter: RouterID(1))

    func decode(_ octets: [UInt8], verifyChecksum: Bool = false) throws -> Packet {
        try Packet.decode(octets, source: Self.source, destination: Self.destination, verifyChecksum: verifyChecksum)
    }

    /// The hello with some octets replaced.
    func altered(_ changes: [Int: UInt8]) -> [UInt8] {
        var octets = Self.hello.encode(source: Self.source, destination: Self.destination)
        for (offset, value) in changes { octets[offset] = value }
        return octets
    }

    /// Octet 0 is the version, 1 the type, 2 and 3 the length, 12 and 13 the checksum (RFC 5340 §A.3.1).
    @Test func aWrongHeaderIsRefused() {
        #expect(throws: DecodingError.version) { try decode(altered([0: 2])) }
        #expect(throws: DecodingError.type) { try decode(altered([1: 0])) }
        #expect(throws: DecodingError.type) { try decode(altered([1: 6])) }
        #expect(throws: DecodingError.length) { try decode(altered([3: 15])) }
        #expect(throws: DecodingError.truncated) { try decode(altered([3: 40])) }
        #expect(throws: DecodingError.truncated) { try decode(altered([2: 255])) }
        #expect(throws: DecodingError.checksum) { try decode(altered([12: 0, 13: 0]), verifyChecksum: true) }
        #expect(throws: DecodingError.truncated) { try decode([]) }
    }

    /// Octets after the packet are accepted only if the options announce them: a block for link-local signaling (L-bit, RFC
    /// 5613) or an authentication trailer (AT-bit, RFC 7166).
    @Test func octetsAfterThePacketAreRefusedUnlessAnOptionAnnouncesThem() throws {
        let octets = altered([:]) + [0, 0, 0, 0]
        #expect(throws: DecodingError.length) { try decode(octets) }
        for option in [OSPFOptions.l, .at] {
            let packet = Self.hello(options: option)
            let octets = packet.encode(source: Self.source, destination: Self.destination)
            #expect(try decode(octets + [1, 2, 3, 4], verifyChecksum: true) == packet)
        }
    }

    /// The body is `kmv4`, the number of prefixes, 16 zero bits and the prefixes (docs/protocol.md). With another identifier it
    /// is not ours, and stays unknown.
    @Test func ipv4PrefixesThatAreTooLongOrTooManyAreRefused() throws {
        func body(_ octets: [UInt8]) throws -> LSABody {
            let key = LSAKey(type: .ipv4Prefix, linkStateID: 0, advertisingRouter: RouterID(1))
            return try LSA(key: key, sequenceNumber: 1, body: .unknown(octets)).body()
        }
        let identifier: [UInt8] = [0x6b, 0x6d, 0x76, 0x34]
        #expect(throws: DecodingError.truncated) { try body(identifier) }
        #expect(throws: DecodingError.prefix) { try body(identifier + [0, 1, 0, 0, 33, 0, 0, 0, 10, 0, 0, 0]) }
        #expect(throws: DecodingError.prefix) { try body(identifier + [0, 1, 0, 0, 32, 0, 0, 0]) }
        #expect(throws: DecodingError.length) { try body(identifier + [0, 2, 0, 0, 0, 0, 0, 0]) }
        #expect(throws: DecodingError.length) { try body(identifier + [0, 0, 0, 0, 0, 0, 0, 0]) }
        #expect(try body([1, 2, 3, 4, 0, 9, 0, 0]) == .unknown([1, 2, 3, 4, 0, 9, 0, 0]))
    }

    /// Octet 12 of the second LSA is in its sequence number, so its checksum is wrong.
    @Test func aDamagedLSAIsSkippedAndTheOthersAreKept() throws {
        var samples = Samples(seed: 3)
        let lsas = (0..<5).map { _ in samples.lsa(.network) }
        let update = Packet(header: Self.hello.header, body: .linkStateUpdate(LinkStateUpdate(lsas: lsas)))
        var octets = update.encode(source: Self.source, destination: Self.destination)
        let second = 20 + lsas[0].octets.count
        octets[second + 12] ^= 0x40
        let decoded = try #require(try decode(octets).update)
        #expect(decoded.damaged == 1)
        #expect(decoded.lsas == [lsas[0]] + lsas[2...])
    }

    /// Octets 16 to 19 are the number of LSAs, here 3; octets 18 and 19 of each LSA its length.
    @Test func anUpdateWithAWrongNumberOrLengthOfLSAsIsRefused() throws {
        var samples = Samples(seed: 4)
        let lsas = (0..<3).map { _ in samples.lsa(.router) }
        let update = Packet(header: Self.hello.header, body: .linkStateUpdate(LinkStateUpdate(lsas: lsas)))
        let octets = update.encode(source: Self.source, destination: Self.destination)
        func alter(_ offset: Int, _ value: UInt8) -> [UInt8] {
            var octets = octets
            octets[offset] = value
            return octets
        }
        #expect(throws: DecodingError.length) { try decode(alter(19, 2)) }
        #expect(throws: DecodingError.self) { try decode(alter(19, 4)) }
        #expect(throws: DecodingError.length) { try decode(alter(16, 255)) }
        #expect(throws: DecodingError.length) { try decode(alter(20 + 18, 255)) }
        var short = alter(20 + 18, 0)
        short[20 + 19] = 19
        #expect(throws: DecodingError.length) { try decode(short) }
    }

    /// Fewer octets than a header (20); fewer, then more than the length field says; a wrong checksum; a length that is no
    /// multiple of 4.
    @Test func anLSAWithAWrongLengthOrChecksumIsRefused() throws {
        let lsa = LSA(key: Self.key, sequenceNumber: 1, body: .router(RouterLSA(options: [], links: [])))
        #expect(throws: DecodingError.truncated) { try LSA(octets: Array(lsa.octets[..<19])) }
        #expect(throws: DecodingError.length) { try LSA(octets: Array(lsa.octets[..<20])) }
        #expect(throws: DecodingError.length) { try LSA(octets: lsa.octets + [0]) }
        var octets = lsa.octets
        octets[10] ^= 1
        #expect(throws: DecodingError.lsaChecksum) { try LSA(octets: octets) }
        let of21Octets = [UInt8](repeating: 0, count: 18) + [0, 21, 0]
        #expect(throws: DecodingError.length) { try LSA(octets: of21Octets) }
    }

    /// MaxAge is 3600 s. 0x8000 is the DoNotAge bit (RFC 1793), which is not supported.
    @Test(arguments: [3600, 3601, 0x8000, 0x8005, 0xffff])
    func agesAboveMaxAgeCountAsMaxAge(age: UInt16) throws {
        let lsa = LSA(key: Self.key, sequenceNumber: 1, body: .router(RouterLSA(options: [], links: [])))
        var octets = lsa.octets
        octets[0] = UInt8(age >> 8)
        octets[1] = UInt8(age & 255)
        let decoded = try LSA(octets: octets)
        #expect(decoded.age == 3600 && decoded.header.age == 3600)
        #expect(decoded.octets[0] == 0x0e && decoded.octets[1] == 0x10)

        var acknowledgment = Packet(
            header: Self.hello.header, body: .linkStateAcknowledgment(LinkStateAcknowledgment(headers: [lsa.header]))
        ).encode(source: Self.source, destination: Self.destination)
        acknowledgment[16] = UInt8(age >> 8)
        acknowledgment[17] = UInt8(age & 255)
        #expect(try decode(acknowledgment).acknowledgment?.headers.map(\.age) == [3600])
    }

    /// A header alone takes 20 octets.
    @Test func aHeaderWithALengthBelowItsOwnSizeIsRefused() throws {
        let header = LSAHeader(age: 0, key: Self.key, sequenceNumber: 1, checksum: 1, length: 19)
        for body: Packet.Body in [
            .linkStateAcknowledgment(LinkStateAcknowledgment(headers: [header])),
            .databaseDescription(
                DatabaseDescription(options: [], interfaceMTU: 1500, flags: [], sequenceNumber: 1, headers: [header])),
        ] {
            let octets = Packet(header: Self.hello.header, body: body)
                .encode(source: Self.source, destination: Self.destination)
            #expect(throws: DecodingError.length) { try decode(octets) }
        }
    }

    /// Decodes the body of an LSA of this type, with a correct checksum, from hexadecimal octets.
    func body(_ type: LSAType, _ octets: String) throws -> LSABody {
        let key = LSAKey(type: type, linkStateID: 0, advertisingRouter: RouterID(1))
        return try LSA(key: key, sequenceNumber: 1, body: .unknown([UInt8](hexadecimal: octets))).body()
    }

    /// In this order: a router-LSA without its fixed part, with a link of the undefined type 3, and with half a link. An
    /// intra-area-prefix-LSA with a prefix length of 129, a /128 of only 4 octets, octets after its prefixes, and more prefixes
    /// than octets. A link-LSA with more prefixes than octets. An AS-external-LSA whose F-bit announces a forwarding address
    /// that is missing, and one with superfluous octets, like the inter-area-router-LSA after it. A Router Information LSA
    /// whose TLV is longer than the LSA.
    @Test func aWrongBodyIsRefused() {
        // The fixed part of an intra-area-prefix-LSA, which begins with the number of prefixes.
        let fixed = "0000 2001 00000000 00000001"
        #expect(throws: DecodingError.truncated) { try body(.router, "") }
        #expect(throws: DecodingError.value) { try body(.router, "00000000 03000001 00000001 00000001 00000001") }
        #expect(throws: DecodingError.length) { try body(.router, "00000000 01000001 00000001") }
        #expect(throws: DecodingError.prefix) {
            try body(.intraAreaPrefix, fixed.replacing(/^0000/, with: "0001") + "81000000 00000000")
        }
        #expect(throws: DecodingError.prefix) {
            try body(.intraAreaPrefix, fixed.replacing(/^0000/, with: "0001") + "80000000 00000000")
        }
        #expect(throws: DecodingError.length) { try body(.intraAreaPrefix, fixed + "00000000") }
        #expect(throws: DecodingError.length) {
            try body(.intraAreaPrefix, fixed.replacing(/^0000/, with: "ffff") + "00000000")
        }
        #expect(throws: DecodingError.length) {
            try body(.link, "00000000 fe800000 00000000 00000000 00000001 ffffffff")
        }
        #expect(throws: DecodingError.truncated) { try body(.asExternal, "02000001 00000000") }
        #expect(throws: DecodingError.length) { try body(.asExternal, "00000001 00000000 00000000") }
        #expect(throws: DecodingError.length) { try body(.interAreaRouter, "00000000 00000000 00000001 00000000") }
        #expect(throws: DecodingError.length) { try body(.routerInformation, "0007ffff 61000000") }
    }

    /// An address with bits set after the prefix length is accepted; the decoded prefix does not have them.
    @Test func addressBitsPastThePrefixLengthAreIgnored() throws {
        let octets = "0001 2001 00000000 00000001 21000000 20010db8 ffffffff"
        let decoded = IntraAreaPrefixLSA(
            referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: RouterID(1),
            prefixes: [LSAPrefix(prefix: IPv6Prefix("2001:db8:8000::/33")!)])
        #expect(try body(.intraAreaPrefix, octets) == .intraAreaPrefix(decoded))
    }

    /// The upper octet of an LS type has the U-bit and the scope: 0x80 link-local, 0xa0 area, 0xc0 AS, 0xe0 reserved (RFC 5340
    /// §A.4.2.1). A Router Information LSA has the U-bit set (RFC 7770 §2.2).
    @Test func aTypeOfReservedScopeIsNotARouterInformationLSA() {
        #expect(LSAType.routerInformation.isKnown)
        #expect(LSAType(rawValue: 0x800c).isRouterInformation && LSAType(rawValue: 0xc00c).isRouterInformation)
        #expect(!LSAType(rawValue: 0xe00c).isKnown && !LSAType(rawValue: 0x200c).isKnown)
        #expect(LSAType(rawValue: 0xe00c).scope == .reserved && LSAType.asExternal.scope == .autonomousSystem)
        #expect(!LSAType(rawValue: 0x2123).isFloodedWhenUnknown && LSAType(rawValue: 0xa123).isFloodedWhenUnknown)
    }
}
