import Addressing
import OSPF
import OSPFPacket
import Services
import Testing
import Timing

@testable import MeshModel
@testable import Simulation

/// What the model says is compared with what routers then do, in virtual time: the same prefixes, costs and next hops at every
/// router.
@Suite struct PredictionTests {
    @Test(arguments: [
        Topology.grid(width: 3, height: 3), .line(3), .lans(segments: 2, nodesEach: 3, cables: 2), .lan(4),
    ])
    func everySingleFailureIsAsPredicted(topology: Topology) throws {
        let network = Self.converged(topology, seed: 1)
        #expect(Self.differences(Self.model(of: network), network) == [])
        for link in network.links.indices {
            try compare(network, with: [.carrier(link: link, isUp: false)]) { model in
                let ports = network.links[link].ports.map { Self.port(network, $0) }
                return network.links[link].isSegment ? [.failPorts(ports)] : [.failPorts([ports[0]])]
            }
        }
        for node in network.nodes.indices {
            try compare(network, with: [.powerOff(node: node)]) { _ in [.failRouter(network.nodes[node].routerID)] }
        }
    }

    /// Costs, drains, several changes at once, on random meshes with segments, parallel cables and external routes.
    @Test(arguments: 0..<16)
    func randomChangesAreAsPredicted(seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        let topology = random.pick([
            Topology.random(nodes: 8, extra: 5), .lans(segments: 3, nodesEach: 3, cables: 3), .tree(8),
        ])!
        let network = Self.converged(topology, seed: UInt64(seed))
        var actions: [Action] = []
        var changes: [Change] = []
        for _ in 0..<random.number(in: 1...4) {
            let node = random.below(network.nodes.count)
            let router = network.nodes[node].routerID
            let index = random.below(network.ports.count)
            let port = Self.port(network, index)
            switch random.below(4) {
            case 0:
                actions.append(.powerOff(node: node))
                changes.append(.failRouter(router))
            case 1:
                actions.append(.drain(node: node, true))
                changes.append(.drain(router))
            case 2:
                let cost = UInt16(random.number(in: 1...50))
                actions.append(.cost(link: network.ports[index].link, end: network.ports[index].end, cost))
                changes.append(.cost([port], cost))
            default:
                // The other end of a cable loses its carrier, too.
                actions.append(
                    .portCarrier(link: network.ports[index].link, end: network.ports[index].end, isUp: false))
                changes.append(.failPorts([port]))
            }
        }
        // A drain makes all costs the largest, whatever they are; it is the last.
        changes.sort { Self.rank($0) < Self.rank($1) }
        try compare(network, with: actions) { _ in changes }
    }

    /// A cable that is plugged in: only its interface IDs cannot be known.
    @Test func aNewCableIsAsPredicted() throws {
        var plan = Self.plan(.line(5), seed: 3)
        plan.links.append(LinkPlan(ends: [EndPlan(node: 0, cost: 7), EndPlan(node: 4, cost: 7)], isSegment: false))
        var network = Network(plan: plan, seed: 3)
        network.schedule(.healAll, at: .zero)
        network.schedule(.carrier(link: 4, isUp: false), at: .zero)
        network.run(for: .seconds(30))
        let ends = [network.nodes[0].routerID, network.nodes[4].routerID]
        let model = try Self.model(of: network).applying([.addLink(ends[0], ends[1], cost: 7)])
        network.schedule(.carrier(link: 4, isUp: true), at: network.now)
        network.run(for: .seconds(30))
        #expect(Self.differences(model, network, comparesPorts: false) == [])
    }

    private static func rank(_ change: Change) -> Int {
        switch change {
        case .cost: 0
        case .failPorts, .addLink: 1
        case .failRouter: 2
        case .drain: 3
        }
    }

    // MARK: - Helpers

    private func compare(_ network: Network, with actions: [Action], _ changes: (MeshModel) -> [Change]) throws {
        let model = Self.model(of: network)
        let after = try model.applying(changes(model))
        var network = network
        for action in actions { network.schedule(action, at: network.now) }
        network.run(for: .seconds(12))
        let differences = Self.differences(after, network)
        #expect(differences == [], "\(actions)")
    }

    private static func plan(_ topology: Topology, seed: UInt64) -> NetworkPlan {
        var plan = NetworkPlan(topology: topology)
        var random = RandomSource(seed: seed)
        for node in plan.nodes.indices {
            let base = IPv6Address(high: 0x2001_0db8_0000_0000 | UInt64(node + 1), low: 0)
            plan.nodes[node].prefixes = [AdvertisedPrefix(prefix: IPv6Prefix(base, length: 120))]
            if random.chance(0.3) {
                plan.nodes[node].vips = [VIP(name: "api", address: IPv6Address("2001:db8:ffff::1")!)]
            }
            if random.chance(0.3) {
                plan.nodes[node].externals = [
                    ExternalPrefix(
                        prefix: .default, metric: UInt32(random.number(in: 1...3)), isType2: random.chance(0.5))
                ]
            }
        }
        for link in plan.links.indices {
            for end in plan.links[link].ends.indices where random.chance(0.5) {
                plan.links[link].ends[end].cost = UInt16(random.number(in: 1...30))
            }
        }
        return plan
    }

    private static func converged(_ topology: Topology, seed: UInt64) -> Network {
        var network = Network(plan: plan(topology, seed: seed), seed: seed)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        return network
    }

    private static func model(of network: Network) -> MeshModel {
        MeshModel(network.nodes[0].router!.databaseSnapshot(at: network.localTime(of: 0)).map(\.lsa))
    }

    private static func port(_ network: Network, _ index: Int) -> PortID {
        PortID(
            router: network.nodes[network.ports[index].node].routerID,
            interfaceID: network.ports[index].configuration.index)
    }

    /// The routers whose routes are not those of the model.
    private static func differences(_ model: MeshModel, _ network: Network, comparesPorts: Bool = true) -> [String] {
        var model = model
        var byAddress: [IPv6Address: PortID] = [:]
        for index in network.ports.indices {
            byAddress[network.ports[index].configuration.linkLocalAddress] = port(network, index)
        }
        var found: [String] = []
        for node in network.nodes where node.isRunning {
            let predicted = model.routes(of: node.routerID)
            var real: [IPv6Prefix: ModelRoute] = [:]
            for (prefix, id) in node.routes.routes {
                var route = ModelRoute(node.routes.destinations[id]!, of: node.routerID)
                route.nextHops = node.routes.destinations[id]!.nextHops.map {
                    ModelRoute.Hop(
                        port: PortID(router: node.routerID, interfaceID: $0.interface), next: byAddress[$0.gateway])
                }
                real[prefix] = route
            }
            for prefix in Set(predicted.keys).union(real.keys) {
                // In the order of addresses in reality, of router IDs in the model.
                func comparable(_ route: ModelRoute?) -> ModelRoute? {
                    guard var route else { return nil }
                    if !comparesPorts {
                        let routers = Set(route.nextHops.map { $0.next!.router })
                        route.nextHops = routers.map {
                            ModelRoute.Hop(
                                port: PortID(router: node.routerID, interfaceID: 0),
                                next: PortID(router: $0, interfaceID: 0))
                        }
                    }
                    route.nextHops.sort { ($0.port, $0.next!) < ($1.port, $1.next!) }
                    return route
                }
                let (one, other) = (comparable(predicted[prefix]), comparable(real[prefix]))
                if one != other {
                    found.append(
                        "\(node.routerID) \(prefix): \(one.map { "\($0)" } ?? "-") ≠ \(other.map { "\($0)" } ?? "-")")
                }
            }
        }
        return Array(found.sorted().prefix(5))
    }
}
