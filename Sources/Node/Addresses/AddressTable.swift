public import Addressing
public import Links

/// The addresses of a machine, by interface.
public struct AddressTable: Sendable {
    private struct Key: Hashable {
        var interface: UInt32
        var address: IPv6Address
    }

    private var table: [Key: InterfaceAddress] = [:]

    /// Makes an empty table.
    public init() {}

    /// Adds an address, or changes its state.
    public mutating func set(_ address: InterfaceAddress) {
        table[Key(interface: address.interface, address: address.address)] = address
    }

    /// Removes an address.
    public mutating func remove(_ address: InterfaceAddress) {
        table[Key(interface: address.interface, address: address.address)] = nil
    }

    /// An address on an interface.
    public func address(_ address: IPv6Address, on interface: UInt32) -> InterfaceAddress? {
        table[Key(interface: interface, address: address)]
    }

    /// All of them, in no order that means anything.
    public var all: some Collection<InterfaceAddress> { table.values }
}
