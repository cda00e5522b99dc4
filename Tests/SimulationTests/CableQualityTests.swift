import Liveness
import MeshConfiguration
import Node
import OSPF
import Simulation
import Testing
import Timing

/// Cables that are bad and not dead, in virtual time.
@Suite struct CableQualityTests {
    /// A ring of four with echo requests at the default interval.
    private func ring(isOn: Bool = true) -> Network {
        var plan = NetworkPlan(topology: .ring(4))
        for link in plan.links.indices {
            plan.links[link].liveness = .onCables
            plan.links[link].isQualityOn = isOn
        }
        var network = Network(plan: plan, seed: 5)
        network.schedule(.healAll, at: .zero)
        network.run(for: .seconds(20))
        return network
    }

    private func avoided(_ network: Network) -> Int {
        network.nodes.reduce(0) { $0 + ($1.process?.avoidedPorts.count ?? 0) }
    }

    /// With 2 % loss for ten minutes, both ends avoid the cable within a minute and a half, and once: routes do not swing. They
    /// use it again minutes after it is good.
    @Test(arguments: [true, false]) func aLossyCableIsAvoidedOnce(isOn: Bool) {
        var network = ring(isOn: isOn)
        var bad = network.links[1].quality
        bad.loss = 0.01
        network.schedule(.quality(link: 1, bad), at: network.now)
        network.run(for: .seconds(90))
        #expect(avoided(network) == (isOn ? 2 : 0))
        network.run(for: .seconds(510))
        #expect(avoided(network) == (isOn ? 2 : 0) && network.statistics.qualityChanges == (isOn ? 2 : 0))
        #expect(network.check() == [], "nothing is unreachable, and routes are those of the costs")
        bad.loss = 0
        network.schedule(.quality(link: 1, bad), at: network.now)
        network.run(for: .seconds(60))
        #expect(avoided(network) == (isOn ? 2 : 0))
        network.run(for: .seconds(120))
        #expect(avoided(network) == 0 && network.statistics.qualityChanges == (isOn ? 4 : 0))
        #expect(network.check() == [])
    }

    /// All cables lose packets: all are avoided, so none is, and everything is reachable. A node changes both of its costs at
    /// once or 5 s apart.
    @Test func ifAllCablesAreBadAllAreUsed() {
        var network = ring()
        for link in network.links.indices {
            var bad = network.links[link].quality
            bad.loss = 0.02
            network.schedule(.quality(link: link, bad), at: network.now)
        }
        network.run(for: .seconds(300))
        #expect(avoided(network) == 8 && network.statistics.qualityChanges <= 8)
        #expect(network.check() == [] && network.violations == [])
    }

    /// Something drops packets over 1400 octets.
    @Test func aSmallerMTUBetweenTheEndsIsFound() {
        var network = ring()
        var bad = network.links[0].quality
        bad.largestPacket = 1400
        network.schedule(.quality(link: 0, bad), at: network.now)
        network.run(for: .seconds(120))
        #expect(avoided(network) == 2)
        let texts = network.nodes.flatMap { node in
            node.process?.problems.all.filter { $0.kind == .packetSize } ?? []
        }.map(\.text)
        #expect(texts.count == 2 && texts.allSatisfy { $0.hasPrefix("packets over 1400 octets do not arrive") })
        #expect(network.check() == [])
    }

    /// A cable that flaps every 3 s for two minutes: the others of the mesh learn of its flaps, as ever, but nobody takes it into
    /// use while it does, and it is used again within two minutes after the last time.
    @Test func aFlappingCableIsHeldOff() {
        var network = ring()
        for _ in 0..<40 {
            network.schedule(.carrier(link: 2, isUp: false), at: network.now)
            network.run(for: .seconds(1))
            network.schedule(.carrier(link: 2, isUp: true), at: network.now)
            network.run(for: .seconds(2))
        }
        #expect(avoided(network) == 2)
        #expect(network.violations == [] && network.check() == [])
        network.run(for: .seconds(70))
        #expect(avoided(network) == 0 && network.check() == [])
    }

    @Test func aSlowerLinkIsAvoided() {
        var network = ring()
        network.schedule(.speed(link: 3, end: 0, 1000), at: network.now)
        network.run(for: .seconds(10))
        #expect(avoided(network) == 1 && network.check() == [])
        network.schedule(.speed(link: 3, end: 0, 10_000), at: network.now)
        network.run(for: .seconds(70))
        #expect(avoided(network) == 0 && network.check() == [])
    }
}
