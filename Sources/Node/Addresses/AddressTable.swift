internal import Addressing
public import Links

/// The addresses of a machine, by interface.
public struct AddressTable: Sendable {
    /// By the interface's index, then by address.
    private var interfaces: [UInt32: [IPv6Address: InterfaceAddress]] = [:]

    public init() {}

    /// Adds an address, or changes its state.
    public mutating func set(_ address: InterfaceAddress) {
        interfaces[address.interface, default: [:]][address.address] = address
    }

    /// Removes an address.
    public mutating func remove(_ address: InterfaceAddress) {
        interfaces[address.interface]?[address.address] = nil
    }

    /// The addresses on one interface, in any order.
    public func on(_ interface: UInt32) -> some Collection<InterfaceAddress> {
        (interfaces[interface] ?? [:]).values
    }

    /// All addresses, in any order.
    public var all: some Sequence<InterfaceAddress> { interfaces.values.lazy.flatMap(\.values) }
}
