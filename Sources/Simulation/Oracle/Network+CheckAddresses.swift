internal import Addressing
internal import MeshConfiguration
internal import Node
internal import OSPF

/// Whether the addresses that nodes have are those that they should have.
extension Network {
    /// A node has every wanted address that its kernel does not refuse, and no other address that the agent added. Its identity
    /// is the one that it was given.
    func checkAddresses(of node: Machine, _ findings: inout Findings) {
        // Prefixes of `advertise` are announced and not added to `lo`, even if they have one address.
        let advertised = Set(node.configuration.advertise.map(\.prefix))
        let wanted = Set(node.prefixes.map(\.prefix).filter { $0.isHost && !advertised.contains($0) }.map(\.address))
        let present = Set(node.kernel.addresses.keys)
        let refused = wanted.intersection(node.kernel.refusedAddresses)
        for address in wanted.subtracting(present).subtracting(refused).sorted() {
            findings.add(.address, "\(name(node.index)) does not have \(address)")
        }
        if node.kernel.foreignAddressRemovals > 0 {
            findings.add(.address, "\(name(node.index)) removed an address that it did not add")
        }
        // Only addresses that the agent has added (`true`); those of other programs stay.
        for address in present.subtracting(wanted).sorted() where node.kernel.addresses[address] == true {
            findings.add(.address, "\(name(node.index)) has \(address), which nobody wants")
        }
        guard let process = node.process else { return }
        if process.identity?.address != Machine.address(of: node.index) {
            findings.add(
                .identity, "\(name(node.index)) has the address \(String(describing: process.identity?.address))")
        }
        if let given = node.configuration.node.routerID, process.router?.routerID != given {
            findings.add(.identity, "\(name(node.index)) was given the router ID \(given)")
        }
        for problem in process.currentProblems(at: localTime(of: node.index)) where problem.kind == .duplicateAddress {
            findings.add(.address, "\(name(node.index)): \(problem.text)")
        }
        checkIPv4(of: node, process, &findings)
    }

    /// Whether the pool of IPv4 addresses has fewer than there are nodes.
    var isPoolTooSmall: Bool {
        guard let pool = nodes.first?.configuration.addressing.ipv4.nodes else { return false }
        // The first and the last address are not assigned.
        return nodes.count > (1 << (32 - pool.base.length)) - 2
    }

    /// A node with a pool has an IPv4 address from it that no other reachable node has. It may have none if the pool is too
    /// small for all nodes, reachable or not: unreachable ones keep theirs.
    private func checkIPv4(of node: Machine, _ process: MeshNode, _ findings: inout Findings) {
        guard let pool = node.configuration.addressing.ipv4.nodes else { return }
        let reachable = Set(process.router?.nodes.filter { $0.distance != nil }.map(\.routerID) ?? [])
        // Nodes that are configured with the same router ID are one router for the others, and overwrite each other's LSAs.
        let running = Dictionary(grouping: nodes.filter(\.isRunning), by: \.routerID)
        let others = reachable.sorted().compactMap { running[$0]?.count == 1 ? running[$0]?.first : nil }
            .filter { $0.index != node.index && running[node.routerID]?.count == 1 }
        guard let address = process.ipv4.address, pool.base.contains(address) else {
            if !isPoolTooSmall {
                findings.add(.address, "\(name(node.index)) has taken no address out of \(pool.base)")
            }
            return
        }
        for other in others where other.process?.ipv4.address == address {
            findings.add(.address, "\(name(node.index)) and \(name(other.index)) both have \(address)")
        }
    }
}
