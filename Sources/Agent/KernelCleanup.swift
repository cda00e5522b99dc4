internal import Addressing
internal import ControlAPI
internal import Links
internal import Linux
internal import MeshConfiguration
internal import Netlink

/// The numbers of routes, next-hop objects and addresses of an agent that were removed from the kernel. They are found by the
/// protocol number of the agent's configuration, and routes only in its table; nftables tables by their names.
struct KernelCleanup {
    var routes = 0
    var nextHops = 0
    var addresses = 0
    /// The names of the nftables tables that were removed.
    var tables: [String] = []

    /// Removes all routes, next hops, addresses and nftables tables of an agent with this configuration.
    static func remove(_ configuration: Configuration.KernelOptions) throws -> KernelCleanup {
        let kernel = try KernelFIB(
            configuration: KernelFIBConfiguration(
                protocolNumber: configuration.routeProtocol, table: configuration.table))
        let removed = try kernel.cleanUp()
        let addresses = try KernelAddresses(origin: configuration.routeProtocol)
        let own = try addresses.own()
        for address in own { try addresses.remove(address.address, from: address.interface) }
        return KernelCleanup(
            routes: removed.routes, nextHops: removed.nextHops, addresses: own.count, tables: try removeTables())
    }

    /// Removes our nftables tables. Returns the names of those that existed: none in a kernel without netfilter.
    @discardableResult
    static func removeTables() throws(SystemError) -> [String] {
        guard let netfilter = try? NetfilterTables() else { return [] }
        var removed: [String] = []
        for name in [BypassRules.table, TransitCounter.table] where try netfilter.remove(name) { removed.append(name) }
        return removed
    }

    /// The numbers as text.
    var text: String {
        let numbers = [
            counted(routes, "route"), counted(nextHops, "next hop"), counted(addresses, "address", "addresses"),
        ]
        let parts = numbers + tables.map { "the nftables table \($0)" }
        return parts.dropLast().joined(separator: ", ") + " and " + parts[parts.count - 1]
    }
}
