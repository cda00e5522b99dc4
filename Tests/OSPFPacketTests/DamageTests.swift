import Addressing
import OSPFPacket
import Testing

/// Input that is wrong is refused for the reason it deserves, and never stops the program.
@Suite struct DamageTests {
    static let nobody = IPv6Address.unspecified

    /// Decodes without looking at the checksum, and looks into every LSA. It may be refused for whatever reason; what is
    /// decoded must read back as itself.
    static func swallow(_ octets: [UInt8], _ location: SourceLocation = #_sourceLocation) {
        func decode(_ octets: [UInt8]) -> Packet? {
            try? Packet.decode(octets, source: nobody, destination: nobody, verifyChecksum: false)
        }
        guard let packet = decode(octets) else { return }
        for lsa in packet.update?.lsas ?? [] where (try? lsa.validateBody()) != nil {
            #expect(throws: Never.self, sourceLocation: location) { try lsa.body() }
        }
        // Not the packet itself, which also counts the LSAs that were left out.
        let encoded = packet.encode(source: nobody, destination: nobody)
        #expect(decode(encoded)?.encode(source: nobody, destination: nobody) == encoded, sourceLocation: location)
    }

    static func setLength(_ length: Int, of octets: inout [UInt8]) {
        octets[2] = UInt8(length >> 8)
        octets[3] = UInt8(length & 255)
    }

    /// One packet of every size and type that the captures have.
    static let distinct: [[UInt8]] = {
        var seen: Set<[Int]> = []
        return CaptureTests.datagrams.map(\.octets).filter { seen.insert([Int($0[1]), $0.count]).inserted }
    }()

    @Test func everyTruncationOfEveryPacketIsRefused() {
        for octets in Self.distinct {
            for count in 0..<octets.count {
                let start = Array(octets[..<count])
                #expect(throws: DecodingError.truncated) {
                    try Packet.decode(start, source: Self.nobody, destination: Self.nobody, verifyChecksum: false)
                }
            }
        }
    }

    @Test func everyTruncationWithALengthThatAgreesIsDecodedOrRefused() {
        for octets in Self.distinct {
            for count in 16..<octets.count {
                var start = Array(octets[..<count])
                Self.setLength(count, of: &start)
                Self.swallow(start)
                if start[1] == PacketType.linkStateUpdate.rawValue {
                    #expect(throws: DecodingError.self) {
                        try Packet.decode(start, source: Self.nobody, destination: Self.nobody, verifyChecksum: false)
                    }
                }
            }
        }
    }

    @Test(arguments: 0..<8)
    func flippedBitsAreDecodedOrRefused(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for original in Self.distinct {
            for _ in 0..<60 {
                var octets = original
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    octets[Int.random(in: 0..<octets.count, using: &generator)] ^=
                        1 << UInt8.random(in: 0..<8, using: &generator)
                }
                Self.swallow(octets)
            }
        }
    }

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
            // As the sender would have made it, so that the checksum does not give it away.
            let damaged = LSA(key: lsa.key, sequenceNumber: 1, body: .unknown(body))
            #expect(damaged.isIntact)
            guard let decoded = try? damaged.body() else { continue }
            // What it was taken for can be written and is then read as the same again.
            #expect(try LSA(key: lsa.key, sequenceNumber: 1, body: decoded).body() == decoded)
        }
    }

    @Test func noiseIsDecodedOrRefused() {
        var samples = Samples(seed: 1)
        for count in 0..<2000 {
            var octets = samples.octets(0...200)
            if octets.count >= 16 {
                octets[0] = 3
                octets[1] = UInt8(1 + count % 5)
                Self.setLength(octets.count, of: &octets)
            }
            Self.swallow(octets)
        }
    }
}
