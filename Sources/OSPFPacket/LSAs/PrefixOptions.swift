/// The options of one prefix inside an LSA (RFC 5340 §A.4.1.1).
public struct PrefixOptions: OptionSet, Hashable, Sendable {
    /// The octet in the LSA. Bits without a name below are kept and have no effect.
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// NU-bit: the prefix is left out of unicast routes.
    public static let noUnicast = PrefixOptions(rawValue: 1 << 0)
    /// LA-bit: the prefix is an address of the advertising router itself.
    public static let localAddress = PrefixOptions(rawValue: 1 << 1)
    /// P-bit: the translating border router of the NSSA should readvertise the prefix.
    public static let propagate = PrefixOptions(rawValue: 1 << 3)
    /// DN-bit: the prefix came from the provider of a VPN, and must not be announced back to it (RFC 4576).
    public static let down = PrefixOptions(rawValue: 1 << 4)
    /// N-bit: the prefix identifies a node (RFC 8362).
    public static let node = PrefixOptions(rawValue: 1 << 5)
}
