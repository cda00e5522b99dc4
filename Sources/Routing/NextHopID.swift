/// The kernel's number of a next-hop object, single or group; never 0.
public struct NextHopID: RawRepresentable, Hashable, Sendable, Comparable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (left: NextHopID, right: NextHopID) -> Bool { left.rawValue < right.rawValue }
}

/// Allocates IDs from a range. The ID space is shared by the whole network namespace, so IDs that other programs use
/// are skipped.
struct NextHopIDPool: Sendable {
    private let range: ClosedRange<UInt32>
    /// The first ID of the range that was neither allocated nor skipped yet.
    private var next: UInt32
    /// Released IDs, to be used first. Some may be taken again by now.
    private var free: [NextHopID] = []
    /// IDs in use, also by other programs.
    private var taken: Set<NextHopID> = []

    init(range: ClosedRange<UInt32>) {
        self.range = range
        next = range.lowerBound
    }

    /// Returns an ID that is not in use; `nil` if the range is used up.
    mutating func allocate() -> NextHopID? {
        while let id = free.popLast() {
            if taken.insert(id).inserted { return id }
        }
        while next <= range.upperBound {
            let id = NextHopID(rawValue: next)
            next += 1
            if taken.insert(id).inserted { return id }
        }
        return nil
    }

    /// Marks an ID as in use, by us or by others.
    mutating func reserve(_ id: NextHopID) { taken.insert(id) }

    /// Marks an ID as no longer in use. An ID of the range can be allocated again.
    mutating func release(_ id: NextHopID) {
        guard taken.remove(id) != nil, range.contains(id.rawValue), id.rawValue < next else { return }
        free.append(id)
    }
}
