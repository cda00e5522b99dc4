import Addressing
import ControlAPI
import Lab
import Testing

extension Lab {
    /// Waits until the lab has settled and all kernels have the right next hops (``nextHopProblem(only:)``).
    func waitUntilConverged(_ limit: Duration = .seconds(40)) throws {
        try waitUntilSettled(limit: limit)
        try eventually(limit) { try nextHopProblem() }
    }

    /// A description of the first kernel route between two running nodes whose next hops are not those of
    /// ``firstHops(from:to:)``; `nil` if there is none. `nodes` are the nodes whose kernels are checked, by default all.
    func nextHopProblem(only nodes: [String]? = nil) throws -> String? {
        for node in topology.routers where isRunning(node.name) && nodes?.contains(node.name) != false {
            let actual = try kernelNextHops(of: node.name)
            for other in topology.routers where other.name != node.name && isRunning(other.name) {
                let wanted = firstHops(from: node.name, to: other.name)
                for prefix in prefixes(of: other) where actual[prefix] != wanted {
                    return
                        "\(node.name) has \(prefix) of \(other.name) via \(actual[prefix].map { $0.sorted() } ?? []), "
                        + "and not via \(wanted.sorted())"
                }
            }
        }
        return nil
    }

    private func isBridge(_ name: String) -> Bool {
        topology.nodes.contains { $0.name == name && $0.router == .bridge }
    }

    /// The links without a fault.
    private var liveLinks: [Topology.Link] {
        topology.links.enumerated().filter { faults[$0.offset] == nil }.map(\.element)
    }

    /// The next hops on all shortest paths from one node to another, if every link costs the same: a breadth-first search from
    /// the far end, independent of any router.
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

    /// The ports of nodes that are linked to a bridge.
    private func members(ofBridge bridge: String) -> [AddressBook.Port] {
        addresses.ports.enumerated().filter { faults[$0.offset] == nil }.flatMap { ports in
            [(ports.element.first, ports.element.second), (ports.element.second, ports.element.first)]
        }.filter { $0.1.node == bridge }.map(\.0)
    }

    /// The number of hops to a node from every node that reaches it. A bridge is no hop.
    private func distances(to end: String) -> [String: Int] {
        var distances = [end: 0]
        var frontier = [end]
        while !frontier.isEmpty {
            var next: [String] = []
            for node in frontier {
                for neighbor in nodesOneHopAway(from: node) where distances[neighbor] == nil {
                    distances[neighbor] = distances[node, default: 0] + 1
                    next.append(neighbor)
                }
            }
            frontier = next
        }
        return distances
    }

    /// The running nodes one hop away, over links without a fault.
    private func nodesOneHopAway(from node: String) -> [String] {
        let adjacent = liveLinks.filter { $0.first == node || $0.second == node }
            .map { $0.first == node ? $0.second : $0.first }
        return adjacent.flatMap { isBridge($0) ? members(ofBridge: $0).map(\.node) : [$0] }.filter { isRunning($0) }
    }

    /// The neighbors, routes, events and ends of the logs of all routers, to explain why a test failed.
    func diagnosis() -> String {
        topology.routers.map { node in
            let neighbors = (try? neighbors(of: node.name)) ?? []
            let routes = (try? kernelNextHops(of: node.name)) ?? [:]
            let events = node.router == .meshd ? (try? status(of: node.name).events.map(\.message)) ?? [] : []
            return """
                ── \(node.name) (\(node.router.rawValue), \(isRunning(node.name) ? "running" : "not running"))
                neighbors: \(neighbors.map { "\($0.routerID) on \($0.port): \($0.state)" })
                routes: \(routes.map { "\($0.key) via \($0.value.sorted())" }.sorted())
                events: \(events)
                \(log(of: node.name).suffix(3000))
                """
        }.joined(separator: "\n")
    }

    /// The next hops of a prefix in the kernel of a node; `nil` if it has no route.
    func nextHops(at node: String, _ prefix: String) throws -> Set<KernelRoute.NextHop>? {
        try kernelNextHops(of: node)[try #require(IPv6Prefix(prefix))]
    }
}

extension Topology {
    /// Two nodes with a cable between them.
    static func pair(_ first: Node, _ second: Node) -> Topology {
        Topology(name: "pair", nodes: [first, second], links: [Link(first.name, second.name)])
    }

    /// The square of the first kubermesh, with these routers at its corners.
    static func square(_ routers: [RouterKind], ospf: OSPFOptions = .quick) -> Topology {
        var square = try! Topology.named("square4")!
        for (index, router) in routers.enumerated() { square.nodes[index] = .quick("n\(index + 1)", router, ospf) }
        return square
    }

    /// A segment with these nodes.
    static func segment(_ nodes: [Node]) -> Topology {
        Topology(
            name: "segment", nodes: nodes + [Node("lan", router: .bridge)], links: nodes.map { Link($0.name, "lan") },
            shape: .segment)
    }
}

extension Topology.OSPFOptions {
    /// A point-to-point link with the shortest retransmit interval that all three routers support, 1 s.
    static let quick = Topology.OSPFOptions(type: "p2p", retransmit: 1)
    /// The same for a segment, with this priority.
    static func broadcast(_ priority: Int) -> Self { Self(type: "broadcast", priority: priority, retransmit: 1) }
}

extension Topology.Node {
    /// A node without delays: for FRR, its delays of SPF and of received LSAs are set to the minimum.
    static func quick(
        _ name: String, _ router: Topology.RouterKind, _ ospf: Topology.OSPFOptions = .quick, config: String = ""
    ) -> Self {
        let timers = "router ospf6\n timers throttle spf 0 50 500\n timers lsa min-arrival 0\n"
        return Self(name, router: router, ospf: ospf, config: (router == .frr ? timers : "") + config)
    }
}
