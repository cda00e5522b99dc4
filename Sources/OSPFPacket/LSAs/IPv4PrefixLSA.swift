import Addressing

/// The IPv4 prefixes of a node, in an LSA of our own type that all routers flood and only kubermesh reads. They belong to the
/// router that originates the LSA, like the prefixes of an intra-area-prefix-LSA that refers to a router. The prefixes are
/// encoded as there, with lengths of 0–32, after an identifier and their number:
///
///     0                   1                   2                   3
///     |                     'k' 'm' 'v' '4'                         |
///     |         # prefixes            |              0              |
///     | PrefixLength  | PrefixOptions |            Metric           |
///     |        Address, unless the length is 0                      |   and so on
public struct IPv4PrefixLSA: Hashable, Sendable {
    /// The prefixes with their metrics, each in its IPv4-mapped form.
    public var prefixes: [LSAPrefix]

    /// Makes a body. All prefixes must be IPv4 prefixes.
    public init(prefixes: [LSAPrefix]) { self.prefixes = prefixes }
}

extension IPv4PrefixLSA {
    /// The size of the body before the prefixes, in octets.
    public static let fixedSize = 8
    /// `kmv4` in ASCII: others may use the same experimental function code for something else.
    private static let identifier: UInt32 = 0x6b6d_7634

    /// Whether a body begins with our identifier. A body without the identifier is ``LSABody/unknown(_:)``.
    static func hasIdentifier(_ octets: RawSpan) -> Bool {
        octets.byteCount >= 4 && octets.uint32(at: 0) == identifier
    }

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        prefixes = try LSAPrefix.list(
            decoding: octets, from: Self.fixedSize, count: UInt32(octets.uint16(at: 4)), family: .ipv4)
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(Self.identifier)
        octets.append(UInt16(prefixes.count))
        octets.append(0 as UInt16)
        for prefix in prefixes { prefix.encode(into: &octets, field: prefix.metric, family: .ipv4) }
    }
}
