import Authentication
import MeshConfiguration
import Node
import OSPF
import Testing
import Timing

@testable import Simulation

/// How often each node gives each warning, and says that a problem is gone. Networks run on one thread.
private final class WarningCounter: @unchecked Sendable {
    var counts: [String: Int] = [:]
    var ended = 0

    func note(_ event: TraceEvent) {
        guard case .effect(let node, .log(let level, let text, _)) = event else { return }
        if level == .warning { counts["\(node): \(text)", default: 0] += 1 }
        if text.hasPrefix("no longer: ") { ended += 1 }
    }
}

/// Keys of simulated machines, and what the checker says when they are replaced wrongly.
@Suite struct RolloverTests {
    private static func options(_ ids: UInt16...) -> Configuration.AuthenticationOptions {
        var options = Configuration.AuthenticationOptions()
        options.keyFile = "keys.yaml"
        options.keys = KeyChain(
            ids.map { AuthenticationKey(id: $0, algorithm: .hmacSHA256, secret: Array("secret \($0)".utf8)) })
        return options
    }

    /// A ring whose nodes take these steps one after the other, 5 s apart, 30 s after the start.
    private static func ring(_ steps: [Configuration.AuthenticationOptions]) -> Network {
        var plan = NetworkPlan(topology: .ring(4))
        plan.authentication = options(1)
        var network = Network(plan: plan, seed: 3)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(30))
        for options in steps {
            for node in network.nodes.indices {
                network.schedule(.authentication(node: node, options), at: network.now)
                network.run(for: .seconds(5))
            }
        }
        network.run(for: .seconds(10))
        return network
    }

    @Test func noAdjacencyIsLostWhenKeysAreReplacedStepByStep() {
        let network = Self.ring([Self.options(1, 2), Self.options(2, 1), Self.options(2)])
        #expect(network.check() == [] && network.checkSteadiness(since: .zero + .seconds(30)) == [])
    }

    @Test func adjacenciesAreLostWhenAKeyIsUsedBeforeOthersHaveIt() {
        let network = Self.ring([Self.options(2, 1), Self.options(2)])
        #expect(network.check() == [])
        #expect(network.checkSteadiness(since: .zero + .seconds(30)).allSatisfy { $0.kind == .authentication })
        #expect(!network.checkSteadiness(since: .zero + .seconds(30)).isEmpty)
    }

    /// The second of the wall clock at the start of a simulation.
    private static let start: Int64 = 2_000_000_000

    /// A ring whose keys change by the clock 60 s after the start, and in which one node has another clock.
    private static func ringByTime(wallClock: Int64, warnings: WarningCounter? = nil) -> Network {
        var old = AuthenticationKey(id: 1, algorithm: .hmacSHA256, secret: [1])
        var new = AuthenticationKey(id: 2, algorithm: .hmacSHA256, secret: [2])
        (old.sending.until, old.acceptance.until) = (start + 65, start + 80)
        (new.sending.from, new.acceptance.from) = (start + 60, start + 40)
        var plan = NetworkPlan(topology: .ring(4))
        plan.authentication.keyFile = "keys.yaml"
        plan.authentication.keys = KeyChain([old, new])
        for node in plan.nodes.indices { plan.nodes[node].wallClock = node == 2 ? wallClock : start }
        var network = Network(plan: plan, seed: 3)
        if let warnings { network.observer = { _, observation in warnings.note(observation) } }
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(150))
        return network
    }

    @Test func aNodeWithoutAClockFollowsItsNeighbors() {
        var network = Self.ringByTime(wallClock: 1000)
        #expect(network.check() == [] && network.checkSteadiness(since: .zero + .seconds(30)) == [])
        let node = network.nodes[2].process!
        let uses = node.authentication.keyStates(at: network.localTime(of: 2)).filter { $0.state == .sending }
        #expect(uses.map(\.key.id).contains(2))
        #expect(node.authentication.peers.values.allSatisfy { $0.keyID == 2 })
        for neighbor in [1, 3] {
            #expect(network.nodes[neighbor].process!.authentication.peers.values.allSatisfy { $0.keyID == 2 })
        }
        #expect(node.currentProblems(at: network.localTime(of: 2)).map(\.kind) == [.clockNotSet])
        // Then its clock is set.
        network.schedule(.wallClock(node: 2, Self.start + 150), at: network.now)
        network.run(for: .seconds(20))
        #expect(network.checkSteadiness(since: .zero + .seconds(30)) == [])
        #expect(network.nodes[2].process!.currentProblems(at: network.localTime(of: 2)) == [])
    }

    /// A node whose clock is a day late loses its neighbors when keys change. Each of them says so once.
    @Test func aWrongClockDoesNotFloodTheLog() {
        let warnings = WarningCounter()
        _ = Self.ringByTime(wallClock: Self.start - 86400, warnings: warnings)
        #expect(!warnings.counts.isEmpty)
        #expect(warnings.counts.values.allSatisfy { $0 == 1 }, "\(warnings.counts)")
    }

    /// Somebody whose packets are refused is one problem for as long as the packets come, also if they come from the address of a neighbor.
    @Test(arguments: [Forgery.stranger, .impostor, .wrongKey]) func aStrangerIsOneProblem(forgery: Forgery) {
        var network = Self.ring([])
        let warnings = WarningCounter()
        network.observer = { _, event in warnings.note(event) }
        for _ in 0..<60 {
            network.schedule(.forge(link: 0, end: 0, forgery), at: network.now)
            network.run(for: .seconds(5))
        }
        #expect(warnings.counts.count == 1 && warnings.counts.values.allSatisfy { $0 == 1 }, "\(warnings.counts)")
        #expect(warnings.ended == 0)
        let remedy = forgery == .impostor ? "somebody else sends them" : "give it the key if it belongs to the mesh"
        #expect(warnings.counts.keys.allSatisfy { $0.contains(remedy) }, "\(warnings.counts)")
        network.run(for: .seconds(180))
        #expect(warnings.ended == 1 && warnings.counts.count == 1)
    }

    /// A damaged packet of a neighbor now and then is none.
    @Test func damagedPacketsOfANeighborAreNoProblem() {
        var network = Self.ring([])
        let warnings = WarningCounter()
        network.observer = { _, event in warnings.note(event) }
        for _ in 0..<10 {
            network.schedule(.forge(link: 0, end: 0, .changed), at: network.now)
            network.run(for: .seconds(130))
        }
        #expect(warnings.counts == [:] && warnings.ended == 0)
    }

    @Test(arguments: Forgery.allCases)
    func forgedPacketsAreCountedAndChangeNothing(forgery: Forgery) {
        var network = Self.ring([])
        let node = network.ports[network.links[0].ports[0]].node
        let before = network.nodes[node].process!.authentication.refusals.values.reduce(0, +)
        for _ in 0..<10 {
            network.schedule(.forge(link: 0, end: 0, forgery), at: network.now)
            network.run(for: .milliseconds(700))
        }
        let after = network.nodes[node].process!.authentication.refusals.values.reduce(0, +)
        #expect(network.violations == [] && after - before == 10)
    }
}
