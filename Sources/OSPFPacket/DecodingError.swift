/// Why the octets of a packet or LSA could not be decoded. In the metrics, `decoding_` and the raw value are the reason why a
/// packet was rejected.
public enum DecodingError: String, Error, Hashable, Sendable, CaseIterable {
    /// Fewer octets than the fields need, or than the packet's length field says.
    case truncated
    /// The version is not 3.
    case version
    /// The packet type is none of the five.
    case type
    /// A length field, a count field or the number of octets is not possible for the type of packet or LSA, or they disagree.
    case length
    /// The checksum of the packet, which includes the addresses, is wrong.
    case checksum
    /// The Fletcher checksum of an LSA is wrong. Never the error of a packet: updates are decoded without such LSAs.
    case lsaChecksum
    /// A prefix is longer than 128 bits (32 for IPv4), or has too few octets.
    case prefix
    /// A field has a value that the RFC does not define: the type of a link in a router-LSA.
    case value
}
