import OSPFPacket
internal import Timing

/// LSAs of which a neighbor has described a later instance than we have, or we have none (RFC 2328 §10, "Link state request
/// list").
struct RequestList: Sendable {
    /// All LSAs of the list, requested or not: the latest instance that the neighbor has described.
    private var wanted: [LSAKey: LSAHeader] = [:]
    /// The LSAs that have not been requested yet, in the order of description. Those that have arrived meanwhile are skipped.
    private var order = FIFO<LSAKey>()
    /// The LSAs of the last request that have not arrived yet.
    private var requested: Set<LSAKey> = []
    /// When to repeat the request; `nil` if nothing is requested.
    private(set) var deadline: Instant?
    /// How many times the request was repeated.
    private(set) var attempts = 0

    var count: Int { wanted.count }
    var isEmpty: Bool { wanted.isEmpty }
    /// The length of `order`, including LSAs that have arrived. ``insert(_:)`` bounds it.
    var orderCount: Int { order.count }
    /// Whether everything requested has arrived, so that more can be requested.
    var isIdle: Bool { requested.isEmpty }

    subscript(key: LSAKey) -> LSAHeader? { wanted[key] }

    /// Adds an LSA as the neighbor has described it. Of several descriptions the latest instance counts.
    mutating func insert(_ header: LSAHeader) {
        if let known = wanted[header.key] {
            if header.recency(comparedTo: known) == .newer { wanted[header.key] = header }
            return
        }
        wanted[header.key] = header
        if order.count > 2 * wanted.count + 64 { compact() }
        order.append(header.key)
    }

    /// Removes LSAs that have arrived from `order`. Otherwise a neighbor that describes again and again what others then send
    /// us would make it grow.
    private mutating func compact() {
        var seen: Set<LSAKey> = []
        order.filter { wanted[$0] != nil && seen.insert($0).inserted }
    }

    /// Removes the LSA of a received instance, if that is at least as recent as the one described (RFC 2328 §13.3 (1b)).
    /// Returns whether it was removed.
    mutating func satisfy(with header: LSAHeader) -> Bool {
        guard let described = wanted[header.key], header.recency(comparedTo: described) != .older else { return false }
        remove(header.key)
        return true
    }

    private mutating func remove(_ key: LSAKey) {
        guard wanted.removeValue(forKey: key) != nil else { return }
        requested.remove(key)
        if requested.isEmpty {
            deadline = nil
            attempts = 0
        }
        if wanted.isEmpty { self = RequestList() }
    }

    /// The next LSAs to request, a maximum of `limit`. Call this only when everything requested has arrived.
    mutating func next(limit: Int) -> [LSAKey] {
        assert(requested.isEmpty)
        var keys: [LSAKey] = []
        while keys.count < limit, let key = order.first {
            if wanted[key] != nil { keys.append(key) }
            order.removeFirst()
        }
        requested = Set(keys)
        attempts = 0
        return keys
    }

    /// The LSAs that were requested and have not arrived, in order, to be requested again.
    mutating func again() -> [LSAKey] {
        attempts += 1
        return requested.sorted()
    }

    mutating func setDeadline(_ deadline: Instant) { self.deadline = deadline }
}
