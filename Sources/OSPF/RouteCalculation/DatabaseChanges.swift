public import OSPFPacket
public import Timing

/// The contents of an LSA have changed.
public struct DatabaseChange: Sendable {
    public var key: LSAKey
    /// The LSA before; `nil` if there was none, or only one at MaxAge.
    public var old: LSA?
    /// The LSA now; `nil` if it is gone or at MaxAge.
    public var new: LSA?
    /// When it changed first.
    public var moment: Instant
}

/// What has changed in the database between two route calculations.
public struct DatabaseChanges: Sendable {
    /// The first ``mostListed`` LSAs that have changed, each once.
    public private(set) var listed: [DatabaseChange] = []
    /// The number of changes, those of LSAs that are not listed included.
    public private(set) var count = 0

    /// The length of ``listed`` at most: a whole database may change at once.
    public static let mostListed = 16

    /// Notes a change of an LSA.
    mutating func note(_ key: LSAKey, from old: LSA?, to new: LSA?, at now: Instant) {
        if let place = listed.firstIndex(where: { $0.key == key }) {
            listed[place].new = new
            return
        }
        count += 1
        guard listed.count < Self.mostListed else { return }
        listed.append(DatabaseChange(key: key, old: old, new: new, moment: now))
    }
}
