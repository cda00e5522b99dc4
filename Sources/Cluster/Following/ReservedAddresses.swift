internal import Addressing
internal import Kubernetes

/// The addresses that no service may have: those of all Nodes, and those by which the API server is reached, without
/// those of ``setServerClusterIPs(_:)``. The time that a change takes depends only on the number of addresses that it concerns.
struct ReservedAddresses: Sendable {
    /// All reserved addresses.
    private(set) var all: Set<IPv6Address> = []

    /// The addresses of each Node.
    private var nodes: [ObjectKey: Set<IPv6Address>] = [:]
    /// How many Nodes have an address; the API server counts as one more.
    private var counts: [IPv6Address: Int] = [:]
    /// The addresses by which the agent reaches the API server, possibly its cluster IPs.
    private var servers: Set<IPv6Address> = []
    /// The cluster IPs of the API server's own service.
    private var serverClusterIPs: Set<IPv6Address> = []
    /// The addresses of the API server that are reserved, without its cluster IPs.
    private var serverAddresses: Set<IPv6Address> = []

    /// Sets the addresses of a Node; empty if it was deleted.
    mutating func set(_ key: ObjectKey, _ addresses: [IPv6Address]) {
        let new = Set(addresses)
        let old = nodes[key] ?? []
        nodes[key] = new.isEmpty ? nil : new
        replace(old, with: new)
    }

    /// Sets the addresses by which the API server is reached.
    mutating func setServers(_ addresses: Set<IPv6Address>) {
        servers = addresses
        review()
    }

    /// Sets the cluster IPs of the API server itself, which are not reserved: a connection to one is forwarded to a server
    /// whether or not this machine has the address, so services may have it.
    mutating func setServerClusterIPs(_ addresses: [IPv6Address]) {
        serverClusterIPs = Set(addresses)
        review()
    }

    private mutating func review() {
        let new = servers.subtracting(serverClusterIPs)
        replace(serverAddresses, with: new)
        serverAddresses = new
    }

    private mutating func replace(_ old: Set<IPv6Address>, with new: Set<IPv6Address>) {
        for address in new.subtracting(old) {
            counts[address, default: 0] += 1
            all.insert(address)
        }
        for address in old.subtracting(new) {
            let left = counts[address, default: 1] - 1
            counts[address] = left == 0 ? nil : left
            if left == 0 { all.remove(address) }
        }
    }
}
