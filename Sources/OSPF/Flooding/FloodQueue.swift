internal import Timing

/// LSAs that wait to be sent on an interface for the first time. They wait only if there are many: a token bucket sends
/// a burst at once and paces the rest, so that a large change neither overruns the neighbors' buffers nor delays hellos
/// (RFC 4222). An LSA that changes while it waits is sent once, in its latest instance.
struct FloodQueue: Sendable {
    /// The maximum number of packets sent at once.
    static let burst: Int64 = 64
    /// Nanoseconds until one more packet may be sent: some 30 packets a millisecond, well under what a receiver
    /// handles.
    static let interval: Int64 = 30_000
    /// The minimum pause of an empty bucket, so that paced packets are sent in small groups.
    static let pause = Duration.milliseconds(1)

    private var keys = FIFO<DatabaseKey>()
    private var members: Set<DatabaseKey> = []
    /// The moment at which the bucket was, or will be, full.
    private var fullAt = Instant.zero
    /// When sending may continue; `nil` if it is not paused.
    private(set) var nextSend: Instant?

    var isEmpty: Bool { members.isEmpty }
    var count: Int { members.count }

    mutating func append(_ key: DatabaseKey) {
        guard members.insert(key).inserted else { return }
        keys.append(key)
    }

    /// The next LSA to send.
    var first: DatabaseKey? { keys.first }

    mutating func removeFirst() {
        guard let first = keys.first else { return }
        members.remove(first)
        keys.removeFirst()
    }

    mutating func removeAll() {
        keys.removeAll()
        members.removeAll()
        nextSend = nil
    }

    /// Consumes a token for sending one packet now. If there is none, ``nextSend`` is when to try again.
    mutating func consumeToken(at now: Instant) -> Bool {
        if fullAt < now { fullAt = now }
        let missing = (fullAt - now).nanoseconds
        guard missing <= (Self.burst - 1) * Self.interval else {
            nextSend = now + Self.pause
            return false
        }
        fullAt = fullAt + .nanoseconds(Self.interval)
        nextSend = nil
        return true
    }
}
