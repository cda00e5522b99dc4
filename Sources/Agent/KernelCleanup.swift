internal import Addressing
internal import ControlAPI
internal import Links
internal import Linux
internal import MeshConfiguration
internal import Netlink

/// The numbers of routes, next-hop objects and addresses of an agent that were removed from the kernel. They are found by the
/// protocol number of the agent's configuration, and routes only in its table.
struct KernelCleanup {
    var routes = 0
    var nextHops = 0
    var addresses = 0

    /// Removes all routes, next hops and addresses of an agent with this configuration.
    static func remove(_ configuration: Configuration.KernelOptions) throws -> KernelCleanup {
        let kernel = try KernelFIB(
            configuration: KernelFIBConfiguration(
                protocolNumber: configuration.routeProtocol, table: configuration.table))
        let removed = try kernel.cleanUp()
        let addresses = try KernelAddresses(origin: configuration.routeProtocol)
        let own = try addresses.own()
        for address in own { try addresses.remove(address.address, from: address.interface) }
        return KernelCleanup(routes: removed.routes, nextHops: removed.nextHops, addresses: own.count)
    }

    /// The numbers as text.
    var text: String {
        "\(counted(routes, "route")), \(counted(nextHops, "next hop")) and \(counted(addresses, "address", "addresses"))"
    }
}
