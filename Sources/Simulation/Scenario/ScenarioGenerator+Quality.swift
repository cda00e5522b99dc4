internal import Liveness
internal import MeshConfiguration
internal import OSPF
internal import Timing

extension ScenarioGenerator {
    /// In every twelfth scenario, cables that are bad are avoided, and some get bad. Drawn from numbers of its own, so that all
    /// else is as without. Returns whether it is such a scenario.
    mutating func drawAvoidance() -> Bool {
        var random = RandomSource(seed: seed ^ 0x9a_0000)
        guard random.chance(1.0 / 12) else { return false }
        let parameters = EchoParameters(interval: .milliseconds(random.pick([300, 1000])!), multiplier: 3)
        for link in plan.links.indices {
            plan.links[link].isQualityOn = random.chance(0.9)
            if random.chance(0.9) { plan.links[link].liveness = .always(parameters) }
        }
        return true
    }

    /// Cables that flap or get slower, and such as lose packets, or the larger ones, for minutes.
    mutating func addBadCables(from start: Duration) {
        var random = RandomSource(seed: seed ^ 0x9a_0001)
        var time = start
        for _ in 0..<random.number(in: 1...4) {
            let link = random.below(plan.links.count)
            time += random.duration(upTo: .seconds(5))
            switch random.below(4) {
            case 0:
                for _ in 0..<random.number(in: 2...12) {
                    script.append(Scenario.Step(time, .carrier(link: link, isUp: false)))
                    time += .milliseconds(500) + random.duration(upTo: .seconds(2))
                    script.append(Scenario.Step(time, .carrier(link: link, isUp: true)))
                    time += .milliseconds(500) + random.duration(upTo: .seconds(4))
                }
            case 1:
                let end = random.below(plan.links[link].ends.count)
                script.append(Scenario.Step(time, .speed(link: link, end: end, 1000)))
                time += random.duration(upTo: .seconds(10))
                if random.chance(0.5) { script.append(Scenario.Step(time, .speed(link: link, end: end, 10_000))) }
            case let kind:
                var bad = plan.links[link].quality
                if kind == 2 {
                    bad.loss = Double(random.number(in: 2...20)) / 100
                } else {
                    bad.largestPacket = random.number(in: 100...1400)
                }
                script.append(Scenario.Step(time, .quality(link: link, bad)))
                time += .seconds(random.number(in: 20...90))
                script.append(Scenario.Step(time, .quality(link: link, plan.links[link].quality)))
            }
        }
    }
}
