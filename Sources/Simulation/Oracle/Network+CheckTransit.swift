internal import Addressing
internal import Node
internal import OSPF

extension Network {
    /// Invariant: what gets a route is in the nftables table in the same turn, at whatever stage the node is; else new connections
    /// would meet the service proxy. Not while the kernel is or was slow or refuses, and not after another program changed the table.
    mutating func checkBypass(of node: Int, _ hosts: Set<IPv6Address>) {
        let kernel = nodes[node].kernel
        guard let process = nodes[node].process, let router = process.router, process.life.isRouting,
            nodes[node].kernelDelay == .zero, !kernel.isUnreachable, !kernel.isBypassChanged,
            process.bypass.failure == nil, !process.bypass.isBusy
        else { return }
        let expected = hosts.intersection(router.sharedAddressesOfOthers)
            .subtracting([process.identity?.address, process.ipv4.address.map { IPv6Address($0) }].compactMap(\.self))
        let missing = expected.subtracting(kernel.bypass?.addresses ?? [])
        guard !missing.isEmpty else { return }
        report(.transit, "\(name(node)) has a route to \(missing.min()!), which is not in its table")
    }

    /// The nftables table of a node has what the node wants: every single address to which there is a route, but for own
    /// addresses of nodes. It may have addresses that were announced before.
    func checkProxyBypass(of node: Machine, _ expected: ExpectedRoutes, _ findings: inout Findings) {
        if !node.hasWantedBypass {
            findings.add(.transit, "\(name(node.index)) does not have the table that it wants")
        }
        let present = node.kernel.bypass?.addresses ?? []
        let own = Set(
            nodes.flatMap { other in
                [Machine.address(of: other.index)] + (other.process?.ipv4.address.map { [IPv6Address($0)] } ?? [])
            })
        for address in present.intersection(own).sorted() {
            findings.add(.transit, "\(name(node.index)) has \(address) in its table, a node's own address")
        }
        for group in expected.groups where expected.route(from: node.index, to: group, in: self) != nil {
            for prefix in group.prefixes where prefix.isHost && !own.contains(prefix.address) {
                if !present.contains(prefix.address) {
                    findings.add(.transit, "\(name(node.index)) does not have \(prefix.address) in its table")
                }
            }
        }
    }
}
