import OSPFPacket
internal import Timing

/// LSAs flooded to one neighbor and not yet acknowledged (RFC 2328 §10, "Link state retransmission list"). All wait the
/// same time, except those added at the start of the exchange, which wait less; so the order of insertion is also the order
/// of deadlines.
struct RetransmissionList: Sendable {
    private struct Waiting: Sendable {
        var key: DatabaseKey
        var serial: UInt64
        var deadline: Instant
    }

    /// The serial number of the valid queue entry of an LSA. Older entries of the same LSA are ignored.
    private var serials: [DatabaseKey: UInt64] = [:]
    private var queue = FIFO<Waiting>()
    private var nextSerial: UInt64 = 0
    /// Since when LSAs are retransmitted and none is acknowledged; `nil` if that is not so.
    private(set) var stuckSince: Instant?

    var count: Int { serials.count }
    var isEmpty: Bool { serials.isEmpty }
    var keys: some Collection<DatabaseKey> { serials.keys }

    func contains(_ key: DatabaseKey) -> Bool { serials[key] != nil }

    /// Adds an LSA that is being sent now. Returns whether it was not there yet.
    mutating func insert(_ key: DatabaseKey, deadline: Instant) -> Bool {
        nextSerial += 1
        queue.append(Waiting(key: key, serial: nextSerial, deadline: deadline))
        return serials.updateValue(nextSerial, forKey: key) == nil
    }

    /// Removes an LSA that was acknowledged or replaced. Returns whether it was there.
    mutating func remove(_ key: DatabaseKey) -> Bool {
        guard serials.removeValue(forKey: key) != nil else { return false }
        stuckSince = nil
        if serials.isEmpty { queue.removeAll() }
        return true
    }

    /// When to check for LSAs to retransmit.
    var nextDeadline: Instant? { isEmpty ? nil : queue.first?.deadline }

    /// Removes up to `limit` LSAs that are due and appends them again, to wait for `interval`.
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
