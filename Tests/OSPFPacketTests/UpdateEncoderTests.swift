import Addressing
import OSPFPacket
import Testing

@Suite struct UpdateEncoderTests {
    static let source = IPv6Address("fe80::1")!
    static let destination = IPv6Address("ff02::5")!
    static let header = PacketHeader(routerID: RouterID(9), areaID: .backbone, instanceID: 3)

    /// 65,575 is the MTU of the largest IPv6 packet (65,535 octets after the header of 40); a larger MTU must not make packets
    /// larger.
    @Test(arguments: [1280, 1500, 9000, 65_575, 100_000])
    func packetsFitTheMTUAndContainEveryLSA(mtu: Int) throws {
        var samples = Samples(seed: UInt64(mtu))
        let lsas = (0..<400).map { _ in samples.lsa() }
        var encoder = UpdateEncoder(header: Self.header, mtu: mtu)
        var packets: [[UInt8]] = []
        for lsa in lsas where !encoder.append(lsa, age: 5) {
            packets.append(encoder.finish(source: Self.source, destination: Self.destination))
            #expect(encoder.isEmpty)
            let appended = encoder.append(lsa, age: 5)
            #expect(appended)
        }
        packets.append(encoder.finish(source: Self.source, destination: Self.destination))
        var received: [LSA] = []
        for octets in packets {
            #expect(octets.count <= mtu - 120)
            let packet = try Packet.decode(octets, source: Self.source, destination: Self.destination)
            #expect(packet.header == Self.header)
            received += try #require(packet.update).lsas
        }
        #expect(
            received
                == lsas.map { lsa in
                    var lsa = lsa
                    lsa.age = 5
                    return lsa
                })
    }

    @Test(arguments: [(0, 0), (3599, 3599), (3600, 3600), (3601, 3600), (70_000, 3600), (-1, 0)])
    func agesAreLimitedToMaxAge(age: Int, expected: UInt16) throws {
        var samples = Samples(seed: 1)
        let lsa = samples.lsa(.router)
        var encoder = UpdateEncoder(header: Self.header, mtu: 1500)
        let appended = encoder.append(lsa, age: age)
        #expect(appended)
        let octets = encoder.finish(source: Self.source, destination: Self.destination)
        let packet = try Packet.decode(octets, source: Self.source, destination: Self.destination)
        #expect(packet.update?.lsas.map(\.age) == [expected])
    }

    /// An LSA that is larger than the MTU is in a packet of its own. The packet has 16 octets of header, 4 for the number of
    /// LSAs, and the LSA of 20 + 20,000.
    @Test func anLSALargerThanTheMTUIsSentInAPacketOfItsOwn() throws {
        let key = LSAKey(type: LSAType(rawValue: 0xa0ff), linkStateID: 0, advertisingRouter: RouterID(1))
        let small = LSA(key: key, sequenceNumber: 1, body: .unknown([]))
        let large = LSA(key: key, sequenceNumber: 1, body: .unknown([UInt8](repeating: 1, count: 20_000)))
        var encoder = UpdateEncoder(header: Self.header, mtu: 1280)
        var appended = [encoder.append(small, age: 0), encoder.append(large, age: 0)]
        #expect(appended == [true, false])
        _ = encoder.finish(source: Self.source, destination: Self.destination)
        appended = [encoder.append(large, age: 0), encoder.append(small, age: 0)]
        #expect(appended == [true, false])
        let octets = encoder.finish(source: Self.source, destination: Self.destination)
        #expect(octets.count == 20_040)
    }

    /// `capacity(mtu:)` is the number of entries that fit the MTU, less 40 octets for the IPv6 header; one more does not. 1220
    /// is 1280 − 40 − 16 − 4. A capacity is at least 1.
    @Test func theCapacityIsTheNumberOfEntriesThatFitTheMTU() {
        for mtu in [1280, 1500, 9000] {
            func size(_ body: Packet.Body) -> Int {
                Packet(header: Self.header, body: body).encode(source: Self.source, destination: Self.destination).count
            }
            var samples = Samples(seed: 1)
            let headers = (0..<1000).map { _ in samples.header() }
            let keys = (0..<1000).map { _ in samples.key() }
            let acknowledgments = LinkStateAcknowledgment.capacity(mtu: mtu)
            let requests = LinkStateRequest.capacity(mtu: mtu)
            let descriptions = DatabaseDescription.capacity(mtu: mtu)
            // The IPv6 header, and room for the largest authentication trailer.
            for extra in 0...1 {
                let fits = extra == 0
                func description(_ headers: [LSAHeader]) -> Packet.Body {
                    .databaseDescription(
                        DatabaseDescription(
                            options: [], interfaceMTU: 0, flags: [], sequenceNumber: 0, headers: headers))
                }
                func acknowledgment(_ headers: [LSAHeader]) -> Packet.Body {
                    .linkStateAcknowledgment(LinkStateAcknowledgment(headers: headers))
                }
                #expect((size(acknowledgment(Array(headers[..<(acknowledgments + extra)]))) <= mtu - 120) == fits)
                #expect((size(description(Array(headers[..<(descriptions + extra)]))) <= mtu - 120) == fits)
                #expect(
                    (size(.linkStateRequest(LinkStateRequest(keys: Array(keys[..<(requests + extra)])))) <= mtu - 120)
                        == fits)
            }
        }
        #expect(LinkStateUpdate.maximumLSASize(mtu: 1280) == 1140)
        #expect(LinkStateRequest.capacity(mtu: 0) == 1)
    }

    /// A prefix takes 4 octets and its address in whole 32-bit words (RFC 5340 §A.4.1).
    @Test func thePrefixSizeIsThatOfItsEncoding() {
        for length in 0...128 {
            let prefix = LSAPrefix(prefix: IPv6Prefix(IPv6Address(high: .max, low: .max), length: length))
            let body = IntraAreaPrefixLSA(
                referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: RouterID(1),
                prefixes: [prefix])
            let key = LSAKey(type: .intraAreaPrefix, linkStateID: 0, advertisingRouter: RouterID(1))
            let lsa = LSA(key: key, sequenceNumber: 1, body: .intraAreaPrefix(body))
            #expect(lsa.octets.count == LSAHeader.size + IntraAreaPrefixLSA.fixedSize + prefix.size)
            #expect(prefix.size == 4 + Int((Double(length) / 32).rounded(.up)) * 4)
        }
    }
}
