import OSPF
import Simulation
import Testing
import Timing

/// What reaches kernels, end to end: packets in, changes of next-hop objects and routes out.
@Suite("Kernels in the simulator")
struct KernelTests {
    private static func grid() -> Network {
        var network = Network(plan: NetworkPlan(topology: .grid(width: 3, height: 3)), seed: 5)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        return network
    }

    @Test(
        "a process that starts anew finds its routes and touches none, and no other kernel hears of it",
        arguments: [100, 2_000])
    func restart(milliseconds: Int) {
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

    @Test("a cable lost on the way costs groups, not routes")
    func carrier() {
        var network = Self.grid()
        let before = network.nodes.map(\.kernel.routeChanges)
        // The second cable of node 0: its neighbours keep other ways to everybody.
        network.schedule(.carrier(link: 1, isUp: false), at: network.now)
        network.run(for: .seconds(10))
        #expect(network.check() == [])
        for (node, changes) in zip(network.nodes.dropFirst(), before.dropFirst()) where node.index != 3 {
            #expect(node.kernel.routeChanges == changes)
        }
    }

    @Test("flaps of any number end with the right groups", arguments: 1...5)
    func flaps(seed: Int) {
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
