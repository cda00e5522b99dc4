/// The 24-bit Options of hellos, database descriptions and some LSAs (RFC 5340 §A.2).
public struct OSPFOptions: OptionSet, Hashable, Sendable {
    /// The low 24 bits.
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue & 0xff_ffff }

    /// The router may be used for IPv6 forwarding.
    public static let v6 = OSPFOptions(rawValue: 1 << 0)
    /// AS-external-LSAs are flooded here: not a stub area.
    public static let e = OSPFOptions(rawValue: 1 << 1)
    /// Not-so-stubby area.
    public static let n = OSPFOptions(rawValue: 1 << 3)
    /// The originator is an active router. If clear, nothing is routed through it (stub router).
    public static let r = OSPFOptions(rawValue: 1 << 4)
    /// Demand circuits.
    public static let dc = OSPFOptions(rawValue: 1 << 5)
    /// Address families (RFC 5838 §2.2).
    public static let af = OSPFOptions(rawValue: 1 << 8)
    /// Link-local signaling block follows (RFC 5613).
    public static let l = OSPFOptions(rawValue: 1 << 9)
    /// Authentication trailer follows (RFC 7166 §2.1).
    public static let at = OSPFOptions(rawValue: 1 << 10)
}
