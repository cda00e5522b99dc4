internal import ControlAPI
internal import Links
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import PrometheusMetrics
internal import Timing

extension AgentSnapshot {
    /// The ports in use; `counters` is what the kernel counts of them.
    func addLinks(_ counters: [String: LinkCounters], to metrics: inout MetricsText) {
        let list = interfaceList
        let active = list.filter { $0.configuredType != InterfaceRule.Role.passive.typeText }
        func gauge(_ name: String, _ help: String, of ports: [Interface]? = nil, _ value: (Interface) -> Int) {
            metrics.family(name, .gauge, help) { samples in
                for port in ports ?? list { samples.sample(["interface": port.name], value: value(port)) }
            }
        }
        let isUp = Set(
            interfaces.ports.values.filter { if case .up = $0.state { true } else { false } }.map(\.link.name))
        gauge("link_up", "Whether a port in use is up.") { isUp.contains($0.name) ? 1 : 0 }
        metrics.family("link_flaps_total", .counter, "Times that a port in use went down.") { samples in
            let flaps = node.counters.portFlaps
            for name in Set(list.map(\.name)).union(flaps.keys).sorted() {
                samples.sample(["interface": name], value: flaps[name] ?? 0)
            }
        }
        gauge("link_cost", "The OSPF cost of a port in use.") { $0.cost }
        gauge("link_neighbors", "Routers heard on a port in use.", of: active) { $0.neighbors }
        gauge(
            "link_full_neighbors", "Routers on a port in use whose database is known to be the same (Full).", of: active
        ) {
            $0.neighborsFull
        }
        let disagreements = self.disagreements
        gauge(
            "link_mismatches",
            "Routers on a port in use whose MTU, timers, area or type of link do not agree with ours; meshctl says which.",
            of: active
        ) { disagreements[$0.name] ?? 0 }
        addTraffic(counters.filter { name, _ in list.contains { $0.name == name } }, to: &metrics)
    }

    /// How many routers do not agree with us on something, by port.
    private var disagreements: [String: Int] {
        var counts: [String: Int] = [:]
        for neighbor in neighborList where neighbor.problem != nil { counts[neighbor.interface, default: 0] += 1 }
        for interface in router?.interfaceSnapshots ?? [] {
            let count = interface.mismatches.count { $0.deadline > now }
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
        add("received_bytes", "Octets that came in by a port in use.", \.received.bytes)
        add("received_packets", "Packets that came in by a port in use.", \.received.packets)
        add("received_errors", "Packets that came in damaged.", \.received.errors)
        add("received_drops", "Packets that came in whole and were given up by the kernel.", \.received.drops)
        add("sent_bytes", "Octets that went out by a port in use.", \.sent.bytes)
        add("sent_packets", "Packets that went out by a port in use.", \.sent.packets)
        add("sent_errors", "Packets that could not be sent.", \.sent.errors)
        add("sent_drops", "Packets given up by the kernel before they were sent.", \.sent.drops)
    }
}
