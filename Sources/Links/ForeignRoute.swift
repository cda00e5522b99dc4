public import Addressing

/// A route in the kernel that is not ours and covers some addresses only.
public struct ForeignRoute: Hashable, Sendable {
    /// Its destination; IPv4's in its mapped form.
    public var prefix: IPv6Prefix
    /// The interfaces it leads to; none if it only refuses.
    public var interfaces: [UInt32]
    /// The first gateway; `nil` if every destination is on the link.
    public var gateway: IPv6Address?
    /// Who made it (RTPROT_*, as in `ip route … proto`).
    public var protocolNumber: UInt8
    /// Whether the kernel made it for the subnet of an address of this machine.
    public var isConnected: Bool

    public init(
        prefix: IPv6Prefix, interfaces: [UInt32], gateway: IPv6Address? = nil, protocolNumber: UInt8, isConnected: Bool
    ) {
        self.prefix = prefix
        self.interfaces = interfaces
        self.gateway = gateway
        self.protocolNumber = protocolNumber
        self.isConnected = isConnected
    }
}
