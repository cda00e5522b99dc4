/// Link state update (RFC 5340 §A.3.5).
public struct LinkStateUpdate: Hashable, Sendable {
    /// The LSAs with correct lengths and checksums, in order.
    public var lsas: [LSA]
    /// The number of LSAs that the decoder left out because their checksum was wrong (RFC 2328 §13 (1)), or their length
    /// was not a multiple of 4.
    public var damaged: Int
    public init(lsas: [LSA], damaged: Int = 0) {
        self.lsas = lsas
        self.damaged = damaged
    }
}

extension LinkStateUpdate {
    /// The size of the body before the LSAs, in octets: their count.
    static let fixedSize = 4
    /// The size of the body in octets.
    var size: Int { lsas.reduce(Self.fixedSize) { $0 + $1.octets.count } }

    /// The size of the largest LSA, in octets, whose update is not fragmented on a link with an MTU of `mtu` octets. Our own
    /// LSAs fit the smallest MTU of IPv6, 1280.
    public static func maximumLSASize(mtu: Int) -> Int { PacketHeader.bodySize(mtu: mtu) - fixedSize }

    /// The LSAs must fill the body to its last octet. Otherwise their count or a length field is wrong, nobody knows where the
    /// LSAs begin, and all are rejected. An LSA with a wrong checksum or a length that is no multiple of 4 is left out alone.
    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        let count = octets.uint32(at: 0)
        guard count <= (octets.byteCount - Self.fixedSize) / LSAHeader.size else { throw .length }
        self.init(lsas: [])
        lsas.reserveCapacity(Int(count))
        var offset = Self.fixedSize
        for _ in 0..<count {
            guard octets.byteCount - offset >= LSAHeader.size else { throw .truncated }
            let length = Int(octets.uint16(at: offset + LSAHeader.lengthOffset))
            guard length >= LSAHeader.size, length <= octets.byteCount - offset else { throw .length }
            do {
                lsas.append(try LSA(decoding: octets.extracting(offset..<offset + length)))
            } catch {
                damaged += 1
            }
            offset += length
        }
        guard offset == octets.byteCount else { throw .length }
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(UInt32(lsas.count))
        for lsa in lsas { octets.append(contentsOf: lsa.octets) }
    }
}
