internal import ControlAPI
internal import Links
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import PrometheusMetrics

/// How good cables are, as `meshctl` and metrics show it.
extension AgentSnapshot {
    /// The cost that the router uses for a port, or would use.
    func cost(of port: InterfaceTable.Port) -> Int {
        if case .up(let configuration) = port.state { return Int(configuration.cost) }
        return Int(port.rule.cost)
    }

    func addQuality(to metrics: inout MetricsText) {
        let ports = interfaces.ports.values.sorted { $0.link.index < $1.link.index }
        metrics.family(
            "link_avoided", .gauge,
            "Whether a port is used only where there is no better way, because its cable is bad (quality: on)."
        ) { samples in
            for port in ports {
                samples.sample(["interface": port.link.name], value: node.isAvoided(port.link.index))
            }
        }
        metrics.single(
            "link_quality_changes_total", .counter,
            "Changes of costs in the router-LSA because of the quality of cables.", node.quality.costChanges)
        metrics.single(
            "echo_replies_refused_total", .counter,
            "Echo replies that did not come from the neighbor and the port that was asked.", echoRefusals)
    }
}
