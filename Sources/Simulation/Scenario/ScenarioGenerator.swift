internal import Addressing
internal import BFD
internal import Liveness
internal import MeshConfiguration
internal import OSPF
internal import OSPFPacket
internal import Services

extension Scenario {
    /// How large the meshes are and how much happens in them.
    public enum Size: String, Hashable, Sendable, CaseIterable {
        /// Up to ten nodes: a run takes a fraction of a second even without optimization.
        case small
        /// Up to about forty nodes.
        case medium
        /// Up to about two hundred nodes.
        case large
    }

    /// The scenario of a seed.
    public init(seed: UInt64, size: Size = .small) {
        var generator = ScenarioGenerator(seed: seed, size: size)
        self = generator.scenario()
    }
}

/// Draws a scenario from a seed: a shape, costs, prefixes, qualities, then a script of faults.
struct ScenarioGenerator {
    let seed: UInt64
    let size: Scenario.Size
    var random: RandomSource
    var topology = Topology.ring(3)
    var plan = NetworkPlan(nodes: [], links: [])
    var script: [Scenario.Step] = []
    /// The pool that nodes assign themselves IPv4 addresses from; `nil` for none.
    private var ipv4Pool: PrefixPool?
    /// Before this time, machines are only started.
    private var calmStart = Duration.zero
    /// From this time on no neighbor may change its state; `nil` if it may.
    var steadyFrom: Duration?
    /// The hello interval of all links. The dead interval and the times between faults are in proportion to it.
    var helloInterval = Duration.seconds(1)

    init(seed: UInt64, size: Scenario.Size) {
        self.seed = seed
        self.size = size
        random = RandomSource(seed: seed)
    }

    /// What a run is mostly about.
    private enum Theme: CaseIterable {
        case faults, coldStart, announcements, restarts, duplicateRouterIDs, manyPrefixes, longRest, machines
    }

    mutating func scenario() -> Scenario {
        // A theme that is listed more often is drawn more often.
        let themes: [Theme] = [
            .faults, .faults, .faults, .faults, .faults, .faults, .announcements, .restarts, .restarts, .coldStart,
            .duplicateRouterIDs, .manyPrefixes, .longRest, .machines, .machines, .machines,
        ]
        let theme = random.pick(themes)!
        drawTopology(small: theme == .longRest)
        // Fewer hellos, because more than an hour is simulated.
        if theme == .longRest { helloInterval = .seconds(20) }
        drawPlan()
        if theme != .longRest {
            drawLiveness()
            drawSessions()
        }
        let usesQuality = theme != .longRest && drawAvoidance()
        start()
        switch theme {
        case .faults: addFaults(random.number(in: 1...faultLimit), from: FaultKind.allCases)
        case .coldStart: break
        case .announcements: addFaults(random.number(in: 2...2 * faultLimit), from: FaultKind.announcements)
        case .restarts: addFaults(random.number(in: 1...faultLimit), from: FaultKind.restarts)
        case .machines: addFaults(random.number(in: 1...2 * faultLimit), from: FaultKind.machines)
        case .duplicateRouterIDs:
            duplicateRouterIDs()
            addFaults(random.number(in: 0...faultLimit), from: FaultKind.allCases)
        case .manyPrefixes: manyPrefixes()
        case .longRest:
            // The refresh of an LSA at the last sequence number changes routes, because the LSA is flushed first.
            addFaults(random.number(in: 0...4), from: FaultKind.allCases.filter { $0 != .replay })
        }
        if usesQuality { addBadCables(from: end) }
        let isHealed = random.chance(0.6)
        if isHealed { script.append(Scenario.Step(end + gap(), .healAll)) }
        addAuthentication(isCalm: theme == .coldStart && !usesQuality)
        // A long rest ends after LSAs are refreshed (1800 s) and unreachable ones have aged out (3600 s).
        let slow = helloInterval > .seconds(1)
        var scenario = Scenario(
            seed: seed, title: "\(theme), \(topology)\(isHealed ? ", healed" : "")", plan: plan,
            script: script.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
                \.element),
            // What was bad must be good for minutes.
            patience: usesQuality ? .seconds(1500) : slow ? .seconds(600) : .seconds(90),
            rest: theme == .longRest ? .seconds(4000) : .seconds(10))
        scenario.steadyFrom = steadyFrom
        return scenario
    }

    /// In every sixth scenario, nodes ask their neighbors by echo requests, less often than by default: otherwise echoes would
    /// be most of the work. Drawn from numbers of its own, so that all else is as without.
    private mutating func drawLiveness() {
        var random = RandomSource(seed: seed ^ 0xec_0000)
        guard random.chance(1.0 / 6) else { return }
        let interval = Duration.milliseconds(random.pick([100, 300, 1000])!)
        let parameters = EchoParameters(interval: interval, multiplier: random.number(in: 2...4))
        for link in plan.links.indices where random.chance(0.9) { plan.links[link].liveness = .always(parameters) }
    }

    /// In every eighth scenario, nodes have sessions of BFD with neighbors, with and without echo requests.
    private mutating func drawSessions() {
        var random = RandomSource(seed: seed ^ 0xbfd_0000)
        guard random.chance(1.0 / 8) else { return }
        var rule = BFDRule()
        rule.parameters.interval = .milliseconds(random.pick([100, 300, 1000])!)
        rule.parameters.multiplier = UInt8(random.number(in: 3...5))
        for link in plan.links.indices where random.chance(0.9) { plan.links[link].bfd = rule }
    }

    /// The maximum number of faults in the themes `faults`, `restarts` and `duplicateRouterIDs`; `announcements` and `machines`
    /// have up to twice as many.
    private var faultLimit: Int {
        switch size {
        case .small: 8
        case .medium: 20
        case .large: 40
        }
    }

    /// The time of the latest step so far, at least ``calmStart``.
    var end: Duration { max(calmStart, script.map(\.time).max() ?? .zero) }

    /// A random time of at most 16.4 hello intervals. Its limit is a random power of two, so that short times are as likely as
    /// long ones.
    mutating func gap() -> Duration {
        let doublings = random.below(15)
        return random.duration(upTo: .milliseconds(1 << doublings)) * Int(helloInterval.components.seconds)
    }

    /// Draws a shape and its size. A full mesh and a single segment are limited more, because their cost grows with the
    /// square.
    private mutating func drawTopology(small: Bool) {
        let limit =
            switch size {
            case _ where small: 6
            case .small: 9
            case .medium: 36
            case .large: 200
            }
        let count = random.number(in: 2...limit)
        let width = random.number(in: 2...max(2, Int(Double(limit).squareRoot())))
        // Grids and random meshes are listed twice, to be drawn more often.
        let choices: [Topology] = [
            .line(count), .ring(max(3, count)), .star(count), .fullMesh(min(count, 12)), .tree(count),
            .grid(width: width, height: max(2, count / width)), .random(nodes: count, extra: random.below(count + 1)),
            .regular(nodes: max(3, count), degree: 4), .lan(min(count, 24)),
            .lans(segments: max(1, count / 3), nodesEach: random.number(in: 2...4), cables: random.below(4)),
            .grid(width: width, height: max(2, count / width)), .random(nodes: count, extra: random.below(count + 1)),
        ]
        topology = random.pick(choices)!
    }

    private mutating func drawPlan() {
        var used = Set<UInt32>()
        while used.count < topology.nodeCount {
            // Large and small IDs, never 0.
            used.insert(UInt32(truncatingIfNeeded: random.next()) >> UInt32(random.below(20)) | 1)
        }
        var routerIDs = used.sorted()
        random.shuffle(&routerIDs)
        // A pool of 254, 14 or 2 addresses: roomy, or so small that parts of the mesh assign the same addresses, or too small
        // for more than two nodes.
        if random.chance(0.2), let length = random.pick([24, 28, 30]) {
            ipv4Pool = PrefixPool(base: IPv4Prefix("10.77.0.0/\(length)")!, length: 32)
        }
        plan = NetworkPlan(nodes: routerIDs.enumerated().map { nodePlan($0.offset, routerID: $0.element) }, links: [])
        let quality = drawQuality()
        let isUniform = random.chance(0.5)
        for (index, members) in topology.links(&random).enumerated() {
            plan.links.append(
                linkPlan(members, isSegment: topology.isSegment(index), quality: quality, isUniform: isUniform))
        }
    }

    private mutating func nodePlan(_ node: Int, routerID: UInt32) -> NodePlan {
        var plan = NodePlan(routerID: RouterID(routerID))
        // Up to 12 days, as monotonic clocks count from the start of a machine.
        plan.clockOffset = .milliseconds(random.below(1_000_000_000))
        plan.prefixes = [
            AdvertisedPrefix(prefix: Self.hostPrefix(of: node)), AdvertisedPrefix(prefix: Self.podPrefix(of: node)),
        ]
        if random.chance(0.2) {
            plan.prefixes.append(AdvertisedPrefix(prefix: Self.anycastPrefix(random.below(3)), metric: 0))
        }
        if random.chance(0.5) { plan.prefixes.append(AdvertisedPrefix(prefix: Self.ipv4Prefix(of: node))) }
        if random.chance(0.1) { plan.prefixes.append(AdvertisedPrefix(prefix: Self.ipv4Default, metric: 5)) }
        if random.chance(0.1) {
            plan.externals.append(
                ExternalPrefix(prefix: .default, metric: UInt32(random.number(in: 1...3)), isType2: random.chance(0.5)))
        }
        for number in 0..<2 where random.chance(0.3) {
            // Nothing is probed: ``Network/check(_:of:)`` reports what ``Machine/services`` says.
            let check = HealthCheck(
                probe: .tcp([Endpoint("[::1]:80")!]), interval: .seconds(1), rise: random.number(in: 1...3),
                fall: random.number(in: 1...3))
            plan.vips.append(
                VIP(
                    name: "vip\(number)", address: Self.vipAddress(number), check: random.chance(0.8) ? check : nil))
        }
        plan.ipv4Pool = ipv4Pool
        // Some clusters do not tell their ranges.
        if random.chance(0.7) { plan.serviceRanges = Self.serviceRanges }
        if random.chance(0.7) { plan.apiServer = IPv6Address(random.chance(0.5) ? "10.96.0.1" : "fd00:10:96::1") }
        return plan
    }

    /// Draws a link. With `isUniform`, all links of the mesh have the same cost.
    private mutating func linkPlan(
        _ members: [Int], isSegment: Bool, quality: LinkQuality, isUniform: Bool
    ) -> LinkPlan {
        let kind: InterfaceConfiguration.Kind
        if isSegment {
            kind = members.count > 2 && random.chance(0.2) ? .auto : .broadcast
        } else {
            kind = random.pick([.pointToPoint, .pointToPoint, .pointToPoint, .auto, .broadcast])!
        }
        let isSymmetric = random.chance(0.7)
        // Few different costs, so that there are equal-cost paths.
        let cost = UInt16(random.number(in: 1...5) * 10)
        let ends = members.map { node in
            EndPlan(
                node: node, cost: isUniform ? 10 : isSymmetric ? cost : UInt16(random.number(in: 1...100)),
                priority: UInt8(kind == .broadcast && random.chance(0.1) ? 0 : random.number(in: 1...3)), kind: kind)
        }
        return LinkPlan(
            ends: ends, isSegment: isSegment || kind == .broadcast,
            quality: random.chance(0.1) ? drawQuality() : quality, helloInterval: helloInterval,
            deadInterval: helloInterval * 4, mtu: random.chance(0.2) ? 1280 : 1500)
    }

    /// The quality of a link: a delay of 10 µs to 20 ms, and each kind of fault with its own chance.
    mutating func drawQuality() -> LinkQuality {
        var quality = LinkQuality(delay: .microseconds(10 << random.below(12)))
        if random.chance(0.3) { quality.jitter = quality.delay * random.number(in: 1...20) }
        if random.chance(0.3) { quality.loss = Double(random.number(in: 1...15)) / 100 }
        if random.chance(0.2) { quality.duplication = Double(random.number(in: 1...30)) / 100 }
        if random.chance(0.1) { quality.corruption = Double(random.number(in: 1...10)) / 100 }
        return quality
    }

    /// Switches all machines on within a millisecond, or at random times within five hello intervals.
    private mutating func start() {
        let spread: Duration = random.chance(0.5) ? .milliseconds(1) : helloInterval * 5
        for node in plan.nodes.indices {
            script.append(Scenario.Step(random.duration(upTo: spread), .start(node: node)))
        }
        // Two dead intervals: in most scenarios, faults begin when adjacencies are Full.
        if random.chance(0.7) { calmStart = helloInterval * 8 }
    }

    // MARK: - Themes

    /// Up to two nodes get the router ID of another. All IDs are derived, so that nodes may change them.
    private mutating func duplicateRouterIDs() {
        for _ in 0..<random.number(in: 1...2) {
            let first = random.below(plan.nodes.count)
            let second = random.below(plan.nodes.count)
            plan.nodes[second].routerID = plan.nodes[first].routerID
        }
        for node in plan.nodes.indices { plan.nodes[node].routerIDIsDerived = true }
    }

    /// One node announces many prefixes; then random parts of them are withdrawn, or announced by that node or another.
    private mutating func manyPrefixes() {
        let count =
            switch size {
            case .small: 300
            case .medium: 3_000
            case .large: 10_000
            }
        let node = random.below(plan.nodes.count)
        let isIPv4 = random.chance(0.3)
        let all = (0..<count).map { number in
            isIPv4
                ? IPv6Prefix(IPv4Prefix(IPv4Address(0x0a00_0000 | UInt32(number) << 8), length: 24))
                : IPv6Prefix(IPv6Address(high: 0x2001_0db8_000b_0000, low: UInt64(number) << 16), length: 112)
        }
        script.append(Scenario.Step(end + gap(), .announce(node: node, all.map { AdvertisedPrefix(prefix: $0) })))
        for _ in 0..<random.number(in: 1...4) {
            let start = random.below(count)
            let some = Array(all[start..<min(count, start + random.number(in: 1...count))])
            let other = random.chance(0.5) ? node : random.below(plan.nodes.count)
            let announced = some.map { AdvertisedPrefix(prefix: $0, metric: 0) }
            script.append(
                Scenario.Step(
                    end + gap(),
                    random.chance(0.5) ? .withdraw(node: node, some) : .announce(node: other, announced)))
        }
    }

    // MARK: - Prefixes

    // Except for the default routes, prefixes are in 2001:db8::/32 (documentation) or private IPv4 addresses. Different
    // functions and numbers give different prefixes. A host prefix is a /128 in `advertise`, not the node's own address
    // (``Machine/address(of:)``).
    static func hostPrefix(of node: Int) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0x2001_0db8_0001_0000, low: UInt64(node) << 9))
    }

    static func podPrefix(of node: Int) -> IPv6Prefix {
        IPv6Prefix(IPv6Address(high: 0x2001_0db8_0001_0000, low: UInt64(node) << 9 | 0x100), length: 120)
    }

    static func ipv4Prefix(of node: Int) -> IPv6Prefix {
        IPv6Prefix(IPv4Prefix(IPv4Address(0xac1f_0000 | UInt32(node) << 4), length: 28))
    }

    /// The ranges of cluster IPs.
    static let serviceRanges = [IPv6Prefix("fd00:10:96::/112")!, IPv6Prefix("10.96.0.0/12")!]

    static let ipv4Default = IPv6Prefix("0.0.0.0/0")!

    static func anycastPrefix(_ number: Int) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0x2001_0db8_000a_0000, low: UInt64(number)))
    }

    static func vipAddress(_ number: Int) -> IPv6Address {
        IPv6Address(high: 0x2001_0db8_0000_aaaa, low: UInt64(number) + 1)
    }

    static func serviceAddress(_ number: Int) -> IPv6Address {
        IPv6Address(high: 0x2001_0db8_0000_bbbb, low: UInt64(number) + 1)
    }

    static func externalPrefix(_ number: Int) -> IPv6Prefix {
        IPv6Prefix(IPv6Address(high: 0x2001_0db8_000e_0000 | UInt64(number), low: 0), length: 64)
    }
}
