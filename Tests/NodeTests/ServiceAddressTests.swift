import Addressing
import Services
import Testing
import Timing

@testable import Node

/// Services that name the address of a machine, or of the API server, which would cut the node off from it.
@Suite struct ServiceAddressTests {
    private let machine = IPv6Address("::ffff:10.70.0.2")!
    private let vip = IPv6Address("2001:db8:aa::1")!

    private func report(machines: Set<IPv6Address> = [], _ changes: [IPv6Address]...) -> NodeEvent {
        var view = ClusterView(origin: "a test", node: NodeConditions(name: "n1"))
        view.machineAddresses = machines
        let demand = ServiceDemand(wish: .announce, services: ["default/thief"])
        return .cluster(
            ClusterReport(view: view, changes: Dictionary(uniqueKeysWithValues: changes.joined().map { ($0, demand) })))
    }

    private func started() -> NodeBench {
        var bench = NodeBench(hasCluster: true)
        bench.start()
        bench.run(for: .seconds(20))
        return bench
    }

    private func holds(_ address: IPv6Address, _ bench: NodeBench) -> Bool {
        bench.loopback[address] != nil || bench.announces(address)
    }

    @Test func theAddressOfAMachineIsRefusedToAServiceAndIsAProblem() {
        var bench = started()
        bench.handle(report(machines: [machine], [machine, vip]))
        #expect(!holds(machine, bench))
        #expect(bench.loopback[vip] == true && bench.announces(vip))
        #expect(bench.problems(.serviceAddress).map(\.text).count { $0.hasPrefix("default/thief: 10.70.0.2 is") } == 1)
        // The machine is gone, or has another address.
        bench.handle(report(machines: []))
        bench.run(for: .seconds(1))
        #expect(bench.loopback[machine] == true && bench.announces(machine))
        #expect(bench.problems(.serviceAddress).isEmpty)
    }

    @Test func anAddressThatBecomesAMachinesIsGivenUpAtOnce() {
        var bench = started()
        bench.handle(report([machine, vip]))
        #expect(bench.loopback[machine] == true && bench.announces(machine))
        bench.handle(report(machines: [machine]))
        #expect(!holds(machine, bench) && bench.problems(.serviceAddress).count == 1)
        #expect(bench.loopback[vip] == true && bench.announces(vip), "others stay")
    }

    /// The service was there first, and the machine and a change of the service come together.
    @Test func aMachineCountsBeforeTheServiceOfTheSameReport() {
        var bench = started()
        bench.handle(report([vip]))
        bench.handle(report(machines: [machine], [machine]))
        #expect(!holds(machine, bench) && bench.problems(.serviceAddress).count == 1)
    }
}
