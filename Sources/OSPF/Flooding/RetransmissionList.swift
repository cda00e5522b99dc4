import OSPFPacket
internal import Timing

/// LSAs that one neighbor must acknowledge (RFC 2328 §10, "Link state retransmission list"). All wait for RxmtInterval,
/// except those added first, at the start of the exchange, and grace-LSAs, which wait less but not before those ahead of them; so the order of insertion is also the order of
/// deadlines.
struct RetransmissionList: Sendable {
    private struct Waiting: Sendable {
        var key: DatabaseKey
        /// The insertions into the list are numbered, so that the last one of an LSA is known.
        var serial: UInt64
        /// When to retransmit the LSA.
        var deadline: Instant
    }

    /// The LSAs of the list, each with the serial number of its valid entry in the queue.
    private var serials: [DatabaseKey: UInt64] = [:]
    /// By deadline. Entries whose LSA was removed or inserted again are outdated, and dropped when they are first.
    private var queue = FIFO<Waiting>()
    /// The serial number of the last insertion.
    private var lastSerial: UInt64 = 0
    /// The first retransmission since an LSA was last removed; `nil` if there was none.
    private(set) var stuckSince: Instant?

    var count: Int { serials.count }
    var isEmpty: Bool { serials.isEmpty }
    var keys: some Collection<DatabaseKey> { serials.keys }

    func contains(_ key: DatabaseKey) -> Bool { serials[key] != nil }

    /// Adds an LSA, or gives it a new deadline. Returns whether it was not there yet.
    mutating func insert(_ key: DatabaseKey, deadline: Instant) -> Bool {
        lastSerial += 1
        queue.append(Waiting(key: key, serial: lastSerial, deadline: deadline))
        return serials.updateValue(lastSerial, forKey: key) == nil
    }

    /// Removes an LSA. Returns whether it was there.
    mutating func remove(_ key: DatabaseKey) -> Bool {
        guard serials.removeValue(forKey: key) != nil else { return false }
        stuckSince = nil
        if serials.isEmpty { queue.removeAll() }
        return true
    }

    /// When to call ``popDue(at:limit:interval:)``. The first entry may be outdated, and nothing due then.
    var nextDeadline: Instant? { isEmpty ? nil : queue.first?.deadline }

    /// Returns up to `limit` LSAs that are due. They stay in the list, and wait for `interval` from now on.
    mutating func popDue(at now: Instant, limit: Int, interval: Duration) -> [DatabaseKey] {
        var due: [DatabaseKey] = []
        while due.count < limit, let waiting = queue.first {
            guard serials[waiting.key] == waiting.serial else {
                queue.removeFirst()
                continue
            }
            guard waiting.deadline <= now else { break }
            queue.removeFirst()
            due.append(waiting.key)
            _ = insert(waiting.key, deadline: now + interval)
        }
        if !due.isEmpty, stuckSince == nil { stuckSince = now }
        return due
    }
}
