internal import Addressing

/// The addresses of the cluster's machines, and the one that its API is reached by. Its work is that of what changes.
struct MachineAddresses {
    private var nodes: [String: [IPv6Address]] = [:]
    /// How many have each address: two Nodes may say the same one.
    private var uses: [IPv6Address: Int] = [:]
    private var server: IPv6Address?

    /// All of them.
    private(set) var all: Set<IPv6Address> = []

    /// Sets the addresses of a Node; none for one that is gone.
    mutating func setNode(_ name: String, _ addresses: [IPv6Address]) {
        let old = nodes[name] ?? []
        guard old != addresses else { return }
        nodes[name] = addresses.isEmpty ? nil : addresses
        for address in addresses { add(address) }
        for address in old { remove(address) }
    }

    /// Sets the address that the API is reached by.
    mutating func setServer(_ address: IPv6Address?) {
        guard address != server else { return }
        if let address { add(address) }
        if let server { remove(server) }
        server = address
    }

    private mutating func add(_ address: IPv6Address) {
        uses[address, default: 0] += 1
        all.insert(address)
    }

    private mutating func remove(_ address: IPv6Address) {
        guard let count = uses[address] else { return }
        uses[address] = count > 1 ? count - 1 : nil
        if count <= 1 { all.remove(address) }
    }
}
