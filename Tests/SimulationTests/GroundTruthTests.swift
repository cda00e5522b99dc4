import Addressing
import OSPF
import Testing
import Timing

@testable import Simulation

/// Tests that simulate meshes rely on the oracle. Here it is compared with something simpler: all simple paths, enumerated.
@Suite struct GroundTruthTests {
    @Test(arguments: 0..<60)
    func theOracleAgreesWithAllSimplePaths(seed: Int) {
        let network = Self.network(seed: UInt64(seed))
        let truth = GroundTruth(of: network)
        for source in network.nodes.indices {
            for target in network.nodes.indices where target != source {
                let (distance, steps) = Self.allPaths(from: source, to: target, truth)
                #expect(min(truth.distances[source][target], GroundTruth.unreachable) == distance)
                guard distance < GroundTruth.unreachable else { continue }
                let found = Set(truth.firstSteps(from: source, to: target).map { [$0.exit, $0.entry] })
                #expect(found == steps, "first steps from \(source) to \(target)")
            }
        }
    }

    /// A small mesh of cables and segments. In some, a node is off, a node is a stub router or one direction of a cable is cut.
    private static func network(seed: UInt64) -> Network {
        var random = RandomSource(seed: seed)
        let count = 5
        var plan = NetworkPlan(nodes: (0..<count).map { NodePlan(routerID: RouterID(UInt32($0 + 1))) }, links: [])
        for _ in 0..<random.number(in: 3...7) {
            var members = Array(0..<count)
            random.shuffle(&members)
            members.removeLast(random.number(in: 2...3))
            let isSegment = members.count > 2
            let ends = members.map { EndPlan(node: $0, cost: UInt16(random.number(in: 1...4)), kind: .broadcast) }
            plan.links.append(LinkPlan(ends: ends, isSegment: isSegment))
        }
        var network = Network(plan: plan, seed: seed)
        network.schedule(.healAll, at: .zero)
        if random.chance(0.3) { network.schedule(.powerOff(node: random.below(count)), at: .zero) }
        if random.chance(0.5) { network.schedule(.stub(node: random.below(count), true), at: .zero) }
        if random.chance(0.5) {
            network.schedule(.cut(link: 0, from: 0, to: 1, isCut: true), at: .zero)
            network.schedule(.healHalfCuts, at: .zero)
        }
        network.run(until: .zero)
        return network
    }

    /// The length of the shortest of all simple paths, and the first steps (exit and entry) of those of that length. No path
    /// leads through a stub router.
    private static func allPaths(from source: Int, to target: Int, _ truth: GroundTruth) -> (Int, Set<[Int]>) {
        var best = GroundTruth.unreachable
        var steps: Set<[Int]> = []
        func walk(_ vertex: Int, visited: Set<Int>, length: Int, exit: Int?, entry: Int?) {
            if vertex == target {
                if length < best { (best, steps) = (length, []) }
                if length == best { steps.insert([exit!, entry!]) }
                return
            }
            if vertex < truth.nodeCount, truth.isStub[vertex], vertex != source { return }
            for edge in truth.edges[vertex] where !visited.contains(edge.to) {
                walk(
                    edge.to, visited: visited.union([edge.to]), length: length + edge.cost, exit: exit ?? edge.exit,
                    entry: entry ?? edge.entry)
            }
        }
        walk(source, visited: [source], length: 0, exit: nil, entry: nil)
        return (best, steps)
    }

    /// The cost of a link is 10. A cable that is cut in one direction carries nothing in the other either, as no adjacency
    /// forms.
    @Test func noPathLeadsOverACutCableOrToANodeWithoutPower() {
        let ends = [EndPlan(node: 0), EndPlan(node: 1)]
        let plan = NetworkPlan(
            nodes: [NodePlan(routerID: RouterID(1)), NodePlan(routerID: RouterID(2))], links: [LinkPlan(ends: ends)])
        var network = Network(plan: plan, seed: 1)
        network.schedule(.healAll, at: .zero)
        network.run(until: .zero)
        #expect(GroundTruth(of: network).distances == [[0, 10], [10, 0]])
        var oneWay = network
        oneWay.schedule(.cut(link: 0, from: 1, to: 0, isCut: true), at: .zero)
        oneWay.run(until: .zero)
        #expect(!GroundTruth(of: oneWay).canReach(1, from: 0) && !GroundTruth(of: oneWay).canReach(0, from: 1))
        network.schedule(.powerOff(node: 1), at: .zero)
        network.run(until: .zero)
        #expect(!GroundTruth(of: network).canReach(1, from: 0))
        #expect(GroundTruth(of: network).components == [[0]])
    }

    /// A line of nodes 0 to 3, at cost 10, with router IDs 1 to 4. Nodes 0 and 3 announce the anycast prefix. Nodes 0 and 2
    /// import the external prefixes at metrics 25 and 20: from node 1, both nodes are 10 away.
    @Test func anycastUsesTheNearestAnnouncerAndExternalsAreComparedByType() throws {
        let plan = NetworkPlan(
            nodes: (1...4).map { NodePlan(routerID: RouterID($0)) },
            links: (0..<3).map { LinkPlan(ends: [EndPlan(node: $0), EndPlan(node: $0 + 1)]) })
        let anycast = try #require(IPv6Prefix("2001:db8::1/128"))
        let type1 = try #require(IPv6Prefix("2001:db8:1::/48"))
        let type2 = try #require(IPv6Prefix("2001:db8:2::/48"))
        var network = Network(plan: plan, seed: 1)
        network.schedule(.healAll, at: .zero)
        for node in [0, 3] {
            network.schedule(.announce(node: node, [AdvertisedPrefix(prefix: anycast)]), at: .zero)
        }
        for (node, metric) in [(0, UInt32(25)), (2, 20)] {
            for (prefix, isType2) in [(type1, false), (type2, true)] {
                let external = ExternalPrefix(prefix: prefix, metric: metric, isType2: isType2)
                network.schedule(.announceExternal(node: node, external), at: .zero)
            }
        }
        network.run(until: .zero)
        let expected = ExpectedRoutes(of: network, truth: GroundTruth(of: network))
        func route(_ source: Int, _ prefix: IPv6Prefix) throws -> ExpectedRoutes.Route? {
            let group = try #require(expected.groups.first { $0.prefixes.contains(prefix) })
            return expected.route(from: source, to: group, in: network)
        }
        #expect(try route(1, anycast)?.announcers == [RouterID(1)])
        #expect(try route(1, anycast)?.metric == 10)
        #expect(try route(2, anycast)?.announcers == [RouterID(4)])
        #expect(try route(0, anycast) == nil)
        #expect(try route(1, type1)?.announcers == [RouterID(3)])
        #expect(try route(1, type1)?.metric == 30)
        #expect(try route(1, type2)?.announcers == [RouterID(3)])
        #expect(try route(1, type2).map { [$0.metric, $0.internalMetric] } == [20, 10])
    }
}
