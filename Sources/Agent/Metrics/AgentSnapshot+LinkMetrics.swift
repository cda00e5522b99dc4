internal import ControlAPI
internal import Links
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import PrometheusMetrics
internal import Timing

extension AgentSnapshot {
    /// Adds metrics of the ports of the mesh. `counters` are the interface counters of the kernel, by name.
    func addLinks(_ counters: [String: LinkCounters], to metrics: inout MetricsText) {
        let list = interfaceList
        // A passive port has no neighbors, so it has no metrics of them.
        let active = list.filter { $0.configuredType != InterfaceRule.Role.passive.typeText }
        func gauge(_ name: String, _ help: String, of ports: [Interface]? = nil, _ value: (Interface) -> Int) {
            metrics.family(name, .gauge, help) { samples in
                for port in ports ?? list { samples.sample(["interface": port.name], value: value(port)) }
            }
        }
        let up = Set(
            interfaces.ports.values.filter { if case .up = $0.state { true } else { false } }.map(\.link.name))
        gauge("link_up", "1 if the router uses the port, 0 if it cannot.") { up.contains($0.name) ? 1 : 0 }
        metrics.family("link_flaps_total", .counter, "Number of times that the port went down.") { samples in
            // A port that never went down has the value 0, so that `increase()` counts its first time.
            let unflapped = list.map { ($0.name, UInt64(0)) }
            let flaps = node.counters.portFlaps.merging(unflapped) { count, _ in count }
            for (name, count) in flaps.sorted(by: { $0.key < $1.key }) {
                samples.sample(["interface": name], value: count)
            }
        }
        gauge("link_cost", "The OSPF cost of a port.") { $0.cost }
        gauge("link_neighbors", "Neighbors on a port, in any state.", of: active) { $0.neighbors }
        gauge(
            "link_full_neighbors", "Neighbors on a port in state Full.", of: active
        ) {
            $0.neighborsFull
        }
        let mismatchCounts = self.mismatchCounts
        gauge(
            "link_mismatches",
            "Routers on a port whose MTU, timers, area, area type, instance or link type differ from ours, or that have our link-local address; see meshctl interfaces.",
            of: active
        ) { mismatchCounts[$0.name] ?? 0 }
        addTraffic(counters.filter { name, _ in list.contains { $0.name == name } }, to: &metrics)
    }

    /// The number of neighbors, and of routers whose hellos are ignored, with which a setting differs, by port.
    private var mismatchCounts: [String: Int] {
        var counts: [String: Int] = [:]
        let neighbors = Dictionary(grouping: router?.neighborSnapshots ?? [], by: \.interface)
        for interface in router?.interfaceSnapshots ?? [] {
            let differing = (neighbors[interface.configuration.index] ?? []).count {
                node.problem(of: $0, on: interface, at: now) != nil
            }
            let count = differing + interface.mismatches.count { $0.deadline > now }
            counts[name(ofInterface: interface.configuration.index), default: 0] += count
        }
        return counts
    }

    private func addTraffic(_ counters: [String: LinkCounters], to metrics: inout MetricsText) {
        let links = counters.sorted { $0.key < $1.key }
        func add(_ name: String, _ help: String, _ value: KeyPath<LinkCounters, UInt64>) {
            metrics.family("link_\(name)_total", .counter, help) { samples in
                for (name, link) in links { samples.sample(["interface": name], value: link[keyPath: value]) }
            }
        }
        add("received_bytes", "Bytes received on a port.", \.received.bytes)
        add("received_packets", "Packets received on a port.", \.received.packets)
        add("received_errors", "Packets received with errors.", \.received.errors)
        add("received_drops", "Received packets that the kernel dropped.", \.received.drops)
        add("sent_bytes", "Bytes sent on a port.", \.sent.bytes)
        add("sent_packets", "Packets sent on a port.", \.sent.packets)
        add("sent_errors", "Packets that could not be sent because of errors.", \.sent.errors)
        add("sent_drops", "Packets that the kernel dropped before sending them.", \.sent.drops)
    }
}
