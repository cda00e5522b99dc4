import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@testable import Simulation

/// A cable that comes and goes slows the LSAs of its ends (MinLSInterval), and must not take the other ways with it.
@Suite struct FlappingCableTests {
    private static func ring() -> Network {
        var plan = NetworkPlan(topology: .ring(6))
        for node in plan.nodes.indices { plan.nodes[node].prefixes = [AdvertisedPrefix(prefix: prefix(of: node))] }
        var network = Network(plan: plan, seed: 1)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(30))
        return network
    }

    private static func prefix(of node: Int) -> IPv6Prefix {
        IPv6Prefix(IPv6Address(high: 0x2001_0db8_0000_0000 | UInt64(node + 1), low: 0), length: 64)
    }

    /// The cable between nodes 2 and 3 flaps 40 times, four times a second, and then stays down.
    private static func flap(_ network: inout Network) {
        for _ in 0..<40 {
            network.schedule(.carrier(link: 2, isUp: false), at: network.now)
            network.run(for: .milliseconds(100))
            network.schedule(.carrier(link: 2, isUp: true), at: network.now)
            network.run(for: .milliseconds(150))
        }
        network.schedule(.carrier(link: 2, isUp: false), at: network.now)
    }

    /// The node at the cable has a route the other way at once, whatever its own router-LSA still says.
    @Test func theNodeAtTheCableRoutesAroundItAtOnce() {
        var network = Self.ring()
        Self.flap(&network)
        network.run(for: .milliseconds(50))
        #expect(network.nodes[2].routes.routes[Self.prefix(of: 3)] != nil)
        #expect(network.nodes[3].routes.routes[Self.prefix(of: 2)] != nil)
    }

    /// All others know within 1.3 s that it is gone: a router-LSA that takes a link away waits for 1.2 s at most.
    @Test func allNodesKnowSoonThatTheCableIsGone() {
        var network = Self.ring()
        Self.flap(&network)
        network.run(for: .milliseconds(1300))
        for node in [0, 1, 4, 5] {
            let lsas = network.nodes[node].router!.databaseSnapshot(at: network.localTime(of: node)).map(\.lsa)
            for lsa in lsas {
                guard case .router(let body)? = try? lsa.body() else { continue }
                let (two, three) = (network.nodes[2].routerID, network.nodes[3].routerID)
                let other = [two: three, three: two][lsa.key.advertisingRouter]
                #expect(!body.links.contains { $0.neighborRouterID == other }, "node \(node)")
            }
        }
        network.run(for: .seconds(20))
        #expect(network.check() == [])
    }

    /// What comes back is announced every 5 s at most: a cable that flaps for a minute causes few router-LSAs.
    @Test func aFlappingCableCausesFewLSAs() {
        var network = Self.ring()
        func instances() -> Int {
            let ends = [2, 3].map { network.nodes[$0].routerID }
            return network.nodes[2].router!.databaseSnapshot(at: network.localTime(of: 2)).map(\.lsa).filter {
                $0.key.type == .router && ends.contains($0.key.advertisingRouter)
            }.reduce(0) { $0 + Int($1.header.sequenceNumber - LSAHeader.initialSequenceNumber) }
        }
        let before = instances()
        for _ in 0..<6 { Self.flap(&network) }
        // Two nodes, two instances in 5 s each, for a minute, and those of the beginning.
        #expect(instances() - before < 2 * (2 * 12 + 16), "\(instances() - before)")
        network.run(for: .seconds(20))
        #expect(network.check() == [])
    }
}
