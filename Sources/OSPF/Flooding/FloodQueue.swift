internal import Timing

/// LSAs that wait to be sent on an interface for the first time. They wait only if there are many: a token bucket lets a
/// burst of packets pass at once and paces the rest, so that a large change neither overruns the neighbors' buffers nor
/// delays hellos (RFC 4222). An LSA that changes while it waits is sent once, in its latest instance.
struct FloodQueue: Sendable {
    /// The size of the bucket: the maximum number of packets sent at once.
    static let burst: Int64 = 64
    /// Nanoseconds in which the bucket gains a token: some 30 packets a millisecond, well under what a receiver handles.
    static let interval: Int64 = 30_000
    /// How long sending pauses when the bucket is empty. Meanwhile it gains some 30 tokens, so a timer sends as many packets,
    /// not one.
    static let pause = Duration.milliseconds(1)

    /// The LSAs in the order in which to send them.
    private var keys = FIFO<DatabaseKey>()
    /// The same LSAs, to add none twice.
    private var members: Set<DatabaseKey> = []
    /// The moment at which the bucket was, or will be, full. Every token consumed moves it by one `interval`.
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

    /// Consumes a token for sending one packet now. Returns `false` if there is none; ``nextSend`` is then when to try again.
    mutating func consumeToken(at now: Instant) -> Bool {
        if fullAt < now { fullAt = now }
        let nanosecondsUntilFull = (fullAt - now).nanoseconds
        // At most `burst` − 1 tokens are missing, so there is one.
        guard nanosecondsUntilFull <= (Self.burst - 1) * Self.interval else {
            nextSend = now + Self.pause
            return false
        }
        fullAt = fullAt + .nanoseconds(Self.interval)
        nextSend = nil
        return true
    }
}
