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

    /// The cable keeps its carrier and drops every packet, of both directions or of one. With echo requests at the default
    /// interval, both ends notice within 160 ms; without, it takes the dead interval.
    @Test(arguments: [true, false], [true, false])
    func routesConvergeWithin170MillisecondsAfterASilentLoss(isOneWay: Bool, asks: Bool) {
        var plan = NetworkPlan(topology: .grid(width: 4, height: 4))
        if asks { for link in plan.links.indices { plan.links[link].liveness = .onCables } }
        var network = Network(plan: plan, seed: 2)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(10))
        let start = network.now
        network.schedule(
            isOneWay ? .cut(link: 10, from: 0, to: 1, isCut: true) : .silence(link: 10, isSilent: true), at: start)
        network.run(for: .seconds(10))
        #expect(network.check() == [])
        let convergence = network.statistics.lastRouteChange - start
        #expect(asks ? convergence < .milliseconds(170) : convergence > .seconds(2))
        #expect(convergence > .zero)
        network.schedule(.healAll, at: network.now)
        network.run(for: .seconds(10))
        #expect(network.check() == [])
    }

    /// A firewall rule that drops echo requests reaches all nodes at the same time: every neighbor seems dead to its neighbors, and is
    /// used again when they can tell that hellos arrive.
    @Test func aMeshWhoseNodesAllDropEchoRequestsIsUsedAgain() {
        var plan = NetworkPlan(topology: .grid(width: 3, height: 3))
        for link in plan.links.indices { plan.links[link].liveness = .onCables }
        var network = Network(plan: plan, seed: 4)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        #expect(network.check() == [])
        for node in network.nodes.indices { network.schedule(.echoFilter(node: node, true), at: network.now) }
        network.run(for: .seconds(1))
        #expect(network.check() != [], "no neighbor is used")
        network.run(for: .seconds(29))
        #expect(network.check() == [])
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
