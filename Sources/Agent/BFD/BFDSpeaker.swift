internal import Addressing
internal import BFD
internal import ConfigurationFile
internal import Crypto
internal import Linux
internal import Node
internal import Synchronization
internal import Timing

/// Runs the sessions of BFD on a thread of its own. ``SessionTable`` decides; this reads and sends its packets.
actor BFDSpeaker {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The sessions to have.
    nonisolated let targets: Mailbox<[SessionTarget]>
    /// What has changed, for the agent.
    nonisolated let reports: Mailbox<BFDReport>
    private nonisolated let published = Mutex(Knowledge())

    /// What is known of all sessions.
    struct Knowledge: Sendable {
        var sessions: [NeighborAddress: SessionSnapshot] = [:]
        var refused: [Refusal: UInt64] = [:]
        var overflows: UInt64 = 0
    }

    private var table: SessionTable
    private var ports: [UInt32: BFDPort] = [:]
    private var wanted: [SessionTarget] = []
    /// Why there is no session with some neighbors, as last reported.
    private var obstacles: [NeighborAddress: String] = [:]
    private var hasRealtimePriority = false
    private var timer: EventLoop.Timer?
    private var output = SessionTable.Output()
    private var lastPublication = Instant.zero
    private var lastGeneration = 0
    private var isStopped = false
    /// When ports that could not be used are tried again; `nil` if all can.
    private var nextAttempt: Instant?

    private static let publicationInterval = Duration.seconds(1)
    private static let retryInterval = Duration.seconds(10)
    /// The maximum number of batches read from each port before anything is decided: what its queue can contain. Ports take turns, so
    /// a flood on one delays no other.
    private static let batchesAtOnce = 32

    init() throws {
        loop = try EventLoop(name: "meshd-bfd")
        targets = try .ofLatest()
        reports = try Mailbox(limit: 4 * SessionTable.mostSessions, subject: \.subject)
        table = Self.makeTable(shortestInterval: SessionParameters.shortestOrdinaryInterval)
    }

    private static func makeTable(shortestInterval: Duration) -> SessionTable {
        SessionTable(seed: UInt64.random(in: .min ... .max), shortestInterval: shortestInterval) { function, octets in
            switch function {
            case .md5: Array(Insecure.MD5.hash(data: octets))
            case .sha1: Array(Insecure.SHA1.hash(data: octets))
            }
        }
    }

    /// What is known of all sessions, at most a second old. From any thread.
    nonisolated var knowledge: Knowledge { published.withLock { $0 } }

    func start() throws {
        hasRealtimePriority = loop.requestRealtimePriority()
        if hasRealtimePriority { table = Self.makeTable(shortestInterval: SessionParameters.intervals.lowerBound) }
        timer = loop.makeTimer { [unowned self] in loop.run(on: self) { $0.runTimer() } }
        try loop.register(targets.descriptor) { [unowned self] _ in loop.run(on: self) { $0.readTargets() } }
    }

    /// Tells all neighbors that the sessions end, because the process does.
    func stop() {
        isStopped = true
        table.endAll(at: EventLoop.now, output: &output)
        carryOut()
        for port in ports.values { loop.deregister(port.descriptor) }
        ports = [:]
        wanted = []
        if let timer { loop.setDeadline(nil, of: timer) }
    }

    private func readTargets() {
        guard let latest = targets.takeAll().last, !isStopped else { return }
        wanted = latest
        watch()
    }

    /// Opens the sockets that are needed, reads the keys, and tells the table.
    private func watch() {
        let now = EventLoop.now
        var obstacles: [NeighborAddress: String] = [:]
        var keys: [NeighborAddress: SessionKey] = [:]
        for target in wanted {
            do throws(SystemError) {
                try openPort(target.key.interface)
            } catch {
                obstacles[target.key] = "\(error)"
                continue
            }
            guard let rule = target.authentication else { continue }
            do {
                keys[target.key] = try KeyFile.read(rule)
            } catch {
                // Without its key there is no session, because one without authentication would be worse.
                obstacles[target.key] = error.problems.first?.description
            }
        }
        table.watch(wanted.filter { obstacles[$0.key] == nil }, keys: keys, at: now, output: &output)
        nextAttempt = obstacles.isEmpty ? nil : now + Self.retryInterval
        if obstacles != self.obstacles {
            self.obstacles = obstacles
            reports.send(.obstacles(obstacles))
        }
        if !hasRealtimePriority,
            wanted.contains(where: { $0.parameters.interval < SessionParameters.shortestOrdinaryInterval })
        {
            reports.send(.intervalsRaised)
        }
        lastPublication = .zero
        finishTurn(at: now)
    }

    private func openPort(_ interface: UInt32) throws(SystemError) {
        guard ports[interface] == nil else { return }
        let port = try BFDPort(interface: interface)
        try loop.register(port.descriptor) { [unowned self] _ in loop.run(on: self) { $0.readPort(interface) } }
        ports[interface] = port
    }

    /// Reads one batch of a port; more of it wait for the next turn.
    private func readPort(_ interface: UInt32) {
        let now = EventLoop.now
        _ = ports[interface]?.receive { table.receive($0, at: now, output: &output) }
        finishTurn(at: now)
    }

    /// Reads everything that waits before anybody is found to have failed.
    private func runTimer() {
        var waiting = Set(ports.keys)
        for _ in 0..<Self.batchesAtOnce where !waiting.isEmpty {
            let now = EventLoop.now
            for interface in waiting {
                let count = ports[interface]?.receive { table.receive($0, at: now, output: &output) } ?? 0
                if count < BFDPort.batch { waiting.remove(interface) }
            }
        }
        let now = EventLoop.now
        table.advance(to: now, output: &output)
        if let attempt = nextAttempt, now >= attempt { return watch() }
        finishTurn(at: now)
    }

    private func finishTurn(at now: Instant) {
        carryOut()
        closePorts()
        if now - lastPublication >= Self.publicationInterval { publish(at: now) }
        let deadlines = [table.nextDeadline, nextAttempt].compactMap(\.self)
        if let timer { loop.setDeadline(deadlines.min(), of: timer) }
    }

    private func carryOut() {
        for (target, octets) in output.packets {
            _ = ports[target.key.interface]?.send(octets, to: target.key.address, from: target.source)
        }
        output.packets.removeAll(keepingCapacity: true)
        guard !output.reports.isEmpty else { return }
        reports.send(output.reports.map { .session($0) })
        output.reports.removeAll(keepingCapacity: true)
        lastPublication = .zero
    }

    /// Closes what no session needs any more.
    private func closePorts() {
        guard table.generation != lastGeneration else { return }
        lastGeneration = table.generation
        let needed = Dictionary(grouping: table.targets.map(\.key), by: \.interface)
        for (interface, port) in ports {
            if let neighbors = needed[interface] {
                port.keepSenders(to: Set(neighbors.map(\.address)))
            } else {
                loop.deregister(port.descriptor)
                ports[interface] = nil
            }
        }
    }

    private func publish(at now: Instant) {
        lastPublication = now
        let knowledge = Knowledge(
            sessions: Dictionary(table.sessions.map { ($0.target.key, $0) }, uniquingKeysWith: { $1 }),
            refused: table.refused, overflows: ports.values.reduce(0) { $0 + $1.overflows })
        published.withLock { $0 = knowledge }
    }
}
