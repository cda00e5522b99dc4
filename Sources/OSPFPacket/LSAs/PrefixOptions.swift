/// The options of one prefix inside an LSA (RFC 5340 §A.4.1.1).
public struct PrefixOptions: OptionSet, Hashable, Sendable {
    /// The eight bits.
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// NU-bit: the prefix is left out of unicast routes.
    public static let noUnicast = PrefixOptions(rawValue: 1 << 0)
    /// The prefix is an address of the advertising router itself.
    public static let localAddress = PrefixOptions(rawValue: 1 << 1)
    /// NSSA prefixes: to be propagated.
    public static let propagate = PrefixOptions(rawValue: 1 << 3)
    /// The prefix came down from a higher area (DN-bit, RFC 4577).
    public static let down = PrefixOptions(rawValue: 1 << 4)
    /// The prefix identifies a node (N-bit, RFC 8362).
    public static let node = PrefixOptions(rawValue: 1 << 5)
}
