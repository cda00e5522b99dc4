import Addressing
import OSPFPacket
import Testing

/// Octets composed by hand from the diagrams of RFC 5340 Appendix A, with checksums that another program computed.
@Suite struct KnownAnswerTests {
    static let source = IPv6Address("fe80::1")!
    static let header = PacketHeader(routerID: RouterID("10.0.0.1")!, areaID: .backbone, instanceID: 0)

    /// The octets of one LSA, and its decoded header and body.
    struct Vector: CustomTestStringConvertible {
        var octets: [UInt8]
        var key: LSAKey
        var age: UInt16
        var sequenceNumber: Int32
        var body: LSABody

        init(
            _ octets: String, _ type: LSAType, _ linkStateID: UInt32, _ router: String, age: UInt16 = 0,
            sequenceNumber: Int32 = LSAHeader.initialSequenceNumber + 1, _ body: LSABody
        ) {
            self.octets = [UInt8](hexadecimal: octets)
            key = LSAKey(type: type, linkStateID: linkStateID, advertisingRouter: RouterID(router)!)
            self.age = age
            self.sequenceNumber = sequenceNumber
            self.body = body
        }

        var testDescription: String { "\(key.type)" }
    }

    static let router = Vector(
        """
        0001 2001 00000000 0a000001 80000001 e5ba 0038
        02 000033
        01 00 000a 00000007 00000009 0a000002
        02 00 0001 00000008 00000005 0a000003
        """, .router, 0, "10.0.0.1", age: 1, sequenceNumber: LSAHeader.initialSequenceNumber,
        .router(
            RouterLSA(
                flags: .external, options: [.v6, .e, .r, .dc],
                links: [
                    .init(
                        type: .pointToPoint, metric: 10, interfaceID: 7, neighborInterfaceID: 9,
                        neighborRouterID: RouterID("10.0.0.2")!),
                    .init(
                        type: .transit, metric: 1, interfaceID: 8, neighborInterfaceID: 5,
                        neighborRouterID: RouterID("10.0.0.3")!),
                ])))

    static let intraAreaPrefix = Vector(
        """
        0e10 2009 0000000c 0a000001 800000ff c45f 0044
        0003 2001 00000000 0a000001
        80 02 0000 20010db8 00000000 00000000 00000001
        40 00 0014 20010db8 00000001
        00 00 0001
        """, .intraAreaPrefix, 12, "10.0.0.1", age: 3600, sequenceNumber: -0x7fff_ff01,
        .intraAreaPrefix(
            IntraAreaPrefixLSA(
                referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: RouterID("10.0.0.1")!,
                prefixes: [
                    LSAPrefix(prefix: IPv6Prefix("2001:db8::1/128")!, options: .localAddress),
                    LSAPrefix(prefix: IPv6Prefix("2001:db8:0:1::/64")!, metric: 20),
                    LSAPrefix(prefix: .default, metric: 1),
                ])))

    static let external = Vector(
        """
        0004 4005 00000011 0a000004 80000002 34d2 003c
        07 00001e 28 00 2004 20010db8 a0000000
        20010db8 00000000 00000000 00000099
        0000004d
        0a000005
        """, .asExternal, 17, "10.0.0.4", age: 4,
        .asExternal(
            ASExternalLSA(
                isType2: true, metric: 30, prefix: LSAPrefix(prefix: IPv6Prefix("2001:db8:a000::/40")!),
                forwardingAddress: IPv6Address("2001:db8::99")!, routeTag: 77, referencedType: .interAreaRouter,
                referencedLinkStateID: 0x0a00_0005)))

    static let routerInformation = Vector(
        """
        0000 a00c 00000000 0a000004 80000002 46cc 002c
        0001 0004 40000000
        0007 0003 6e2d34 00
        0063 0001 ff 000000
        """, .routerInformation, 0, "10.0.0.4",
        .routerInformation(
            RouterInformationLSA(values: [
                .informationalCapabilities(1 << 30), .hostname("n-4"), .unknown(type: 99, value: [255]),
            ])))

    static let link = Vector(
        """
        0000 0008 00000007 0a000004 80000002 4521 0038
        01 000013 fe800000 00000000 00000000 00000001 00000001
        3d 00 0000 20010db8 00000008
        """, .link, 7, "10.0.0.4",
        .link(
            LinkLSA(
                priority: 1, options: [.v6, .e, .r], linkLocalAddress: IPv6Address("fe80::1")!,
                prefixes: [LSAPrefix(prefix: IPv6Prefix("2001:db8:0:8::/61")!)])))

    static let ipv4Prefix = Vector(
        """
        0001 bff0 00000000 0a000001 80000001 fdad 0030
        6b6d7634 0003 0000
        18 00 000a 0a010200
        20 02 0000 0a010201
        00 00 0001
        """, .ipv4Prefix, 0, "10.0.0.1", age: 1, sequenceNumber: LSAHeader.initialSequenceNumber,
        .ipv4Prefix(
            IPv4PrefixLSA(prefixes: [
                LSAPrefix(prefix: IPv6Prefix("10.1.2.0/24")!, metric: 10),
                LSAPrefix(prefix: IPv6Prefix("10.1.2.1/32")!, options: .localAddress),
                LSAPrefix(prefix: IPv6Prefix("0.0.0.0/0")!, metric: 1),
            ])))

    @Test(
        arguments: [router, intraAreaPrefix, external, routerInformation, link, ipv4Prefix])
    func lsasAreDecodedAndEncodedOctetByOctet(vector: Vector) throws {
        let lsa = try LSA(octets: vector.octets)
        #expect(lsa.key == vector.key)
        #expect(lsa.age == vector.age)
        #expect(lsa.header.sequenceNumber == vector.sequenceNumber)
        #expect(try lsa.body() == vector.body)
        let made = LSA(key: vector.key, age: vector.age, sequenceNumber: vector.sequenceNumber, body: vector.body)
        #expect(made.octets == vector.octets)
        #expect(made == lsa)
    }

    @Test func aHelloIsDecodedAndEncodedOctetByOctet() throws {
        let octets = [UInt8](
            hexadecimal: """
                03 01 002c 0a000001 00000000 d59d 00 00
                00000007 01 000013 0001 0004 0a000001 00000000 0a000002 0a000003
                """)
        let packet = Packet(
            header: Self.header,
            body: .hello(
                Hello(
                    interfaceID: 7, priority: 1, options: [.v6, .e, .r], helloInterval: 1, deadInterval: 4,
                    designatedRouter: RouterID("10.0.0.1")!, backupDesignatedRouter: .none,
                    neighbors: [RouterID("10.0.0.2")!, RouterID("10.0.0.3")!])))
        let allSPFRouters = IPv6Address("ff02::5")!
        #expect(try Packet.decode(octets, source: Self.source, destination: allSPFRouters) == packet)
        #expect(packet.encode(source: Self.source, destination: allSPFRouters) == octets)
    }

    @Test func anUpdateIsDecodedAndEncodedOctetByOctet() throws {
        let octets =
            [UInt8](hexadecimal: "03 04 0090 0a000001 00000000 87c8 00 00 00000002") + Self.router.octets
            + Self.intraAreaPrefix.octets
        let lsas = [try LSA(octets: Self.router.octets), try LSA(octets: Self.intraAreaPrefix.octets)]
        let packet = Packet(header: Self.header, body: .linkStateUpdate(LinkStateUpdate(lsas: lsas)))
        let neighbor = IPv6Address("fe80::2")!
        #expect(try Packet.decode(octets, source: Self.source, destination: neighbor) == packet)
        #expect(packet.encode(source: Self.source, destination: neighbor) == octets)

        var encoder = UpdateEncoder(header: Self.header, mtu: 1500)
        for lsa in lsas { _ = encoder.append(lsa, age: Int(lsa.age)) }
        let built = encoder.finish(source: Self.source, destination: neighbor)
        #expect(built == octets)
    }
}
