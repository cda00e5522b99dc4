internal import Timing

/// What the kernel and the driver say of a port.
public struct PortReading: Hashable, Sendable {
    /// The index of the port.
    public var interface: UInt32
    /// Packets received since the last reading.
    public var received: UInt64
    /// Packets since then that were received damaged: with a wrong checksum, a wrong length and the like. Packets that were dropped for want
    /// of memory or by a filter are not among them.
    public var damaged: UInt64
    /// Those of ``damaged`` with a wrong checksum (CRC), if the driver counts them.
    public var checksumErrors: UInt64
    /// The speed of the link in Mbit/s; `nil` if it is not known.
    public var speed: Int?

    public init(
        interface: UInt32, received: UInt64 = 0, damaged: UInt64 = 0, checksumErrors: UInt64 = 0, speed: Int? = nil
    ) {
        self.interface = interface
        self.received = received
        self.damaged = damaged
        self.checksumErrors = checksumErrors
        self.speed = speed
    }

    /// This reading and an earlier one of the same port as one.
    public func including(_ earlier: PortReading) -> PortReading {
        var sum = self
        sum.received &+= earlier.received
        sum.damaged &+= earlier.damaged
        sum.checksumErrors &+= earlier.checksumErrors
        return sum
    }
}

/// The packets that a port received damaged within the last minute.
struct ReceiveErrors: Sendable {
    /// Damaged packets, those of them with a wrong checksum, and all that were received meanwhile.
    struct Count: Hashable, Sendable {
        var damaged: UInt64 = 0
        var checksumErrors: UInt64 = 0
        var received: UInt64 = 0
    }

    /// The latest readings with damaged packets, at most ``mostSamples``, within ``window``.
    private var samples: [(moment: Instant, count: Count)] = []

    static let window = Duration.seconds(60)
    private static let mostSamples = 16

    mutating func note(_ reading: PortReading, at now: Instant) {
        guard reading.damaged > 0 else { return }
        samples.append(
            (
                now,
                Count(
                    damaged: reading.damaged, checksumErrors: reading.checksumErrors, received: reading.received)
            ))
        if samples.count > Self.mostSamples { samples.removeFirst() }
    }

    /// Forgets what is older than ``window``, and counts the rest.
    mutating func recent(at now: Instant) -> Count {
        samples.removeAll { now - $0.moment >= Self.window }
        return samples.reduce(into: Count()) { sum, sample in
            sum.damaged &+= sample.count.damaged
            sum.checksumErrors &+= sample.count.checksumErrors
            sum.received &+= sample.count.received
        }
    }

    /// When ``recent(at:)`` becomes smaller unless more errors come.
    var deadline: Instant? { samples.first.map { $0.moment + Self.window } }
}
