public import Addressing

/// A route in the kernel that the agent did not add, other than a default route.
public struct ForeignRoute: Hashable, Sendable {
    /// The destination; an IPv4 prefix is in its mapped form.
    public var prefix: IPv6Prefix
    /// The indexes of its outgoing interfaces; empty if it forwards no packets, or if the kernel does not report those of its
    /// next-hop object.
    public var interfaces: [UInt32]
    /// The gateway, the first if there are several; `nil` if there is none, or if the kernel does not report it.
    public var gateway: IPv6Address?
    /// The number of the program that added it (RTPROT_*, as in `ip route … proto`).
    public var protocolNumber: UInt8
    /// Whether the kernel added it for the subnet of an address of this machine.
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
