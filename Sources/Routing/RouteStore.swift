internal import Addressing
internal import OSPF

/// A prefix with where it should point and where it does. Small and flat, as there may be a hundred thousand.
struct RouteRecord: Sendable {
    /// What the kernel is believed to hold for the prefix.
    enum Installed: Hashable, Sendable {
        case nothing
        /// Others removed it, unless we have made it again since.
        case perhapsNothing
        case group(NextHopID)
        /// A route of ours that does not point where any of ours would.
        case other

        /// Whether there is a route.
        var isSomething: Bool { self != .nothing && self != .perhapsNothing }
    }

    let prefix: IPv6Prefix
    var wanted: DestinationID?
    var installed = Installed.nothing
    /// Left by an earlier run, and not wanted or rejected by the router yet.
    var isStale = false
    /// Listed in ``RouteStore/dirty``.
    var isDirty = false
    /// Not to be tried again before something has changed; the reason is in ``FIB/failures``.
    var hasFailed = false
}

/// The records of all prefixes in flat storage with stable positions.
struct RouteStore: Sendable {
    private(set) var records: [RouteRecord?] = []
    private var index = PrefixMap<Int32>()
    private var free: [Int32] = []
    /// Positions to be looked at, each once.
    private(set) var dirty: [Int32] = []

    var count: Int { index.count }

    func position(of prefix: IPv6Prefix) -> Int32? { index[prefix] }

    subscript(position: Int32) -> RouteRecord {
        get { records[Int(position)]! }
        _modify { yield &records[Int(position)]! }
    }

    /// The position of a prefix, made if need be.
    mutating func insert(_ prefix: IPv6Prefix) -> Int32 {
        if let position = index[prefix] { return position }
        let position: Int32
        if let reused = free.popLast() {
            position = reused
            records[Int(position)] = RouteRecord(prefix: prefix)
        } else {
            position = Int32(records.count)
            records.append(RouteRecord(prefix: prefix))
        }
        index[prefix] = position
        return position
    }

    /// Notes that a record is to be looked at.
    mutating func markDirty(_ position: Int32) {
        guard !self[position].isDirty else { return }
        self[position].isDirty = true
        dirty.append(position)
    }

    /// Takes the first `count` dirty positions off the list.
    mutating func drainDirty(_ count: Int) -> [Int32] {
        let taken = Array(dirty.prefix(count))
        if taken.count == dirty.count {
            dirty.removeAll(keepingCapacity: false)
        } else {
            dirty.removeFirst(taken.count)
        }
        for position in taken { self[position].isDirty = false }
        return taken
    }

    /// Forgets a record that is not dirty.
    mutating func remove(_ position: Int32) {
        index[self[position].prefix] = nil
        records[Int(position)] = nil
        free.append(position)
    }

    /// Gives this store storage of its own.
    mutating func detach() {
        records.detach()
        index.detach()
        free.detach()
    }

    /// Every position there is; ask ``contains(_:)`` which are in use.
    var positions: Range<Int32> { 0..<Int32(records.count) }

    func contains(_ position: Int32) -> Bool { records[Int(position)] != nil }
}
