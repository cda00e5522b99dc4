internal import Addressing
internal import OSPF

/// A prefix with its wanted and its installed target. Small and flat, as there may be a hundred thousand.
struct RouteRecord: Sendable {
    /// The state of the prefix in the kernel according to the model.
    enum Installed: Hashable, Sendable {
        case nothing
        /// A notification says that others removed or replaced our route. It may be late: we may have created the route again
        /// since.
        case unknown
        case group(NextHopID)
        /// A route of ours that must be written again: its target or another attribute is not the wanted one, or is
        /// unknown.
        case other

        /// Whether there is a route.
        var isRoute: Bool { self != .nothing && self != .unknown }
    }

    let prefix: IPv6Prefix
    /// Where the router wants the route to go; `nil` if it wants none.
    var wanted: DestinationID?
    /// What the kernel has, according to the model.
    var installed = Installed.nothing
    /// Stale: a route of an earlier run, before ``FIB/sweep()``, that the router has neither wanted nor rejected.
    var isStale = false
    /// Listed in ``RouteStore/dirty``.
    var isDirty = false
    /// Not to be tried again before ``FIB/retry()`` or a change of what the route depends on. The reason is in
    /// ``FIB/failures``.
    var hasFailed = false
}

/// The records of all prefixes in flat storage with stable positions.
struct RouteStore: Sendable {
    private(set) var records: [RouteRecord?] = []
    /// The position of each prefix.
    private var index = PrefixMap<Int32>()
    /// Positions without a record.
    private var free: [Int32] = []
    /// Positions of records to examine, each once.
    private(set) var dirty: [Int32] = []

    var count: Int { index.count }

    func position(of prefix: IPv6Prefix) -> Int32? { index[prefix] }

    subscript(position: Int32) -> RouteRecord {
        get { records[Int(position)]! }
        _modify { yield &records[Int(position)]! }
    }

    /// Returns the position of a prefix. Adds a record if there is none.
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

    /// Marks a record to be examined.
    mutating func markDirty(_ position: Int32) {
        guard !self[position].isDirty else { return }
        self[position].isDirty = true
        dirty.append(position)
    }

    /// Removes and returns the first dirty positions, at most `count`.
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

    /// Removes a record that is not dirty.
    mutating func remove(_ position: Int32) {
        index[self[position].prefix] = nil
        records[Int(position)] = nil
        free.append(position)
    }

    /// Gives this copy its own storage of all that is large, so that the next change of the original need not copy it.
    mutating func detach() {
        records.detach()
        index.detach()
        free.detach()
    }

    /// All positions, with and without a record; see ``contains(_:)``.
    var positions: Range<Int32> { 0..<Int32(records.count) }

    func contains(_ position: Int32) -> Bool { records[Int(position)] != nil }
}
