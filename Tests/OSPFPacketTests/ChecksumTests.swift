import Addressing
import Testing

@testable import OSPFPacket

@Suite struct ChecksumTests {
    /// The checksum of an LSA, as written in RFC 905 Annex B: over everything but the age, octet by octet.
    static func fletcher(_ lsa: [UInt8]) -> UInt16 {
        var (c0, c1) = (0, 0)
        for octet in lsa.dropFirst(2) {
            c0 = (c0 + Int(octet)) % 255
            c1 = (c1 + c0) % 255
        }
        let (length, position) = (lsa.count - 2, 15)
        func positive(_ value: Int) -> Int { (value % 255 + 255) % 255 }
        let x = positive((length - position) * c0 - c1)
        let y = positive(-(length - position + 1) * c0 + c1)
        return UInt16(x == 0 ? 255 : x) << 8 | UInt16(y == 0 ? 255 : y)
    }

    /// The checksum of a packet, as written in RFC 1071, over the IPv6 pseudo-header (RFC 8200 §8.1) and the packet.
    static func internet(_ packet: [UInt8], source: IPv6Address, destination: IPv6Address) -> UInt16 {
        let length = packet.count
        let pseudoHeader =
            source.octets + destination.octets
            + [UInt8(length >> 24 & 255), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]
            + [0, 0, 0, 89]
        let all = pseudoHeader + packet + (length % 2 == 0 ? [] : [0])
        var sum = stride(from: 0, to: all.count, by: 2).reduce(0) { $0 + Int(all[$1]) << 8 + Int(all[$1 + 1]) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return UInt16(~sum & 0xffff)
    }

    func isValid(_ lsa: [UInt8]) -> Bool { FletcherChecksum.isValid(lsa.span.bytes) }

    func isValid(_ packet: [UInt8], source: IPv6Address, destination: IPv6Address) -> Bool {
        InternetChecksum.isValid(packet.span.bytes, source: source, destination: destination)
    }

    /// Small sizes with every remainder of the blocks that are added at once, two of whole packets, and the largest.
    static let sizes = Array(20...60) + [1219, 1220, 65_533, 65_535]

    @Test(arguments: sizes)
    func theFletcherChecksumAgreesWithRFC905(size: Int) {
        var samples = Samples(seed: UInt64(size))
        for octets in [
            samples.octets(size...size), [UInt8](repeating: 255, count: size), [UInt8](repeating: 0, count: size),
        ] {
            var lsa = octets
            lsa.replace(at: 16, with: 0 as UInt16)
            let checksum = FletcherChecksum.compute(lsa.span.bytes)
            #expect(checksum == Self.fletcher(lsa))
            lsa.replace(at: 16, with: checksum)
            #expect(isValid(lsa))
            lsa[0] ^= 1
            #expect(isValid(lsa), "the age is not part of the checksum")
            lsa[size - 1] ^= 1
            #expect(!isValid(lsa))
        }
    }

    @Test(arguments: sizes)
    func theInternetChecksumAgreesWithRFC1071(size: Int) {
        var samples = Samples(seed: UInt64(size))
        let (source, destination) = (samples.address(), samples.address())
        for octets in [
            samples.octets(size...size), [UInt8](repeating: 255, count: size), [UInt8](repeating: 0, count: size),
        ] {
            var packet = octets
            packet.replace(at: 12, with: 0 as UInt16)
            let checksum = InternetChecksum.compute(packet.span.bytes, source: source, destination: destination)
            #expect(checksum == Self.internet(packet, source: source, destination: destination))
            packet.replace(at: 12, with: checksum)
            #expect(isValid(packet, source: source, destination: destination))
            packet[size - 1] ^= 1
            #expect(!isValid(packet, source: source, destination: destination))
        }
    }
}
