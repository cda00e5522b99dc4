internal import Addressing
internal import MeshConfiguration
internal import Node
internal import OSPF

/// Whether the addresses that nodes have are those that they should have.
extension Network {
    /// A node has every wanted address that its kernel does not refuse, and no other address that the agent added. Its identity
    /// is the one that it was given.
    func checkAddresses(of node: Machine, _ findings: inout Findings) {
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

    /// A node with a pool has an IPv4 address from it that no reachable node has.
    private func checkIPv4(of node: Machine, _ process: MeshNode, _ findings: inout Findings) {
        guard let pool = node.configuration.addressing.ipv4.nodes else { return }
        guard let address = process.ipv4.address, pool.base.contains(address) else {
            return findings.add(.address, "\(name(node.index)) has taken no address out of \(pool.base)")
        }
        let reachable = Set(process.router?.nodes.filter { $0.distance != nil }.map(\.routerID) ?? [])
        for other in nodes where other.index != node.index && other.isRunning && reachable.contains(other.routerID) {
            if other.process?.ipv4.address == address {
                findings.add(.address, "\(name(node.index)) and \(name(other.index)) both have \(address)")
            }
        }
    }
}
