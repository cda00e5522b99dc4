import Authentication
import MeshConfiguration
import Node
import OSPF
import Testing
import Timing

@testable import Simulation

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
