internal import Node
internal import OSPF
internal import Timing

/// The quality of cables: routes do not swing because of it. That nothing becomes unreachable because of it is checked with the
/// routes (`GroundTruth` knows the costs), and that it changes nothing where it is not wanted.
extension Network {
    /// Whatever happens, a node changes its router-LSA because of the quality of cables at most once in 5 s.
    mutating func checkQuality(of node: Int) {
        guard let process = nodes[node].process, process.avoidedPorts != nodes[node].avoidedPorts else { return }
        let changed = process.avoidedPorts.symmetricDifference(nodes[node].avoidedPorts)
        nodes[node].avoidedPorts = process.avoidedPorts
        for index in changed where process.avoidedPorts.contains(index) {
            guard let port = port(of: node, interface: index), ports[port].isQualityOn else {
                report(.quality, "\(name(node)) avoids port \(index) although it must not")
                continue
            }
        }
        let full = Set(
            (nodes[node].router?.neighborSnapshots ?? []).filter { $0.state == .full }.map(\.interface))
        guard !full.isDisjoint(with: changed) else { return }
        statistics.qualityChanges += 1
        let local = localTime(of: node)
        if let last = nodes[node].avoidanceChange, local - last < .seconds(5) {
            report(.quality, "\(name(node)) changes costs \(local - last) after the last time")
        }
        nodes[node].avoidanceChange = local
    }

    /// Tells the process the speed of its ports, as far as it wants to know.
    mutating func notifySpeeds(_ node: Int, of changed: [Int]) {
        let readings = speedReadings(of: changed, at: node)
        if !readings.isEmpty { handle(.ports(readings), on: node) }
    }

    /// The readings of those of some ports of a machine that its process watches.
    func speedReadings(of some: [Int], at node: Int) -> [PortReading] {
        some.map { ports[$0] }.filter { nodes[node].watchedPorts.contains($0.configuration.index) }.map {
            PortReading(interface: $0.configuration.index, speed: $0.speed)
        }
    }
}
