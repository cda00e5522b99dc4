import Addressing

/// The checksum of packets: the Internet's, over the packet and the IPv6 pseudo-header (RFC 5340 §A.3.1,
/// RFC 8200 §8.1).
enum InternetChecksum {
    /// The offset of the two checksum octets in a packet.
    static let offset = 12
    /// OSPF's number among the protocols above IP.
    private static let protocolNumber: UInt64 = 89

    /// Whether the checksum in a whole packet is right.
    static func isValid(_ packet: RawSpan, source: IPv6Address, destination: IPv6Address) -> Bool {
        compute(packet, source: source, destination: destination) == 0
    }

    /// The checksum of a packet in whose checksum field there are zeros; 0 for a packet whose checksum is right.
    static func compute(_ packet: RawSpan, source: IPv6Address, destination: IPv6Address) -> UInt16 {
        // One's complement sums may be calculated in any width and folded at the end. 64 bits have room for far more
        // words of 32 bits than a packet has.
        var sum = protocolNumber &+ UInt64(packet.byteCount)
        for half in [source.high, source.low, destination.high, destination.low] {
            sum &+= half >> 32 &+ half & 0xffff_ffff
        }
        var offset = 0
        while offset &+ 8 <= packet.byteCount {
            let word = packet.uint64(at: offset)
            sum &+= word >> 32 &+ word & 0xffff_ffff
            offset &+= 8
        }
        var shift: UInt64 = 24
        while offset < packet.byteCount {
            sum &+= UInt64(packet.uint8(at: offset)) &<< shift
            shift = shift == 0 ? 24 : shift &- 8
            offset &+= 1
        }
        while sum >> 16 != 0 { sum = sum >> 16 &+ sum & 0xffff }
        return ~UInt16(sum)
    }
}
