internal import Addressing
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import Routing
internal import Services
public import Timing

/// Many machines in one virtual time.
///
/// The plan, the seed and the actions determine everything that happens. A network is a value: a copy is independent of it.
public struct Network: Sendable {
    /// The virtual time.
    public private(set) var now = Instant.zero
    /// The machines, in the order of the plan.
    public internal(set) var nodes: [Machine]
    /// All ends of all links.
    public internal(set) var ports: [Port]
    public internal(set) var links: [Link]
    public internal(set) var statistics = NetworkStatistics()
    /// The violations found during the run, at most 20.
    public internal(set) var violations: [Violation] = []
    /// Called for every ``TraceEvent``.
    public var observer: (@Sendable (Instant, TraceEvent) -> Void)?

    /// The delays and the socket buffer of every machine.
    let machine: MachineBehavior
    var random: RandomSource
    private var queue = EventQueue<Event>()
    /// An empty buffer for effects, kept to reuse its storage.
    var effects: [NodeEffect] = []
    /// Set when a timer spins or there is a storm of packets. No further events are then processed: they would only fill
    /// memory.
    private(set) var isHalted = false
    /// Whether there are ports that are avoided while their cables are bad.
    private(set) var usesQuality = false
    /// The number of LSAs in the largest database seen.
    var mostLSAs = 0
    /// The current second, and the packets other than hellos that were sent in it.
    private var storm = (second: Int64(-1), packets: 0)

    /// An event in the queue. `process` is ``Machine/processNumber`` when the event was caused: events with the number of an
    /// earlier process are ignored.
    enum Event: Sendable {
        case delivery(port: Int, source: IPv6Address, destination: IPv6Address, octets: [UInt8])
        case timer(node: Int)
        /// The notification that the carrier of a port may have changed.
        case carrierNews(port: Int)
        case action(Action)
        case echo(port: Int, Echo)
        case echoTimer(node: Int)
        case session(port: Int, SessionPacket)
        case sessionTimer(node: Int)
        /// The outcome of an effect, delayed by a slow kernel.
        case outcome(node: Int, process: Int, NodeEvent)
        /// Requests that a slow kernel carries out now.
        case addressRequests(node: Int, process: Int, [AddressLedger.Request])
        /// A health check is due.
        case check(node: Int, process: Int, VIPTable.CheckID)
    }

    /// Builds the network of a plan. All machines are without power until ``Action/start(node:)`` or ``Action/healAll``.
    public init(plan: NetworkPlan, seed: UInt64) {
        random = RandomSource(seed: seed)
        machine = plan.machine
        nodes = plan.nodes.enumerated().map { Machine(index: $0.offset, plan: $0.element) }
        ports = []
        links = []
        for node in nodes.indices { nodes[node].configuration.authentication = plan.authentication }
        for link in plan.links { addLink(link) }
    }

    private mutating func addLink(_ plan: LinkPlan) {
        var indices: [Int] = []
        for (end, endPlan) in plan.ends.enumerated() {
            let index = ports.count
            // Interface indexes as kernels assign them: not from zero, and mostly different at the two ends of a link.
            let interface = UInt32(2 + nodes[endPlan.node].ports.count + endPlan.node % 5)
            let configuration = InterfaceConfiguration(
                index: interface, name: "port\(interface)", mtu: plan.mtu,
                linkLocalAddress: Self.linkLocalAddress(port: index, generation: 0), kind: endPlan.kind,
                cost: endPlan.cost, helloInterval: plan.helloInterval, deadInterval: plan.deadInterval,
                priority: endPlan.priority)
            ports.append(
                Port(
                    node: endPlan.node, link: links.count, end: end, liveness: plan.liveness,
                    isQualityOn: plan.isQualityOn, bfd: plan.bfd, configuration: configuration))
            nodes[endPlan.node].ports.append(index)
            indices.append(index)
        }
        links.append(Link(ports: indices, isSegment: plan.isSegment, quality: plan.quality))
        usesQuality = usesQuality || plan.isQualityOn
    }

    /// `fe80::200:ff:fe00:N`, as from a hardware address; N is the port's place plus 1, and `generation` is in higher bits.
    static func linkLocalAddress(port: Int, generation: UInt64) -> IPv6Address {
        IPv6Address(high: 0xfe80 << 48, low: 0x0200_00ff_fe00_0000 | generation << 40 | UInt64(port + 1))
    }

    /// Schedules an action; `time` is not in the past.
    public mutating func schedule(_ action: Action, at time: Instant) {
        precondition(time >= now)
        queue.push(.action(action), at: time)
    }

    /// Runs all events up to and including `end`, unless the run is halted (``isHalted``).
    public mutating func run(until end: Instant) {
        while !isHalted, let time = queue.nextTime, time <= end, let (_, event) = queue.pop() {
            now = time
            statistics.events += 1
            process(event)
        }
        now = max(now, end)
    }

    /// Runs all events of the next `duration`.
    public mutating func run(for duration: Duration) { run(until: now + duration) }

    private mutating func process(_ event: Event) {
        switch event {
        case .delivery(let port, let source, let destination, let octets):
            deliver(to: port, source: source, destination: destination, octets: octets)
        case .timer(let node): fireTimer(node)
        case .carrierNews(let port): notifyCarrier(port)
        case .echo(let port, let echo): receive(echo, at: port)
        case .echoTimer(let node): fireEchoTimer(node)
        case .session(let port, let packet): receive(packet, at: port)
        case .sessionTimer(let node): fireSessionTimer(node)
        case .action(let action):
            observer?(now, .action(action))
            perform(action)
        case .outcome(let node, let process, let outcome): deliver(outcome, on: node, process)
        case .addressRequests(let node, let process, let requests): carryOutLate(requests, on: node, process)
        case .check(let node, let process, let id): if nodes[node].processNumber == process { check(id, of: node) }
        }
    }

    mutating func enqueue(_ event: Event, after delay: Duration) { queue.push(event, at: now + delay) }

    /// Counts a packet other than a hello; far more of them within a second than any database explains halt the run.
    mutating func countExchange() {
        let second = now.nanoseconds / 1_000_000_000
        if storm.second != second { storm = (second, 0) }
        storm.packets += 1
        if storm.packets > 20_000 + 1_000 * ports.count { halt(.storm, "\(storm.packets) packets within a second") }
    }

    private mutating func halt(_ kind: Violation.Kind, _ detail: String) {
        isHalted = true
        report(kind, detail)
    }

    /// Notes a violation.
    mutating func report(_ kind: Violation.Kind, _ detail: String) {
        // A wrong router may cause a violation with every packet; the first few are enough.
        guard violations.count < 20 else { return }
        violations.append(Violation(kind: kind, time: now, detail: detail))
    }
}

// MARK: - Nodes

extension Network {
    /// Adds and removes addresses for a slow kernel, some time after the request; the outcome follows later still.
    private mutating func carryOutLate(_ requests: [AddressLedger.Request], on node: Int, _ process: Int) {
        guard nodes[node].processNumber == process else { return }
        let outcomes = requests.map { AddressOutcome($0, nodes[node].kernel.carryOut($0)) }
        enqueue(
            .outcome(node: node, process: process, .addresses(outcomes)),
            after: random.duration(upTo: nodes[node].kernelDelay))
    }

    /// Delivers the late outcome of a request. If the process sleeps, tries again every 10 ms until it has woken up.
    private mutating func deliver(_ outcome: NodeEvent, on node: Int, _ process: Int) {
        guard nodes[node].processNumber == process else { return }
        if nodes[node].state == .asleep {
            enqueue(.outcome(node: node, process: process, outcome), after: .milliseconds(10))
        } else {
            handle(outcome, on: node)
        }
    }

    /// The port of a node with this interface index, by its place in ``ports``; `nil` if there is none.
    public func port(of node: Int, interface: UInt32) -> Int? {
        nodes[node].ports.first { ports[$0].configuration.index == interface }
    }
}

// MARK: - Timers

extension Network {
    /// Sets the timer of a node to the node's next deadline, which is a time of the machine's own clock.
    mutating func setTimer(_ node: Int) {
        guard let deadline = nodes[node].process?.nextDeadline else { return }
        let wanted = max(deadline.nanoseconds - nodes[node].clockOffset.nanoseconds, now.nanoseconds)
        // A timer that fires too early finds nothing due and is set again; only an earlier deadline needs a new event.
        if let timer = nodes[node].timer, timer.nanoseconds <= wanted { return }
        let time = Instant(nanoseconds: wanted) + random.duration(upTo: machine.timerSlack)
        nodes[node].timer = time
        queue.push(.timer(node: node), at: time)
    }

    /// A timer fires. If a node's timer is due again 1000 times at one moment, the node makes no progress.
    private mutating func fireTimer(_ node: Int) {
        guard nodes[node].timer == now else { return }
        nodes[node].timer = nil
        guard nodes[node].state == .running, let deadline = nodes[node].process?.nextDeadline else { return }
        let local = localTime(of: node)
        guard deadline <= local else { return setTimer(node) }
        if nodes[node].lastTimer == now {
            nodes[node].timersWithoutProgress += 1
            guard nodes[node].timersWithoutProgress < 1000 else {
                return halt(
                    .spin, "\(name(node)) at \(local.seconds) sets its timer again and again to \(deadline.seconds)")
            }
        } else {
            nodes[node].lastTimer = now
            nodes[node].timersWithoutProgress = 0
        }
        handle(.timer, on: node)
    }

    /// What a machine's own clock shows.
    func localTime(of node: Int) -> Instant { now + nodes[node].clockOffset }

    /// The name of a node in messages.
    public func name(_ node: Int) -> String { "n\(node)(\(nodes[node].routerID))" }
}
