import Addressing
import Node
import Simulation
import Testing
import Timing

/// Two nodes with the same configured router ID, two hops apart. Neither may change it, and both have a problem; the node
/// between them has another.
@Suite struct DuplicateRouterIDTests {
    @Test func aConfiguredDuplicateTwoHopsAwayIsAProblemOfBoth() throws {
        var plan = NetworkPlan(topology: .line(3))
        plan.nodes[2].routerID = plan.nodes[0].routerID
        var network = Network(plan: plan, seed: 3)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(90))
        for index in [0, 2] {
            let node = try #require(network.nodes[index].process)
            let problems = node.problems.all.filter { $0.kind == .duplicateRouterID }
            #expect(
                problems.map(\.subject) == ["\(plan.nodes[0].routerID)"],
                "the duplicate router ID is a problem of n\(index)")
        }
        let between = try #require(network.nodes[1].process)
        let problems = between.problems.all.filter { $0.kind == .duplicateRouterIDElsewhere }
        #expect(problems.map(\.subject) == ["\(plan.nodes[0].routerID)"])
    }
}
