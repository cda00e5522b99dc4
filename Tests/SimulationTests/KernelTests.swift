import OSPF
import Simulation
import Testing
import Timing

/// What meshes change in their kernels: next-hop objects, groups and routes.
@Suite struct KernelTests {
    /// A grid of 3 × 3 nodes, numbered row by row, after 20 s.
    private static func grid() -> Network {
        var network = Network(plan: NetworkPlan(topology: .grid(width: 3, height: 3)), seed: 5)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        return network
    }

    /// Node 4 is the one in the middle. The dead interval is 4 s, so other nodes notice nothing.
    @Test(arguments: [100, 2_000])
    func aRestartedProcessChangesNothingInTheKernel(milliseconds: Int) {
        var network = Self.grid()
        let before = network.nodes.map(\.kernel.changes)
        let calculations = network.nodes.map { $0.router?.statistics.routeCalculations }
        network.schedule(.kill(node: 4), at: network.now)
        network.schedule(.start(node: 4), at: network.now + .milliseconds(milliseconds))
        network.run(for: .seconds(20))
        #expect(network.check() == [])
        #expect(network.nodes.map(\.kernel.changes) == before)
        for node in network.nodes where node.index != 4 {
            #expect(node.router?.statistics.routeCalculations == calculations[node.index])
        }
    }

    @Test func aLostCableChangesNoRoutesInOtherNodes() {
        var network = Self.grid()
        let before = network.nodes.map(\.kernel.routeChanges)
        // The cable between nodes 0 and 3. In the other nodes no route changes, only groups do.
        network.schedule(.carrier(link: 1, isUp: false), at: network.now)
        network.run(for: .seconds(10))
        #expect(network.check() == [])
        for (node, changes) in zip(network.nodes.dropFirst(), before.dropFirst()) where node.index != 3 {
            #expect(node.kernel.routeChanges == changes)
        }
    }

    @Test(arguments: 1...5)
    func routesAreRightAfterManyFlaps(seed: Int) {
        var network = Self.grid()
        var random = RandomSource(seed: UInt64(seed))
        var time = network.now
        for _ in 0..<60 {
            let link = random.below(network.links.count)
            network.schedule(.carrier(link: link, isUp: random.chance(0.5)), at: time)
            time = time + random.duration(upTo: .milliseconds(30))
        }
        network.schedule(.healAll, at: time)
        network.run(until: time + .seconds(20))
        #expect(network.check() == [])
    }
}
