import Addressing
import OSPFPacket
import Testing

/// Damaged input is decoded or refused, and never stops the program.
@Suite struct DamageTests {
    static let address = IPv6Address.unspecified

    /// Decodes a packet without checking its checksum. It may be refused for any reason; a decoded packet must encode to octets
    /// that decode to the same, and the bodies of its LSAs must decode if they are valid.
    static func expectDecodedOrRefused(_ octets: [UInt8], _ location: SourceLocation = #_sourceLocation) {
        func decode(_ octets: [UInt8]) -> Packet? {
            try? Packet.decode(octets, source: address, destination: address, verifyChecksum: false)
        }
        guard let packet = decode(octets) else { return }
        for lsa in packet.update?.lsas ?? [] where (try? lsa.validateBody()) != nil {
            #expect(throws: Never.self, sourceLocation: location) { try lsa.body() }
        }
        // The encodings are compared, because the packet also counts damaged LSAs, which are not encoded.
        let encoded = packet.encode(source: address, destination: address)
        #expect(decode(encoded)?.encode(source: address, destination: address) == encoded, sourceLocation: location)
    }

    /// Sets the packet length in the OSPF header.
    static func setLength(_ length: Int, of octets: inout [UInt8]) {
        octets[2] = UInt8(length >> 8)
        octets[3] = UInt8(length & 255)
    }

    /// Of all captured packets, the first of each type and size.
    static let distinct: [[UInt8]] = {
        var seen: Set<[Int]> = []
        return CaptureTests.datagrams.map(\.octets).filter { seen.insert([Int($0[1]), $0.count]).inserted }
    }()

    @Test func everyTruncationOfEveryPacketIsRefused() {
        for octets in Self.distinct {
            for count in 0..<octets.count {
                let truncated = Array(octets[..<count])
                #expect(throws: DecodingError.truncated) {
                    try Packet.decode(truncated, source: Self.address, destination: Self.address, verifyChecksum: false)
                }
            }
        }
    }

    /// Truncated packets whose header has their new length. An update is always refused, because its LSAs do not fit it any
    /// more.
    @Test func everyTruncationWithAMatchingLengthIsDecodedOrRefused() {
        for octets in Self.distinct {
            for count in 16..<octets.count {
                var truncated = Array(octets[..<count])
                Self.setLength(count, of: &truncated)
                Self.expectDecodedOrRefused(truncated)
                if truncated[1] == PacketType.linkStateUpdate.rawValue {
                    #expect(throws: DecodingError.self) {
                        try Packet.decode(
                            truncated, source: Self.address, destination: Self.address, verifyChecksum: false)
                    }
                }
            }
        }
    }

    @Test(arguments: 0..<8)
    func packetsWithFlippedBitsAreDecodedOrRefused(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for original in Self.distinct {
            for _ in 0..<60 {
                var octets = original
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    octets[Int.random(in: 0..<octets.count, using: &generator)] ^=
                        1 << UInt8.random(in: 0..<8, using: &generator)
                }
                Self.expectDecodedOrRefused(octets)
            }
        }
    }

    /// Bodies that lose octets, gain octets, or have wrong ones.
    @Test(arguments: Samples.types)
    func damagedBodiesAreDecodedOrRefused(type: LSAType) throws {
        var samples = Samples(seed: UInt64(type.rawValue) + 1)
        for _ in 0..<300 {
            let lsa = samples.lsa(type)
            var body = Array(lsa.bodyOctets)
            switch Int.random(in: 0..<3, using: &samples.generator) {
            case 0: body.removeLast(min(body.count, 4 * Int.random(in: 1...3, using: &samples.generator)))
            case 1: body += samples.octets(1...2).flatMap { [$0, 0, 0, 0] }
            default:
                for _ in 0..<3 where !body.isEmpty {
                    body[Int.random(in: 0..<body.count, using: &samples.generator)] = samples.number()
                }
            }
            // With a correct checksum, so that only the body can be refused.
            let damaged = LSA(key: lsa.key, sequenceNumber: 1, body: .unknown(body))
            #expect(damaged.isIntact)
            guard let decoded = try? damaged.body() else { continue }
            // The body that was decoded encodes to octets that decode to the same body.
            #expect(try LSA(key: lsa.key, sequenceNumber: 1, body: decoded).body() == decoded)
        }
    }

    /// Random octets. If they are enough for a header (16), they have the right version, a valid type and the right length.
    @Test func randomOctetsAreDecodedOrRefused() {
        var samples = Samples(seed: 1)
        for count in 0..<2000 {
            var octets = samples.octets(0...200)
            if octets.count >= 16 {
                octets[0] = 3
                octets[1] = UInt8(1 + count % 5)
                Self.setLength(octets.count, of: &octets)
            }
            Self.expectDecodedOrRefused(octets)
        }
    }
}
