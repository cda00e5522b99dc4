import MeshConfiguration
import OSPF
import Simulation
import Testing
import Timing

/// How long meshes take to converge in virtual time, where only links and timers take time, not processors.
@Suite struct ConvergenceTests {
    /// 300 ms are less than a hello interval (1 s).
    @Test(arguments: [Topology.ring(4), .grid(width: 5, height: 5), .line(10)])
    func aColdStartConvergesWithin300Milliseconds(topology: Topology) {
        var network = Network(plan: NetworkPlan(topology: topology), seed: 1)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        #expect(network.check() == [])
        #expect(network.statistics.lastRouteChange < .zero + .milliseconds(300))
    }

    /// Both ends notice the loss of carrier; the change is flooded and calculated within 10 ms.
    @Test func routesConvergeWithin10MillisecondsAfterALossOfCarrier() {
        var network = Network(plan: NetworkPlan(topology: .grid(width: 5, height: 5)), seed: 2)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        let start = network.now
        network.schedule(.carrier(link: 20, isUp: false), at: start)
        network.run(for: .seconds(10))
        #expect(network.check() == [])
        #expect(network.statistics.lastRouteChange > start)
        #expect(network.statistics.lastRouteChange - start < .milliseconds(10))
    }

    /// Node 12 announces a prefix of node 3 as well; then node 3 withdraws it.
    @Test func routesConvergeWithin10MillisecondsAfterAnnouncementsAndWithdrawals() {
        var network = Network(plan: NetworkPlan(topology: .grid(width: 4, height: 4)), seed: 3)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        let prefix = network.nodes[3].configuration.advertise[0]
        for action in [Action.announce(node: 12, [prefix]), .withdraw(node: 3, [prefix.prefix])] {
            let start = network.now
            network.schedule(action, at: start)
            network.run(for: .seconds(10))
            #expect(network.check() == [])
            #expect(network.statistics.lastRouteChange > start)
            #expect(network.statistics.lastRouteChange - start < .milliseconds(10))
        }
    }

    /// Waiting lasts two hello intervals, 2 s. The bound would also allow the RouterDeadInterval, 4 s, of RFC 2328 §9.1.
    @Test func aSharedSegmentConvergesSoonAfterWaiting() {
        var network = Network(plan: NetworkPlan(topology: .lan(6)), seed: 4)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        #expect(network.check() == [])
        #expect(network.statistics.lastRouteChange < .zero + .milliseconds(4500))
    }
}
