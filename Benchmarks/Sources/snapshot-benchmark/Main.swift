import Addressing
import Node
import OSPF
import Simulation
import Timing

/// What a snapshot costs whoever took it: a node with 10,000 LSAs and 10,000 routes handles one event that changes an LSA of
/// its own, while nobody holds a copy of the node, and while somebody does.
@main
struct Main {
    static let routes = 10_000
    static let rounds = 41

    static func main() {
        var plan = NetworkPlan(topology: .line(2))
        plan.nodes[1].externals = (0..<routes).map { number in
            ExternalPrefix(
                prefix: IPv6Prefix(IPv6Address(high: 0x2001_0db8_000e_0000 | UInt64(number), low: 0), length: 64))
        }
        var network = Network(plan: plan, seed: 1)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(120))
        guard var node = network.nodes[0].process else { fatalError("the node does not run") }
        print("LSAs: \(node.router!.databaseSize.lsas), routes: \(node.router!.routeTable.routes.count)")
        var now = network.now + network.nodes[0].process!.startedOffset(in: network)
        var free: [Duration] = []
        var held: [Duration] = []
        var detached: [Duration] = []
        var detaching: [Duration] = []
        for round in 0..<rounds {
            for holding in 0...2 {
                var snapshot = holding > 0 ? node : nil
                let begin = ContinuousClock.now
                if holding == 2 { snapshot?.detach() }
                let took = ContinuousClock.now - begin
                if holding == 2 { detaching.append(took) }
                var configuration = node.configuration
                configuration.advertise.append(
                    AdvertisedPrefix(prefix: IPv6Prefix(host: IPv6Address(high: 1, low: UInt64(round * 3 + holding)))))
                now = now + .seconds(10)
                var effects: [NodeEffect] = []
                let start = ContinuousClock.now
                node.handle(.configuration(configuration), at: now, effects: &effects)
                let time = ContinuousClock.now - start
                switch holding {
                case 0: free.append(time)
                case 1: held.append(time)
                default: detached.append(time)
                }
                withExtendedLifetime(snapshot) {}
            }
        }
        print("nobody holds a copy: median \(median(free)), worst \(free.max()!)")
        print("somebody holds one:  median \(median(held)), worst \(held.max()!)")
        print("holds a detached one: median \(median(detached)), worst \(detached.max()!)")
        print("to detach it, elsewhere: median \(median(detaching)), worst \(detaching.max()!)")
    }

    static func median(_ durations: [Duration]) -> Duration { durations.sorted()[durations.count / 2] }
}

extension MeshNode {
    /// How far this node's clock is ahead of the network's.
    func startedOffset(in network: Network) -> Duration { nextDeadline.map { max(.zero, $0 - network.now) } ?? .zero }
}
