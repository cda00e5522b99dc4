internal import Addressing
internal import Links
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
            let backup = table.destinations[id]?.backup
            if found != wanted {
                findings.add(
                    .kernel,
                    "\(name(node.index))'s kernel sends \(prefix) to \(String(describing: found)), not \(wanted)")
            }
            if node.kernel.backup(of: prefix) != backup {
                findings.add(
                    .kernel,
                    "\(name(node.index))'s kernel has the backup \(String(describing: node.kernel.backup(of: prefix))) for \(prefix), not \(String(describing: backup))"
                )
            }
            if table.destinations[id]?.isAnycast == true, node.kernel.isResilient(prefix) != true {
                findings.add(.kernel, "\(name(node.index))'s group for \(prefix), which is anycast, is not resilient")
            }
            if fib.state(of: prefix) != .installed {
                findings.add(
                    .kernel, "\(name(node.index)) believes \(prefix) to be \(String(describing: fib.state(of: prefix)))"
                )
            }
            groups.insert(id)
            hops.formUnion(wanted)
            if let backup { hops.insert(backup) }
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
        checkServiceRoutes(of: node, table, fib, &findings)
    }

    /// There is a service route to each range of cluster IPs, and to the API server, that no other route covers.
    private func checkServiceRoutes(
        of node: Machine, _ table: RouteTable, _ fib: FIB, _ findings: inout Findings
    ) {
        let candidates = node.serviceRanges + (node.apiServer.map { [IPv6Prefix(host: $0)] } ?? [])
        let wanted = candidates.filter { candidate in
            let isIPv4 = candidate.ipv4 != nil
            let hasDefault = node.kernel.defaultRoutes.contains { ($0.family == .ipv4) == isIPv4 }
            return !hasDefault
                && !table.routes.keys.contains { ($0.ipv4 != nil) == isIPv4 && $0.contains(candidate) }
        }
        let found = node.kernel.serviceRoutes
        if found != Set(wanted) {
            findings.add(
                .kernel,
                "\(name(node.index))'s kernel has the service routes \(found.sorted().map(\.description)), not \(wanted.sorted().map(\.description))"
            )
        }
        for (prefix, state) in fib.serviceRouteStates where state != .installed {
            findings.add(
                .kernel, "\(name(node.index)) believes the service route to \(prefix) to be \(state)")
        }
    }
}
