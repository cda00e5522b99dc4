import Addressing
import OSPF
import Services
import Testing
import Timing

@testable import MeshModel
@testable import Simulation

/// What changes do to a mesh as a whole, compared with all ways, enumerated in the simplest manner.
@Suite struct ImpactTests {
    /// Everything fails once. Who is cut off follows from who reaches whom, which is tried for each pair.
    @Test(arguments: 0..<12)
    func singlePointsOfFailureAreThoseThatCutOff(seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        let topology = random.pick([
            Topology.random(nodes: 7, extra: 2), .tree(6), .lans(segments: 2, nodesEach: 3, cables: 1), .ring(5),
        ])!
        var model = Self.model(topology, seed: UInt64(seed))
        if seed % 3 == 0 { model = try model.applying([.drain(model.routers[1])]) }
        let found = model.singleFailures()
        #expect(found.routerCount == model.routers.count)
        for router in model.routers {
            let expected = Self.cutOff(model, try model.applying([.failRouter(router)]))
            let cutOff = found.points.first { $0.cause == .router(router) }?.cutOff ?? []
            #expect(cutOff.isEmpty == !expected, "\(topology): router \(router)")
            #expect(try model.impact(of: [.failRouter(router)]).cutsOff == expected)
        }
        for link in model.allLinks() {
            let change = Change.failPorts(link.isSegment ? link.ends.map(\.port) : [link.ends[0].port])
            let expected = Self.cutOff(model, try model.applying([change]))
            let cutOff = found.points.first { $0.cause == .link(link) }?.cutOff ?? []
            #expect(cutOff.isEmpty == !expected, "\(topology): \(link)")
            #expect(try model.impact(of: [change]).cutsOff == expected)
        }
    }

    @Test func aLineBreaksInTwoAndARingGetsLonger() throws {
        let line = Self.model(.line(4), seed: 0)
        let cut = try line.impact(of: [.failRouter(line.routers[1])])
        #expect(cut.cutsOff && cut.failed == [line.routers[1]])
        #expect(cut.parts == [[line.routers[2], line.routers[3]], [line.routers[0]]])
        #expect(cut.gone.contains(IPv6Prefix("2001:db8:0:2::/64")!))
        let ring = Self.model(.ring(5), seed: 0)
        let link = ring.routers.prefix(2)
        var copy = ring
        let failure = try copy.failure(parsing: "\(link[0])-\(link[1])")
        let detour = try ring.impact(of: [failure])
        #expect(!detour.cutsOff && detour.pairCount == 20 && detour.shorterCount == 0)
        // Between the two ends (10 → 40), and between each end and the neighbor of the other (20 → 30), in both directions.
        #expect(detour.longerCount == 6)
        #expect(detour.longer.prefix(2).map(\.after) == [40, 40] && detour.longer[2].after == 30)
    }

    /// VIPs lose holders, and parts of the mesh lose VIPs.
    @Test func holdersOfAddressesAreLost() throws {
        let model = Self.model(.line(4), seed: 0, holders: [0, 1])
        let vip = IPv6Prefix(host: IPv6Address("2001:db8:ffff::1")!)
        let first = try model.impact(of: [.failRouter(model.routers[0])])
        #expect(first.losses.map(\.prefix) == [vip] && first.losses[0].after == [model.routers[1]])
        #expect(first.losses[0].partsWithout == [])
        var copy = model
        let cable = try copy.failure(parsing: "\(model.routers[1])-\(model.routers[2])")
        let second = try model.impact(of: [cable])
        #expect(second.losses.count == 1 && second.losses[0].after.count == 2)
        #expect(second.losses[0].partsWithout.map { second.parts[$0] } == [[model.routers[2], model.routers[3]]])
        let single = Self.model(.line(2), seed: 0, holders: [1])
        var asked = single
        #expect(asked.singleFailures().singleHolders.map(\.prefix) == [vip])
        #expect(asked.singleFailures().singleHolders.map(\.holder) == [single.routers[1]])
    }

    /// All ways of a grid from corner to corner: with equal costs, as many as there are shortest walks.
    @Test func allEqualWaysAreFound() throws {
        var model = Self.model(.grid(width: 4, height: 4), seed: 0)
        let (first, last) = (model.routers[0], model.routers[15])
        let ways = model.ways(from: first, to: .router(last))
        #expect(ways.cost == 60 && ways.count == 20 && ways.ends == [last] && ways.steps.count == 16)
        let address = IPv6Address("2001:db8:0:10::5")!
        let toAddress = model.ways(from: first, to: .prefix(IPv6Prefix(host: address)))
        #expect(toAddress.prefix == IPv6Prefix("2001:db8:0:10::/64") && toAddress.count == 20 && toAddress.cost == 60)
        #expect(model.ways(from: first, to: .prefix(IPv6Prefix("2001:db8:1::1/128")!)).count == 0)
        // A prefix is looked up as it is, not by an address in it.
        #expect(model.ways(from: first, to: .prefix(IPv6Prefix("2001:db8::/32")!)).count == 0)
        #expect(model.ways(from: first, to: .prefix(IPv6Prefix("2001:db8:0:10:1::/80")!)).count == 20)
        #expect(
            model.ways(from: last, to: .prefix(IPv6Prefix(host: address))).steps == [last: .deliver(toAddress.prefix)])
    }

    @Test func namesAreUnderstoodAndMistakesExplained() throws {
        var model = Self.model(.line(3), seed: 0)
        let names = model.routers.map(\.description)
        #expect(try model.failure(parsing: names[0]) == .failRouter(model.routers[0]))
        guard case .failPorts(let ports) = try model.failure(parsing: "\(names[0])-\(names[1])") else {
            Issue.record("no ports")
            return
        }
        #expect(Set(ports.map(\.router)) == [model.routers[0], model.routers[1]])
        #expect(try model.failure(parsing: "\(names[0]):eth0", portNames: [ports[0]: "eth0"]) == .failPorts([ports[0]]))
        #expect(try model.failure(parsing: "\(names[0]):\(ports[0].interfaceID)") == .failPorts([ports[0]]))
        #expect(try model.cost(parsing: "\(names[0])-\(names[1])=7") == .cost(ports, 7))
        #expect(
            try model.addition(parsing: "\(names[0])-\(names[2])")
                == .addLink(model.routers[0], model.routers[2], cost: 10))
        for text in ["", "n9", "-", "\(names[0])-", "\(names[0])-\(names[0])", "\(names[0]):", "\(names[0]):9999"] {
            #expect(throws: ChangeError.self, "\(text)") { try model.failure(parsing: text) }
        }
        // There is no cable between the first and the last.
        #expect(throws: ChangeError.self) { try model.failure(parsing: "\(names[0])-\(names[2])") }
        for text in ["\(names[0])-\(names[1])", "\(names[0])-\(names[1])=0", "\(names[0])-\(names[1])=65536", "=1"] {
            #expect(throws: ChangeError.self, "\(text)") { try model.cost(parsing: text) }
        }
    }

    // MARK: - Helpers

    /// Whether a pair that reached each other does so no more.
    private static func cutOff(_ before: MeshModel, _ after: MeshModel) -> Bool {
        var (before, after) = (before, after)
        return after.routers.contains { from in
            after.routers.contains { to in
                before.ways(from: from, to: .router(to)).count > 0 && after.ways(from: from, to: .router(to)).count == 0
            }
        }
    }

    private static func model(_ topology: Topology, seed: UInt64, holders: [Int] = []) -> MeshModel {
        var plan = NetworkPlan(topology: topology, seed: seed)
        for node in plan.nodes.indices {
            let base = IPv6Address(high: 0x2001_0db8_0000_0000 | UInt64(node + 1), low: 0)
            plan.nodes[node].prefixes = [AdvertisedPrefix(prefix: IPv6Prefix(base, length: 64))]
            if holders.contains(node) {
                plan.nodes[node].vips = [VIP(name: "api", address: IPv6Address("2001:db8:ffff::1")!)]
            }
        }
        var network = Network(plan: plan, seed: seed)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        return MeshModel(network.nodes[0].router!.databaseSnapshot(at: network.localTime(of: 0)).map(\.lsa))
    }
}
