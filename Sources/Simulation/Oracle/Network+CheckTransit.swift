internal import Addressing
internal import Node

extension Network {
    /// The nftables table of a node has what the node wants: every single address to which there is a route, but for own
    /// addresses of nodes.
    func checkProxyBypass(of node: Machine, _ expected: ExpectedRoutes, _ findings: inout Findings) {
        guard let process = node.process else { return }
        if process.bypass.wanted != node.kernel.bypass {
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
