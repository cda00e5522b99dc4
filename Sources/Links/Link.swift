public import Addressing

/// A network interface as the kernel describes it.
public struct Link: Hashable, Sendable {
    /// The kernel's index.
    public var index: UInt32
    /// The kernel's name.
    public var name: String
    /// Whether it is administratively up.
    public var isUp: Bool
    /// Whether something that can carry packets is at the other end.
    public var hasCarrier: Bool
    /// Whether it is the loopback interface.
    public var isLoopback: Bool
    /// Whether it can send to groups.
    public var isMulticastCapable: Bool
    /// The largest packet it takes.
    public var mtu: Int
    /// The hardware address in use, where there is a 48-bit one.
    public var macAddress: MACAddress?
    /// The permanent hardware address, if the driver reports it.
    public var permanentMACAddress: MACAddress?
    /// The kind of a virtual interface (`veth`, `bridge`, `vlan`); `nil` for others.
    public var kind: String?
    /// The bridge or bond it belongs to.
    public var master: UInt32?
    /// Whether it is a device on a bus, such as a network card.
    public var isPhysical: Bool
    /// The kernel's number of the namespace in which its other end or lower device lives, if that is not this one.
    public var linkNamespaceID: Int32?

    public init(
        index: UInt32, name: String, isUp: Bool = true, hasCarrier: Bool = true, isLoopback: Bool = false,
        isMulticastCapable: Bool = true, mtu: Int = 1500, macAddress: MACAddress? = nil,
        permanentMACAddress: MACAddress? = nil, kind: String? = nil, master: UInt32? = nil, isPhysical: Bool = false,
        linkNamespaceID: Int32? = nil
    ) {
        self.index = index
        self.name = name
        self.isUp = isUp
        self.hasCarrier = hasCarrier
        self.isLoopback = isLoopback
        self.isMulticastCapable = isMulticastCapable
        self.mtu = mtu
        self.macAddress = macAddress
        self.permanentMACAddress = permanentMACAddress
        self.kind = kind
        self.master = master
        self.isPhysical = isPhysical
        self.linkNamespaceID = linkNamespaceID
    }

    /// Whether packets go through: up, and with carrier. The kernel holds next-hop objects of such links only.
    public var isUsable: Bool { isUp && hasCarrier }
}
