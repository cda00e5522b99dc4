internal import Linux
internal import Netlink
internal import Node
internal import Timing

/// Reads counters and speeds of ports every 10 s, on a thread of its own, because the kernel may let a reader wait for others that
/// change its configuration. Only news for the node are reported.
///
/// It also makes the kernel look at the carrier of network cards every 50 ms: while links change, the kernel tells such a loss up
/// to a second late.
actor PortReader {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The ports to read.
    nonisolated let ports: Mailbox<[UInt32]>
    /// Readings, for the agent.
    nonisolated let readings: Mailbox<PortReading>

    private let reader: LinkReader
    private var timer: EventLoop.Timer?
    /// The ports, and the last reading of each.
    private var known: [(port: UInt32, reading: LinkReading?)] = []
    private var nextReading = Instant.zero

    private static let readingInterval = Duration.seconds(10)
    private static let lookInterval = Duration.milliseconds(50)

    /// Opens the socket in the calling thread's network namespace.
    init() throws {
        loop = try EventLoop(name: "meshd-ports")
        reader = try LinkReader()
        ports = try .ofLatest()
        readings = try Mailbox(limit: 4096, subject: \.interface) { $1.including($0) }
    }

    func start() throws {
        timer = loop.makeTimer { [unowned self] in loop.run(on: self) { $0.advance() } }
        try loop.register(ports.descriptor) { [unowned self] _ in loop.run(on: self) { $0.readPorts() } }
    }

    private func readPorts() {
        guard let latest = ports.takeAll().last else { return }
        known = latest.map { port in (port, known.first { $0.port == port }?.reading) }
        nextReading = .zero
        advance()
    }

    private func advance() {
        let now = EventLoop.now
        if nextReading <= now {
            nextReading = now + Self.readingInterval
            let news = known.indices.compactMap { read($0) }
            if !news.isEmpty { readings.send(news) }
        } else {
            for item in known where item.reading?.isLowest == true { try? reader.look(at: item.port) }
        }
        guard let timer else { return }
        let mustLook = known.contains { $0.reading?.isLowest == true }
        loop.setDeadline(
            known.isEmpty ? nil : mustLook ? min(nextReading, now + Self.lookInterval) : nextReading, of: timer)
    }

    /// Reads a port. Returns what is new since the last time.
    private func read(_ index: Int) -> PortReading? {
        let port = known[index].port
        // A port that cannot be read is read again the next time.
        guard let new = (try? reader.read(port)) ?? nil else { return nil }
        let old = known[index].reading
        known[index].reading = new
        guard let old else { return PortReading(interface: port, speed: new.speed) }
        func increase(_ counter: KeyPath<LinkReading, UInt64>) -> UInt64 {
            // A smaller one is that of another device, or of a driver that began again.
            new[keyPath: counter] > old[keyPath: counter] ? new[keyPath: counter] - old[keyPath: counter] : 0
        }
        let damaged = increase(\.damaged)
        guard damaged > 0 || new.speed != old.speed else { return nil }
        return PortReading(
            interface: port, received: increase(\.received), damaged: damaged,
            checksumErrors: increase(\.checksumErrors), speed: new.speed)
    }
}
