/// Why the octets of a packet or LSA could not be decoded. The raw value is the label of the case in the metrics.
public enum DecodingError: String, Error, Hashable, Sendable, CaseIterable {
    /// Fewer octets than the fixed fields need, or than the packet's length field says.
    case truncated
    /// The version is not 3.
    case version
    /// The packet type is none of the five.
    case type
    /// A length field disagrees with the number of octets, or with what its type allows.
    case length
    /// The checksum over packet and addresses is wrong.
    case checksum
    /// The Fletcher checksum of an LSA is wrong.
    case lsaChecksum
    /// A prefix longer than 128 bits, or with too few octets after it.
    case prefix
    /// A field has a value that the RFC does not define: the type of a link in a router-LSA.
    case value
}
