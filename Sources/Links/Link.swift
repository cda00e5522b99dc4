public import Addressing

/// A network device (`ip link`) as the kernel reports it.
public struct Link: Hashable, Sendable {
    /// The index in the kernel.
    public var index: UInt32
    /// The name in the kernel.
    public var name: String
    /// Whether it is administratively up.
    public var isUp: Bool
    /// Whether it has carrier: both `IFF_RUNNING` and `IFF_LOWER_UP` are set.
    public var hasCarrier: Bool
    /// Whether it is the loopback interface.
    public var isLoopback: Bool
    /// Whether it can send multicast packets.
    public var isMulticastCapable: Bool
    /// The MTU, in octets.
    public var mtu: Int
    /// The hardware address in use; `nil` if there is none of 48 bits.
    public var macAddress: MACAddress?
    /// The permanent hardware address; `nil` if the driver reports none of 48 bits.
    public var permanentMACAddress: MACAddress?
    /// The kind of a virtual device (`veth`, `bridge`, `vlan`, …); `nil` for others.
    public var kind: String?
    /// The index of the bridge, bond, VRF or the like that it belongs to; `nil` if there is none.
    public var master: UInt32?
    /// Whether it is a device on a bus, such as a network card.
    public var isPhysical: Bool
    /// The kernel's ID of the network namespace of a veth's other end or a VLAN's lower device; `nil` if that is the agent's
    /// namespace, or there is no such device.
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

    /// Whether it can carry packets: it is up and has carrier. Otherwise the kernel removes its next-hop objects.
    public var isUsable: Bool { isUp && hasCarrier }
}
