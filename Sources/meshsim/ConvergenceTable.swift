import OSPF
import Simulation
internal import Timing

/// How long meshes of good links (a delay of 100 µs) take, in virtual time, until the last route has changed. Computing takes
/// no virtual time, so only the delays of links, notifications and timers and the protocol's own waits count.
enum ConvergenceTable {
    private static let topologies: [Topology] = [
        .ring(4), .grid(width: 5, height: 5), .grid(width: 10, height: 10), .line(20), .fullMesh(10), .lan(6),
    ]

    static func print() {
        Swift.print(line("MESH", ["COLD START", "CABLE PULLED", "CABLE SILENT", "POWER LOST", "WITHDRAWN"]))
        for topology in topologies {
            var network = Network(plan: NetworkPlan(topology: topology), seed: 1)
            let start = settle(&network, after: .healAll)
            let last = network.links.count - 1
            let prefix = network.nodes[0].prefixes[0].prefix
            let actions: [Action] = [
                .carrier(link: last, isUp: false), .silence(link: last, isSilent: true),
                .powerOff(node: network.nodes.count / 2), .withdraw(node: 0, [prefix]),
            ]
            let times = actions.map { action in
                var copy = network
                return settle(&copy, after: action)
            }
            Swift.print(line("\(topology)", ([start] + times).map(milliseconds)))
        }
    }

    /// The time from the action to the last change of a route on any node, within 20 s (five dead intervals); zero if none
    /// changes.
    private static func settle(_ network: inout Network, after action: Action) -> Duration {
        let start = network.now
        network.schedule(action, at: start)
        network.run(for: .seconds(20))
        return max(.zero, network.statistics.lastRouteChange - start)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let tenths = duration.nanoseconds / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    private static func line(_ name: String, _ columns: [String]) -> String {
        name + String(repeating: " ", count: max(1, 12 - name.count))
            + columns.map { String(repeating: " ", count: max(1, 14 - $0.count)) + $0 }.joined()
    }
}
