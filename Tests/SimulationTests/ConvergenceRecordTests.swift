import Addressing
import Node
import OSPF
import Synchronization
import Testing
import Timing

@testable import Simulation

/// What nodes tell of changes of routes: the cause, what moved, and when the kernel had it.
@Suite struct ConvergenceRecordTests {
    /// Records by node.
    private final class Records: Sendable {
        let all = Mutex<[Int: [Convergence]]>([:])

        func take(of node: Int) -> [Convergence] {
            all.withLock { all in
                defer { all[node] = nil }
                return all[node] ?? []
            }
        }
    }

    private static func network(_ topology: Topology) -> (Network, Records) {
        let records = Records()
        var network = Network(plan: NetworkPlan(topology: topology), seed: 1)
        network.observer = { _, event in
            guard case .effect(let node, .converged(let convergence)) = event else { return }
            records.all.withLock { $0[node, default: []].append(convergence) }
        }
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(30))
        for node in network.nodes.indices { _ = records.take(of: node) }
        return (network, records)
    }

    /// The loss of a cable far away is one record, with the LSAs that told of it and what goes the other way now.
    @Test func aFarCableIsTold() throws {
        var (network, records) = Self.network(.ring(6))
        // Between nodes 2 and 3; from node 0, node 3 is reached by both ways, and by one then.
        network.schedule(.carrier(link: 2, isUp: false), at: network.now)
        network.run(for: .seconds(10))
        let found = records.take(of: 0)
        let record = try #require(found.first)
        #expect(found.count == 1 && record.causeCount == record.causes.count)
        let texts: Set = ["router-LSA of n2: link to n3 gone", "router-LSA of n3: link to n2 gone"]
        #expect(!texts.isDisjoint(with: record.causes) && texts.isSuperset(of: record.causes))
        #expect(record.moves.map(\.destinations) == [["n3"]])
        #expect(record.moves.map(\.neighbors) == [["n5"]])
        #expect(record.lost.isEmpty && record.gained.isEmpty)
        #expect(record.installed - record.began < .milliseconds(20))
        #expect(record.text.hasPrefix("n3 by way of n5; cause: router-LSA of "))
    }

    /// Nodes that are cut off are named, and those that are back.
    @Test func whoIsCutOffIsNamed() throws {
        var (network, records) = Self.network(.line(4))
        network.schedule(.carrier(link: 1, isUp: false), at: network.now)
        network.run(for: .seconds(10))
        let cut = try #require(records.take(of: 0).first)
        #expect(cut.lost == ["n2", "n3"] && cut.moves.isEmpty && cut.lostCount >= 2)
        #expect(cut.text.hasPrefix("no route any more to n2, n3; cause: router-LSA of n1: "))
        network.schedule(.carrier(link: 1, isUp: true), at: network.now)
        network.run(for: .seconds(20))
        #expect(Set(records.take(of: 0).flatMap(\.gained)) == ["n2", "n3"])
    }

    /// A node that leaves in order withdraws everything, its name, too, and is told by its name all the same.
    @Test func aNodeThatLeavesIsNamed() throws {
        var (network, records) = Self.network(.ring(4))
        network.schedule(.shutdown(node: 2), at: network.now)
        network.run(for: .seconds(10))
        let found = records.take(of: 0)
        #expect(Set(found.flatMap(\.lost)) == ["n2"], "\(found.map(\.text))")
        let causes = found.flatMap(\.causes)
        #expect(causes.contains { $0.contains(" of n2") } && !causes.contains { $0.contains("0.0.0.") }, "\(causes)")
    }

    /// Drains and costs are told in their own words; nothing is told where no route changes.
    @Test func drainsAndCostsAreTold() throws {
        var (network, records) = Self.network(.ring(4))
        network.schedule(.drain(node: 1, true), at: network.now)
        network.run(for: .seconds(10))
        let drained = records.take(of: 0).flatMap(\.causes)
        #expect(drained == ["router-LSA of n1: others shall route around it"])
        network.schedule(.drain(node: 1, false), at: network.now)
        network.run(for: .seconds(10))
        _ = records.take(of: 0)
        network.schedule(.cost(link: 1, end: 0, 50), at: network.now)
        network.run(for: .seconds(10))
        let cost = try #require(records.take(of: 0).first)
        #expect(cost.causes.contains { $0.contains("cost of the link to n2 10 → 50") }, "\(cost.causes)")
        for node in network.nodes.indices { _ = records.take(of: node) }
        network.run(for: .seconds(100))
        #expect(network.nodes.indices.allSatisfy { records.take(of: $0).isEmpty })
    }
}
