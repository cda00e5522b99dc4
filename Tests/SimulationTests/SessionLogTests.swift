import Addressing
import BFD
import MeshConfiguration
import Node
import OSPF
import Simulation
import Testing
import Timing

/// The log of a node whose neighbors change all the time.
@Suite struct SessionLogTests {
    /// A node of a ring of four with sessions, which are Up.
    private func node() throws -> (MeshNode, Instant) {
        var plan = NetworkPlan(topology: .ring(4))
        for link in plan.links.indices { plan.links[link].bfd = BFDRule() }
        var network = Network(plan: plan, seed: 5)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        return (try #require(network.nodes[0].process), network.now)
    }

    /// What is logged, without lines for debugging.
    private func lines(_ effects: [NodeEffect]) -> [String] {
        effects.compactMap { if case .log(let level, let text, _) = $0, level > .debug { text } else { nil } }
    }

    /// Two sessions; one changes 100 times in a second. Its first 8 lines are logged, and the number of the others after 10 s. The other
    /// session has lines of its own.
    @Test func aSessionThatFlapsDoesNotFillTheLog() throws {
        var (node, now) = try node()
        let targets = node.bfd.targets.map(\.key)
        try #require(targets.count == 2)
        var effects: [NodeEffect] = []
        func report(_ index: Int, _ state: SessionState) {
            let report = SessionReport(targets[index], state, state == .up ? .none : .detectionTimeExpired)
            node.handle(.bfd([.session(report)]), at: now, effects: &effects)
        }
        for number in 0..<100 {
            now = now + .milliseconds(10)
            report(0, number % 2 == 0 ? .down : .up)
        }
        report(1, .down)
        let logged = lines(effects).filter { $0.hasPrefix("BFD session") }
        #expect(logged.count == 9)
        #expect(lines(effects).count == 12, "nine, both adjacencies are lost, and the node is cut off")
        let neighbor = try #require(node.router?.neighborSnapshots.first { $0.address == targets[0].address })
        let (label, port) = (node.label(of: neighbor.routerID), node.name(ofInterface: targets[0].interface))
        #expect(logged[0] == "BFD session with \(label) on \(port): Up to Down: control detection time expired")
        #expect(logged[1] == "BFD session with \(label) on \(port): Down to Up")
        effects = []
        node.handle(.timer, at: now + .seconds(10), effects: &effects)
        #expect(lines(effects).filter { $0.contains("BFD") } == ["92 more changes of BFD sessions on \(port) in 10 s"])
    }
}
