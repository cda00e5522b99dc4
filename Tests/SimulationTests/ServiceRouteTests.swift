import Addressing
import Links
import OSPF
import Testing
import Timing

@testable import Simulation

/// Service routes of simulated machines, and what the checker says of them.
@Suite struct ServiceRouteTests {
    private static let range = IPv6Prefix("10.96.0.0/12")!

    /// Two nodes whose cluster tells a range, after 20 s.
    private static func pair() -> Network {
        var plan = NetworkPlan(topology: .line(2))
        for node in plan.nodes.indices { plan.nodes[node].serviceRanges = [range] }
        var network = Network(plan: plan, seed: 5)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        return network
    }

    private func routes(_ network: Network) -> [Bool] { network.nodes.map { $0.kernel.serviceRoutes == [Self.range] } }

    @Test func theyExistWhereNoOtherRouteCoversTheRange() {
        var network = Self.pair()
        #expect(network.check() == [] && routes(network) == [true, true])
        network.schedule(.defaultRoute(node: 0, .ipv4, exists: true), at: network.now)
        network.run(for: .milliseconds(10))
        #expect(network.check() == [] && routes(network) == [false, true])
        // Node 0 announces a default route, and has none by others any more.
        network.schedule(.defaultRoute(node: 0, .ipv4, exists: false), at: network.now)
        let gateway = AdvertisedPrefix(prefix: IPv6Prefix("0.0.0.0/0")!)
        network.schedule(.announce(node: 0, [gateway]), at: network.now)
        network.run(for: .seconds(10))
        #expect(network.check() == [] && routes(network) == [true, false])
    }

    @Test func aRouteThatIsNotNeededIsReported() {
        var network = Self.pair()
        network.schedule(.kernelTrouble(node: 0, isUnreachable: true, delay: .zero), at: network.now)
        network.schedule(.defaultRoute(node: 0, .ipv4, exists: true), at: network.now)
        network.run(for: .milliseconds(10))
        let findings = network.check()
        #expect(
            findings.contains { $0.kind == .kernel && $0.detail.contains("has the service routes [\"10.96.0.0/12\"]") })
    }
}
