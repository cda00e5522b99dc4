/// Link state acknowledgment (RFC 5340 §A.3.6).
public struct LinkStateAcknowledgment: Hashable, Sendable {
    /// The headers of the instances acknowledged.
    public var headers: [LSAHeader]
    public init(headers: [LSAHeader]) { self.headers = headers }
}

extension LinkStateAcknowledgment {
    /// The size of the body in octets.
    var size: Int { LSAHeader.size * headers.count }

    /// The number of LSA headers that fit into an acknowledgment on a link with an MTU of `mtu` octets; at least 1.
    public static func capacity(mtu: Int) -> Int { max(1, PacketHeader.bodySize(mtu: mtu) / LSAHeader.size) }

    init(decoding octets: RawSpan) throws(DecodingError) { headers = try LSAHeader.list(decoding: octets) }

    func encode(into octets: inout [UInt8]) {
        for header in headers { header.encode(into: &octets) }
    }
}
