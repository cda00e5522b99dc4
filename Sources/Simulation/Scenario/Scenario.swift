internal import Node
internal import OSPF
public import Timing

/// A network, the actions on it, and how long to wait before the checks: everything about a run except its outcome.
public struct Scenario: Hashable, Sendable {
    /// An action at a time.
    public struct Step: Hashable, Sendable {
        /// The time since the start of the simulation.
        public var time: Duration
        public var action: Action

        public init(_ time: Duration, _ action: Action) {
            self.time = time
            self.action = action
        }
    }

    /// The seed of all random choices of the run.
    public var seed: UInt64
    /// A short description.
    public var title: String
    public var plan: NetworkPlan
    /// The actions, in order.
    public var script: [Step]
    /// How long the network may take to come to rest, after the last step and again after a replacement at the end.
    public var patience: Duration
    /// How long nothing may happen once the network is at rest, except hellos, refreshes and the aging of LSAs of unreachable
    /// routers.
    public var rest: Duration
    /// From this time on no neighbor may change its state; `nil` if it may.
    public var steadyFrom: Duration?

    public init(
        seed: UInt64, title: String, plan: NetworkPlan, script: [Step], patience: Duration = .seconds(60),
        rest: Duration = .seconds(10)
    ) {
        self.seed = seed
        self.title = title
        self.plan = plan
        self.script = script
        self.patience = patience
        self.rest = rest
    }

    /// The outcome of a run.
    public struct Outcome: Sendable {
        /// The violations; empty is good.
        public var violations: [Violation]
        public var statistics: NetworkStatistics
        /// From the last step to the last change of a route before the checks; zero if no route changed after the last step.
        public var convergence: Duration
        /// The whole run in virtual time, with what the checks at its end took.
        public var duration: Duration
    }

    /// The time of the last step.
    public var scriptEnd: Instant { .zero + (script.map(\.time).max() ?? .zero) }

    /// Runs the scenario: its script, then the checks.
    public func run(observer: (@Sendable (Instant, TraceEvent) -> Void)? = nil) -> Outcome {
        var network = Network(plan: plan, seed: seed)
        network.observer = observer
        for step in script {
            network.schedule(step.action, at: .zero + step.time)
            network.run(until: .zero + step.time)
            network.checkBounds()
        }
        // The oracle can tell what must hold only where “can communicate” is transitive, and where four hellos in a row are
        // not lost, which would end an adjacency.
        network.schedule(.healHalfCuts, at: scriptEnd)
        network.schedule(.stopLoss, at: scriptEnd)
        // The losses of six parts of fifty seconds count, and each is known after 64 s at an interval of 1 s; until then, cables may
        // be found bad.
        if plan.links.contains(where: \.isQualityOn) { network.run(for: .seconds(450)) }
        let interval = quietInterval
        while network.now - scriptEnd < patience, !network.isQuiet(for: interval, since: scriptEnd) {
            network.run(for: .seconds(1))
        }
        let convergence = max(.zero, network.statistics.lastRouteChange - scriptEnd)
        var violations = network.violations + network.check()
        if let steadyFrom { violations += network.checkSteadiness(since: .zero + steadyFrom) }
        if violations.isEmpty { violations = checkRest(of: &network) }
        // In every second scenario, to save time.
        if violations.isEmpty, seed & 1 == 0 { violations = checkReplacement(of: &network) }
        return Outcome(
            violations: violations, statistics: network.statistics, convergence: convergence,
            duration: network.now - .zero)
    }

    /// How long nothing but hellos must have been sent before a network counts as quiet: whatever may still be waited for (a
    /// silent neighbor, a segment's Waiting, MinLSInterval) takes less.
    private var quietInterval: Duration {
        (plan.links.map(\.deadInterval).max() ?? .zero) * 2 + .seconds(3)
    }

    /// Kills a random process and starts another in its place, which must adopt the kernel's routes and addresses, remove none
    /// of them, because all are right, and have the same identity.
    private func checkReplacement(of network: inout Network) -> [Violation] {
        var random = RandomSource(seed: seed)
        guard let node = random.pick(network.nodes.filter(\.isRunning).map(\.index)) else { return [] }
        let routerID = network.nodes[node].routerID
        let losses = network.nodes[node].kernel.routeLosses
        let removals = network.nodes[node].kernel.addressRemovals
        let kernel = network.nodes[node].kernel
        let lossesOfOthers = network.routeLosses(besides: node)
        let start = network.now
        // At most half of the default dead interval of 4 s, so that a replacement may go unnoticed.
        let absence = random.duration(upTo: .seconds(2))
        let mustGoUnnoticed = network.canBeReplacedUnnoticed(node, absence)
        network.schedule(.kill(node: node), at: start)
        network.schedule(.start(node: node), at: start + absence)
        let interval = quietInterval
        while network.now - start < patience,
            !network.isQuiet(for: interval, since: start + .seconds(2))
        {
            network.run(for: .seconds(1))
        }
        var violations = network.violations
        func complain(_ kind: Violation.Kind, _ detail: String) {
            violations.append(Violation(kind: kind, time: network.now, detail: detail))
        }
        let lost = network.nodes[node].kernel.routeLosses - losses
        // Where packets overtake one another by more than 50 ms, adjacencies may flap with and without a replacement.
        // For BFD, a late packet is enough: its neighbors have found the old process dead, and told it so.
        let mostJitter = network.usesBFD(node) ? Duration.zero : .milliseconds(50)
        let isSteady = network.links.allSatisfy { $0.quality.jitter <= mostJitter }
        // A neighbor whose LSA is at the last sequence number must flush it to announce the change (RFC 2328 §12.1.6).
        let mayRestartSequence = script.contains { step in
            if case .replay(_, let number, _) = step.action { number >= .max - 1 } else { false }
        }
        // In a pool that is too small, two nodes may keep the same address until a restart, after which one gives it up.
        let keepsAddresses = !network.isPoolTooSmall
        if lost > 0, isSteady, !mayRestartSequence, keepsAddresses {
            complain(.withdrawal, "\(network.name(node)), replaced at \(start.seconds), withdrew \(lost) routes")
        }
        // A service route that is wanted before and after was never removed; another may not be needed any more, for example
        // because the new process is no stub router.
        let now = network.nodes[node].kernel
        for prefix in kernel.serviceRoutes.intersection(now.serviceRoutes).sorted()
        where now.serviceRouteLosses[prefix] != kernel.serviceRouteLosses[prefix] {
            complain(
                .withdrawal, "\(network.name(node)), replaced at \(start.seconds), removed the service route \(prefix)")
        }
        let others = network.routeLosses(besides: node) - lossesOfOthers
        // A packet that overtakes another restarts a database exchange, which then may last longer than a link is held (1 s).
        let keepsOrder = network.links.allSatisfy { $0.quality.jitter == .zero }
        if others > 0, keepsOrder, !mayRestartSequence, mustGoUnnoticed, keepsAddresses {
            complain(
                .withdrawal,
                "\(network.name(node)) was replaced at \(start.seconds), and others withdrew \(others) routes")
        }
        if network.nodes[node].kernel.addressRemovals > removals, keepsAddresses {
            complain(.address, "\(network.name(node)), replaced at \(start.seconds), removed addresses")
        }
        if network.nodes[node].routerID != routerID {
            complain(.identity, "\(network.name(node)) was \(routerID) before it was replaced at \(start.seconds)")
        }
        return violations + network.check()
    }

    /// Checks that nothing changes and nothing but hellos and refreshes is sent during the rest.
    private func checkRest(of network: inout Network) -> [Violation] {
        let before = network.statistics
        let start = network.now
        network.run(for: rest)
        var violations = network.violations
        let after = network.statistics
        func complain(_ detail: String) {
            violations.append(Violation(kind: .silence, time: network.now, detail: detail))
        }
        // LSAs of unreachable routers age out within 3600 s, and prefixes that they share with others get other destinations.
        let mustBeStill = rest < .seconds(3600) || network.isWhole
        if mustBeStill, after.routeUpdates != before.routeUpdates {
            complain("\(after.routeUpdates - before.routeUpdates) updates of routes at rest")
        }
        if mustBeStill, after.kernelChanges != before.kernelChanges {
            complain("\(after.kernelChanges - before.kernelChanges) changes requested of kernels at rest")
        }
        // Refreshes begin 1800 s after the first origination: from then on (with 50 s to spare) updates and acknowledgments
        // are sent at rest too, types 4 and 5.
        let isRefreshing = network.now - .zero > .seconds(1750)
        let names = ["", "hellos", "descriptions", "requests", "updates", "acknowledgments"]
        for type in isRefreshing ? 2...3 : 2...5 where after.sent[type] != before.sent[type] {
            complain("\(after.sent[type] - before.sent[type]) \(names[type]) sent at rest since \(start.seconds)")
        }
        return violations + network.check()
    }
}

extension Network {
    /// The number of routes that kernels of nodes other than this one have lost (``ModelKernel/routeLosses``).
    func routeLosses(besides node: Int) -> Int {
        nodes.filter { $0.index != node }.reduce(0) { $0 + $1.kernel.routeLosses }
    }

    /// Whether a node has sessions of BFD with neighbors.
    func usesBFD(_ node: Int) -> Bool { nodes[node].ports.contains { ports[$0].bfd != nil } }

    /// Whether neighbors hold the links with a node while its process is replaced: all its ports are up and point-to-point, and
    /// after this absence its next hellos come within the dead interval.
    func canBeReplacedUnnoticed(_ node: Int, _ absence: Duration) -> Bool {
        guard let router = nodes[node].process?.router else { return false }
        // A process that does not run is dead for BFD.
        if usesBFD(node) { return false }
        return router.interfaceSnapshots.allSatisfy { interface in
            let configuration = interface.configuration
            return interface.state != .down && interface.effectiveKind == .pointToPoint
                && absence + configuration.helloInterval < configuration.deadInterval
        }
    }

    /// Whether all nodes run and are connected, be it through stub routers.
    var isWhole: Bool { GroundTruth(of: self).components.map(\.count) == [nodes.count] }

    /// Whether for this interval, which begins at `start` or later, nothing but hellos was sent and no route changed, and all
    /// running nodes are at rest.
    func isQuiet(for interval: Duration, since start: Instant) -> Bool {
        now - max(statistics.lastExchange, statistics.lastRouteChange, start) >= interval
            && nodes.allSatisfy { !$0.isRunning || $0.isAtRest } && !isAnySessionRecovering
    }
}
