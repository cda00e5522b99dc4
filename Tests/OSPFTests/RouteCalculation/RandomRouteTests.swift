import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct RandomRouteTests {
    /// Changes an area step by step. After each step, compares the route table with the oracle, and the update with the table
    /// before.
    private func check(seed: UInt64, routers: UInt32, cables: Int, segments: Int, steps: Int) {
        var randomArea = RandomArea(seed: seed, routers: routers, cables: cables, segments: segments)
        let root: RouterID = 1
        randomArea.flood(all: true)
        var neighbors = randomArea.neighbors(of: root)
        for step in 0..<steps {
            // In four of eight steps links and routers stay, so that often only prefixes are calculated.
            let changesTopology = step % 8 < 4
            for _ in 0..<1 + randomArea.below(3) { randomArea.change(topology: changesTopology) }
            randomArea.flood(all: randomArea.below(4) == 0)
            // In the first two of eight steps, about one of nine neighbors is not usable.
            if changesTopology {
                neighbors = randomArea.neighbors(of: root).filter { _ in step % 8 > 1 || randomArea.below(9) != 0 }
            }
            let old = randomArea.area.table
            let update = randomArea.area.run(root, neighbors)
            let problem =
                problem(in: update, after: old, giving: randomArea.area.table)
                ?? difference(
                    RouteOracle(
                        randomArea.area.bodies, root: root, neighbors: neighbors, isBackbone: randomArea.isBackbone
                    ).routes(), randomArea.area.table)
            guard problem == nil else {
                Issue.record("seed \(seed), step \(step): \(problem!)")
                return
            }
        }
    }

    /// The first prefix whose route is not as expected; `nil` if all are.
    private func difference(_ expected: [IPv6Prefix: RouteOracle.Path], _ table: RouteTable) -> String? {
        for prefix in Set(expected.keys).union(table.routes.keys).sorted() {
            let found = table.routes[prefix].map { table.destinations[$0]! }.map {
                RouteOracle.Path(
                    kind: $0.kind, metric: Int($0.metric), internalMetric: Int($0.internalMetric),
                    announcers: Set($0.announcers), nextHops: Set($0.nextHops))
            }
            if expected[prefix] != found {
                return "\(prefix): \(String(describing: found)), not \(String(describing: expected[prefix]))"
            }
        }
        return nil
    }

    /// What is wrong with an update: it sets or releases something twice, sets it to what it was before or releases what was
    /// not set, announcers or next hops are out of order, or destinations and routes do not match. `nil` if nothing is wrong.
    private func problem(in update: RouteTableUpdate, after old: RouteTable, giving new: RouteTable) -> String? {
        if Set(update.destinations.map(\.id)).count != update.destinations.count { return "a destination set twice" }
        if Set(update.routes.map(\.prefix)).count != update.routes.count { return "a route set twice" }
        if Set(update.released).count != update.released.count { return "a destination released twice" }
        for (id, destination) in update.destinations {
            if old.destinations[id] == destination { return "destination \(id.rawValue) set to its earlier value" }
            if destination.announcers != Set(destination.announcers).sorted() { return "announcers out of order" }
            if destination.nextHops != Set(destination.nextHops).sorted() { return "next hops out of order" }
        }
        for (prefix, id) in update.routes where old.routes[prefix] == id {
            return "route \(prefix) set to its earlier value"
        }
        for id in update.released where old.destinations[id] == nil {
            return "destination \(id.rawValue) released, but not set before"
        }
        if Set(new.routes.values) != Set(new.destinations.keys) {
            return "destinations without routes, or routes without destinations"
        }
        return nil
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func sparseAreasAgreeWithTheOracle(seed: UInt64) {
        check(seed: seed, routers: 9, cables: 10, segments: 2, steps: 40)
    }

    @Test(arguments: 100..<112 as Range<UInt64>)
    func denseAreasAgreeWithTheOracle(seed: UInt64) {
        check(seed: seed, routers: 7, cables: 16, segments: 3, steps: 40)
    }

    /// After many changes, the table is the same as that of a new calculation over the same database.
    @Test func aTableAfterManyChangesEqualsThatOfANewCalculation() {
        var randomArea = RandomArea(seed: 7, routers: 40, cables: 70, segments: 6)
        let root: RouterID = 1
        for step in 0..<1500 {
            randomArea.change()
            randomArea.flood()
            randomArea.area.run(root, randomArea.neighbors(of: root))
            guard step % 100 == 0 else { continue }
            var fresh = Area(isBackbone: randomArea.isBackbone)
            for key in randomArea.area.bodies.keys { fresh.set(key, randomArea.area.bodies[key]) }
            fresh.run(root, randomArea.neighbors(of: root))
            for prefix in Set(fresh.table.routes.keys).union(randomArea.area.table.routes.keys) {
                #expect(fresh.route(prefix) == randomArea.area.route(prefix))
            }
        }
        // Nothing is left when all is gone.
        for key in randomArea.area.bodies.keys { randomArea.area.set(key, nil) }
        randomArea.area.run(root, [])
        #expect(randomArea.area.table.routes.isEmpty && randomArea.area.table.destinations.isEmpty)
        #expect(randomArea.area.calculation.topology.vertexCount == 0)
        #expect(randomArea.area.calculation.prefixes.isEmpty)
    }

    /// Nothing in an update depends on the order of hash tables, which differs between two equal ones.
    @Test func theSameChangesGiveTheSameUpdates() {
        func updates() -> [RouteTableUpdate] {
            var randomArea = RandomArea(seed: 11, routers: 20, cables: 40, segments: 4)
            return (0..<100).map { _ in
                randomArea.change()
                randomArea.flood()
                return randomArea.area.run(1, randomArea.neighbors(of: 1))
            }
        }
        #expect(updates() == updates())
    }
}
