internal import OSPF
internal import Timing

extension Network {
    /// Promise: a change of keys, and packets of others, cost no adjacency. No neighbor that was known then has changed its state since.
    func checkSteadiness(since start: Instant) -> [Violation] {
        var violations: [Violation] = []
        for node in nodes where node.isRunning {
            for neighbor in node.router?.neighborSnapshots ?? []
            where neighbor.since > start + node.clockOffset {
                violations.append(
                    Violation(
                        kind: .authentication, time: now,
                        detail:
                            "\(name(node.index)): neighbor \(neighbor.routerID) is \(neighbor.state) since \((neighbor.since - node.clockOffset).seconds) only"
                    ))
            }
        }
        return violations
    }
}
