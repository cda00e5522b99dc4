import Addressing
import OSPFPacket
import Testing

/// Packets that FRR and BIRD sent to each other, captured by `Captures/capture.sh`.
@Suite struct CaptureTests {
    static let datagrams = CaptureFile.all.flatMap(\.datagrams)

    @Test func everyPacketDecodesAndEncodesToTheSameOctets() throws {
        var types: [PacketType: Int] = [:]
        for datagram in Self.datagrams {
            let packet = try Packet.decode(datagram.octets, source: datagram.source, destination: datagram.destination)
            #expect(packet.encode(source: datagram.source, destination: datagram.destination) == datagram.octets)
            types[packet.body.type, default: 0] += 1
        }
        for type in PacketType.allCases {
            #expect(types[type, default: 0] > 4, "fewer than 5 packets of type \(type) in the captures")
        }
    }

    @Test func everyLSADecodesAndEncodesToTheSameOctets() throws {
        var types: Set<LSAType> = []
        for datagram in Self.datagrams {
            let packet = try Packet.decode(datagram.octets, source: datagram.source, destination: datagram.destination)
            guard let update = packet.update else { continue }
            #expect(update.damaged == 0 && !update.lsas.isEmpty)
            for lsa in update.lsas {
                let body = try lsa.body()
                let made = LSA(key: lsa.key, age: lsa.age, sequenceNumber: lsa.header.sequenceNumber, body: body)
                #expect(made == lsa)
                types.insert(lsa.key.type)
            }
        }
        #expect(
            types == [
                .router, .network, .interAreaPrefix, .interAreaRouter, .asExternal, .nssa, .link, .intraAreaPrefix,
            ])
    }

    /// The checksum includes the destination address.
    @Test func aPacketWithAnotherDestinationHasAWrongChecksum() throws {
        let datagram = try #require(Self.datagrams.first)
        var other = datagram.destination
        other.low ^= 1
        #expect(throws: DecodingError.checksum) {
            try Packet.decode(datagram.octets, source: datagram.source, destination: other)
        }
    }
}
