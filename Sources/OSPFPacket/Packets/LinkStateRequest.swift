/// Link state request (RFC 5340 §A.3.4).
public struct LinkStateRequest: Hashable, Sendable {
    /// The requested LSAs.
    public var keys: [LSAKey]
    public init(keys: [LSAKey]) { self.keys = keys }
}

extension LinkStateRequest {
    /// The size of a key in the packet, in octets: two that are not used, and the ten of the key itself.
    static let keySize = 12
    /// The size of the body in octets.
    var size: Int { Self.keySize * keys.count }

    /// The number of keys that fit into a request on a link with an MTU of `mtu` octets; at least 1.
    public static func capacity(mtu: Int) -> Int { max(1, PacketHeader.bodySize(mtu: mtu) / keySize) }

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount % Self.keySize == 0 else { throw .length }
        keys = []
        keys.reserveCapacity(octets.byteCount / Self.keySize)
        for offset in stride(from: 0, to: octets.byteCount, by: Self.keySize) {
            keys.append(LSAKey(decoding: octets, at: offset + 2))
        }
    }

    func encode(into octets: inout [UInt8]) {
        for key in keys {
            octets.append(0 as UInt16)
            key.encode(into: &octets)
        }
    }
}
