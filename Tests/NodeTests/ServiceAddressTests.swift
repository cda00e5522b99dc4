import Addressing
import MeshConfiguration
import Services
import Testing
import Timing

@testable import Node

/// Services that want the addresses of machines (reserved addresses) do not get them.
@Suite struct ServiceAddressTests {
    private let lan = IPv6Address(IPv4Address("10.70.0.2")!)
    private let vip = IPv6Address("2001:db8:aa::1")!

    /// A report of the cluster: the addresses of machines, and new demands of the service `default/thief`.
    private func report(
        machines: Set<IPv6Address>, _ wanted: [IPv6Address] = []
    ) -> ClusterReport {
        var view = ClusterView(origin: "a test", node: NodeConditions(name: "a"))
        view.reservedAddresses = machines
        let demand = ServiceDemand(level: .announce, services: ["default/thief"])
        return ClusterReport(
            view: view, changes: Dictionary(uniqueKeysWithValues: wanted.map { ($0, demand) }))
    }

    private func wanted(_ node: MeshNode) -> [IPv6Address] { node.ledger.addresses(of: .service) }

    private func makeNode() -> MeshNode {
        var environment = MeshNode.Environment()
        environment.hasCluster = true
        return MeshNode(configuration: Configuration(), environment: environment)
    }

    @Test func aServiceDoesNotGetTheAddressOfAMachine() {
        var node = makeNode()
        node.note(.cluster(report(machines: [lan], [lan, vip])), at: .zero)
        #expect(wanted(node) == [vip])
        #expect(
            node.currentProblems(at: .zero).contains {
                $0.kind == .serviceAddress && $0.text.hasPrefix("default/thief: \(lan) is the address of a node")
            })
    }

    /// Reports without other changes say that the address of a service is that of a machine, and then that it is not any more.
    @Test func anAddressIsGivenUpWhenAMachineHasIt() {
        var node = makeNode()
        node.note(.cluster(report(machines: [], [lan, vip])), at: .zero)
        #expect(wanted(node) == [vip, lan].sorted())
        node.note(.cluster(report(machines: [lan])), at: .zero)
        #expect(wanted(node) == [vip])
        node.note(.cluster(report(machines: [])), at: .zero)
        #expect(wanted(node) == [vip, lan].sorted())
    }
}
