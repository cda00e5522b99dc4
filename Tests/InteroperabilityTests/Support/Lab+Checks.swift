import Addressing
import ControlAPI
import Lab
import Testing

extension Lab {
    /// Waits until the lab has settled and every next hop is what counting by hand gives.
    func waitUntilRight(_ limit: Duration = .seconds(40)) throws {
        try waitUntilSettled(limit: limit)
        try eventually(limit) { try nextHopProblem() }
    }

    /// The first kernel route to another node whose next hops are not those that counting hops by hand gives.
    func nextHopProblem(only nodes: [String]? = nil) throws -> String? {
        for node in topology.routers where isRunning(node.name) && nodes?.contains(node.name) != false {
            let actual = try kernelNextHops(of: node.name)
            for other in topology.routers where other.name != node.name && isRunning(other.name) {
                let wanted = firstHops(from: node.name, to: other.name)
                for prefix in prefixes(of: other) where actual[prefix] != wanted {
                    return
                        "\(node.name) has \(prefix) of \(other.name) by \(actual[prefix].map { $0.sorted() } ?? []), "
                        + "and not by \(wanted.sorted())"
                }
            }
        }
        return nil
    }

    private func isBridge(_ name: String) -> Bool {
        topology.nodes.contains { $0.name == name && $0.router == .bridge }
    }

    private var liveLinks: [Topology.Link] {
        topology.links.enumerated().filter { faults[$0.offset] == nil }.map(\.element)
    }

    /// The ports to leave by, and the neighbors to go to, on all shortest ways from one node to another, where every
    /// link costs the same: a breadth-first search from the far end, which shares nothing with any router.
    func firstHops(from start: String, to end: String) -> Set<KernelRoute.NextHop> {
        let distances = distances(to: end)
        guard let own = distances[start] else { return [] }
        var hops: Set<KernelRoute.NextHop> = []
        for (index, ports) in addresses.ports.enumerated() where faults[index] == nil {
            for (near, far) in [(ports.first, ports.second), (ports.second, ports.first)] where near.node == start {
                for port in isBridge(far.node) ? members(ofBridge: far.node) : [far] where port.node != start {
                    guard distances[port.node] == own - 1 else { continue }
                    hops.insert(.init(gateway: port.linkLocalAddress, device: near.name))
                }
            }
        }
        return hops
    }

    private func members(ofBridge bridge: String) -> [AddressBook.Port] {
        addresses.ports.enumerated().filter { faults[$0.offset] == nil }.flatMap { ports in
            [(ports.element.first, ports.element.second), (ports.element.second, ports.element.first)]
        }.filter { $0.1.node == bridge }.map(\.0)
    }

    /// Hops to a node from everywhere; a bridge is crossed for nothing.
    private func distances(to end: String) -> [String: Int] {
        var distances = [end: 0]
        var frontier = [end]
        while !frontier.isEmpty {
            var next: [String] = []
            for node in frontier {
                for neighbor in neighbors(of: node) where distances[neighbor] == nil {
                    distances[neighbor] = distances[node, default: 0] + 1
                    next.append(neighbor)
                }
            }
            frontier = next
        }
        return distances
    }

    private func neighbors(of node: String) -> [String] {
        let adjacent = liveLinks.filter { $0.first == node || $0.second == node }
            .map { $0.first == node ? $0.second : $0.first }
        return adjacent.flatMap { isBridge($0) ? members(ofBridge: $0).map(\.node) : [$0] }.filter { isRunning($0) }
    }

    /// What all routers of the lab know and wrote, for somebody who wonders why a test failed.
    func diagnosis() -> String {
        topology.routers.map { node in
            let neighbors = (try? adjacencies(of: node.name)) ?? []
            let routes = (try? kernelNextHops(of: node.name)) ?? [:]
            let events = node.router == .meshd ? (try? status(of: node.name).events.map(\.message)) ?? [] : []
            return """
                ── \(node.name) (\(node.router.rawValue), \(isRunning(node.name) ? "running" : "not running"))
                neighbors: \(neighbors.map { "\($0.routerID) on \($0.port): \($0.state)" })
                routes: \(routes.map { "\($0.key) by \($0.value.sorted())" }.sorted())
                events: \(events)
                \(log(of: node.name).suffix(3000))
                """
        }.joined(separator: "\n")
    }

    /// The next hops a node's kernel has for a prefix, if it has a route.
    func nextHops(at node: String, _ prefix: String) throws -> Set<KernelRoute.NextHop>? {
        try kernelNextHops(of: node)[try #require(IPv6Prefix(prefix))]
    }
}

extension Topology {
    /// Two nodes and a cable.
    static func pair(_ first: Node, _ second: Node) -> Topology {
        Topology(name: "pair", nodes: [first, second], links: [Link(first.name, second.name)])
    }

    /// The square of the first kubermesh, with these routers at its corners.
    static func square(_ routers: [RouterKind], ospf: OSPFOptions = .quick) -> Topology {
        var square = try! Topology.named("square4")!
        for (index, router) in routers.enumerated() { square.nodes[index] = .quick("n\(index + 1)", router, ospf) }
        return square
    }

    /// A shared segment with these nodes on it.
    static func segment(_ nodes: [Node]) -> Topology {
        Topology(
            name: "segment", nodes: nodes + [Node("lan", router: .bridge)], links: nodes.map { Link($0.name, "lan") },
            shape: .segment)
    }
}

extension Topology.OSPFOptions {
    /// The shortest timers all three routers have.
    static let quick = Topology.OSPFOptions(type: "p2p", retransmit: 1)
    /// The same on a shared segment, with a priority.
    static func broadcast(_ priority: Int) -> Self { Self(type: "broadcast", priority: priority, retransmit: 1) }
}

extension Topology.Node {
    /// A node that waits for nothing that it could do at once.
    static func quick(
        _ name: String, _ router: Topology.RouterKind, _ ospf: Topology.OSPFOptions = .quick, config: String = ""
    ) -> Self {
        let timers = "router ospf6\n timers throttle spf 0 50 500\n timers lsa min-arrival 0\n"
        return Self(name, router: router, ospf: ospf, config: (router == .frr ? timers : "") + config)
    }
}
