/// Why a packet or LSA was rejected. Each case is a counter's label.
public enum DecodingError: String, Error, Hashable, Sendable, CaseIterable {
    /// Fewer octets than the fixed fields need.
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
    /// A field holds a value that its type does not allow.
    case value
}
