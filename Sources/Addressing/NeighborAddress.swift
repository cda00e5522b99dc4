/// What identifies a neighbor on a link: our interface, and its link-local address there.
public struct NeighborAddress: Hashable, Sendable, Comparable {
    /// The index of our interface.
    public var interface: UInt32
    public var address: IPv6Address

    public init(interface: UInt32, address: IPv6Address) {
        self.interface = interface
        self.address = address
    }

    /// By interface, then by address.
    public static func < (left: NeighborAddress, right: NeighborAddress) -> Bool {
        (left.interface, left.address) < (right.interface, right.address)
    }
}
