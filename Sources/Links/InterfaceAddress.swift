public import Addressing

/// An address on an interface.
public struct InterfaceAddress: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The address; an IPv4 address is in its mapped form.
    public var address: IPv6Address
    /// The prefix length, 0–128. That of an IPv4 address is 96 more than in IPv4 notation.
    public var prefixLength: Int
    /// Whether duplicate address detection has not finished, so that the address cannot be used yet. An optimistic address
    /// (RFC 4429) is not tentative here, because it can be used.
    public var isTentative: Bool
    /// Whether duplicate address detection found the address on another machine, so that it will never be usable.
    public var isDuplicate: Bool
    /// The number of the program or the part of the kernel that added the address (`IFA_PROTO`); 0 if it gave none, and always
    /// before Linux 5.18.
    public var origin: UInt8

    public init(
        interface: UInt32, address: IPv6Address, prefixLength: Int, isTentative: Bool = false,
        isDuplicate: Bool = false, origin: UInt8 = 0
    ) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.isTentative = isTentative
        self.isDuplicate = isDuplicate
        self.origin = origin
    }

    /// Whether packets can be sent from the address.
    public var isUsable: Bool { !isTentative && !isDuplicate }
}
