internal import Addressing
internal import OSPF
internal import Routing

/// Whether kernels hold what their routers want, and nothing else.
extension Network {
    func checkKernel(of node: Machine, _ findings: inout Findings) {
        guard let table = node.router?.routeTable, let fib = node.fib else { return }
        // Each destination in use has one group.
        var groups: Set<DestinationID> = []
        var hops: Set<NextHop> = []
        for (prefix, id) in table.routes.sorted(by: { $0.key < $1.key }) {
            let wanted = table.destinations[id]?.nextHops ?? []
            let found = node.kernel.nextHops(of: prefix)
            if found != wanted {
                findings.add(
                    .kernel,
                    "\(name(node.index))'s kernel sends \(prefix) to \(String(describing: found)), not \(wanted)")
            }
            if fib.state(of: prefix) != .installed {
                findings.add(
                    .kernel, "\(name(node.index)) believes \(prefix) to be \(String(describing: fib.state(of: prefix)))"
                )
            }
            groups.insert(id)
            hops.formUnion(wanted)
        }
        if node.kernel.prefixes.count != table.routes.count {
            let staleRoutes = node.kernel.prefixes.filter { table.routes[$0] == nil }.sorted().prefix(3)
            findings.add(
                .kernel, "\(name(node.index))'s kernel has routes nobody wants: \(staleRoutes.map(\.description))")
        }
        if node.kernel.groupCount != groups.count || node.kernel.singleCount != hops.count {
            findings.add(
                .kernel,
                "\(name(node.index))'s kernel has \(node.kernel.groupCount) groups for \(groups.count) destinations and \(node.kernel.singleCount) next hops, of which \(hops.count) are in use"
            )
        }
    }
}
