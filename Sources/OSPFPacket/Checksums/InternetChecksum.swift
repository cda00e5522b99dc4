import Addressing

/// The checksum of packets: the Internet checksum over the packet and the IPv6 pseudo-header of addresses, length and protocol
/// number (RFC 5340 §A.3.1, RFC 8200 §8.1).
enum InternetChecksum {
    /// The offset of the two checksum octets in a packet.
    static let offset = 12
    /// The IP protocol number of OSPF.
    private static let protocolNumber: UInt64 = 89

    /// Whether the checksum in a whole packet is correct.
    static func isValid(_ packet: RawSpan, source: IPv6Address, destination: IPv6Address) -> Bool {
        compute(packet, source: source, destination: destination) == 0
    }

    /// The checksum of a packet whose checksum field is zero; 0 for a packet with a correct checksum.
    static func compute(_ packet: RawSpan, source: IPv6Address, destination: IPv6Address) -> UInt16 {
        // One's complement sums may be calculated in any width and folded at the end. 64 bits have room for far more
        // 32-bit words than a packet has.
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
        // Up to seven octets are left. `shift` moves the next one to its place in a 32-bit word.
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
