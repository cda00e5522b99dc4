/// The 24-bit Options of hellos, database descriptions and some LSAs (RFC 5340 §A.2).
public struct OSPFOptions: OptionSet, Hashable, Sendable {
    /// The options in the low 24 bits. Bits without a name below are kept and have no effect.
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue & 0xff_ffff }

    /// V6-bit: the router takes part in IPv6 routing. If clear, it is left out of IPv6 routes.
    public static let v6 = OSPFOptions(rawValue: 1 << 0)
    /// E-bit: AS-external-LSAs are flooded in the area, which is no stub area.
    public static let e = OSPFOptions(rawValue: 1 << 1)
    /// N-bit: the area is an NSSA.
    public static let n = OSPFOptions(rawValue: 1 << 3)
    /// R-bit: the originator forwards packets. If clear, it is a stub router: nothing is routed through it, except to external
    /// prefixes that it announces.
    public static let r = OSPFOptions(rawValue: 1 << 4)
    /// DC-bit: the router supports demand circuits (RFC 1793).
    public static let dc = OSPFOptions(rawValue: 1 << 5)
    /// AF-bit: the router supports address families (RFC 5838 §2.2).
    public static let af = OSPFOptions(rawValue: 1 << 8)
    /// L-bit: a block of link-local signaling follows the packet (RFC 5613).
    public static let l = OSPFOptions(rawValue: 1 << 9)
    /// AT-bit: an authentication trailer follows the packet (RFC 7166 §2.1).
    public static let at = OSPFOptions(rawValue: 1 << 10)
}
