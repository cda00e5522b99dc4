internal import Authentication
internal import MeshConfiguration

extension ScenarioGenerator {
    /// How the keys of a mesh change, in steps: all nodes have taken a step before the first one takes the next.
    private enum Rollover: CaseIterable {
        /// All nodes have the same keys all the time.
        case none
        /// The new key is added for reception, then it is used, then the old one is removed.
        case byHand
        /// The new key is added with the second from which it is used, then the old one is removed.
        case byTime
        /// There are no keys at first, then packets without a trailer are still accepted, then no longer; and the way back.
        case introduction, removal
    }

    /// In every fifth scenario packets are authenticated, keys change, and somebody without a key sends packets. All is drawn from numbers
    /// of its own, so that all else is as without. If nothing else happens (`isCalm`), no adjacency may be lost.
    mutating func addAuthentication(isCalm: Bool) {
        var random = RandomSource(seed: seed ^ 0xa0_0000)
        guard random.chance(isCalm ? 0.7 : 0.2) else { return }
        let isSteady = isCalm && plan.links.allSatisfy(\.quality.isReliable)
        // Five dead intervals: adjacencies are Full.
        let start = isSteady ? helloInterval * 20 : .zero
        steadyFrom = isSteady ? start : nil
        let rollover = random.pick(Rollover.allCases)!
        // A clock that is not set shows 1970 and the time since the start of the machine. Such a node does as its neighbors do.
        for node in plan.nodes.indices {
            let isSet = random.chance(0.8)
            plan.nodes[node].wallClock =
                isSet ? Self.wallClock + Int64(random.number(in: -3...3)) : Int64(random.below(1000))
        }
        let end = isSteady ? start + .seconds(random.number(in: 1...30)) : end
        let steps = steps(of: rollover, at: start + (end - start) / 2, &random)
        plan.authentication = steps[0]
        addSteps(steps.dropFirst(), from: start, until: end, &random)
        for node in plan.nodes.indices where plan.nodes[node].wallClock < Self.wallClock / 2 && random.chance(0.5) {
            let time = start + random.duration(upTo: end - start)
            script.append(
                Scenario.Step(time, .wallClock(node: node, Self.wallClock + time.components.seconds)))
        }
        for _ in 0..<random.below(40) {
            let link = random.below(plan.links.count)
            let forged = Action.forge(
                link: link, end: random.below(plan.links[link].ends.count), random.pick(Forgery.allCases)!)
            script.append(Scenario.Step(start + random.duration(upTo: end - start), forged))
        }
    }

    /// Each node takes the steps in order, at random times within a period of its own for each.
    private mutating func addSteps(
        _ steps: ArraySlice<Configuration.AuthenticationOptions>, from start: Duration, until end: Duration,
        _ random: inout RandomSource
    ) {
        let period = (end - start) / max(1, steps.count)
        for (index, options) in zip(0..., steps) {
            for node in plan.nodes.indices {
                let time = start + period * index + random.duration(upTo: period)
                script.append(Scenario.Step(time, .authentication(node: node, options)))
            }
        }
    }

    /// What the files of all nodes say, step by step. `middle` is the time at which a key that is used from a certain second on is used.
    private func steps(
        of rollover: Rollover, at middle: Duration, _ random: inout RandomSource
    ) -> [Configuration.AuthenticationOptions] {
        var old = key(1, random.pick(AuthenticationAlgorithm.allCases)!)
        var new = key(2, random.pick(AuthenticationAlgorithm.allCases)!)
        let without = Configuration.AuthenticationOptions()
        switch rollover {
        case .none: return [options([old])]
        case .byHand: return [options([old]), options([old, new]), options([new, old]), options([new])]
        case .byTime:
            // In the middle of the second third. Clocks differ by a few seconds.
            let second = Self.wallClock + middle.components.seconds
            let first = options([old])
            new.sending.from = second
            new.acceptance.from = second - 15
            old.sending.until = second + 5
            old.acceptance.until = second + 15
            return [first, options([old, new]), options([old, new]), options([new])]
        case .introduction: return [without, options([old], isRequired: false), options([old])]
        case .removal: return [options([old]), options([old], isRequired: false), without]
        }
    }

    private func key(_ id: UInt16, _ algorithm: AuthenticationAlgorithm) -> AuthenticationKey {
        AuthenticationKey(id: id, algorithm: algorithm, secret: Array("secret \(id) of \(seed)".utf8))
    }

    private func options(
        _ keys: [AuthenticationKey], isRequired: Bool = true
    ) -> Configuration.AuthenticationOptions {
        var options = Configuration.AuthenticationOptions()
        options.keyFile = "keys.yaml"
        options.keys = KeyChain(keys)
        options.isRequired = isRequired
        return options
    }

    /// The second of the wall clock at which simulations begin.
    private static let wallClock: Int64 = 1_800_000_000
}
