internal import Timing

/// Changes since the last report.
public struct Changes<Object: Resource>: Hashable, Sendable {
    /// Deleted objects as last reported. Handle them first: if another object of the same name has replaced one, that name is
    /// in both lists.
    public var deleted: [Object] = []
    /// New and changed objects.
    public var updated: [Object] = []

    /// Whether nothing changed.
    public var isEmpty: Bool { deleted.isEmpty && updated.isEmpty }
}

/// The known objects of one kind, and the changes that were not reported yet. Several changes of one object between two
/// reports become one. An object that changed and changed back is reported too: the receiver may know the state in
/// between from the response to its own write, and would keep it forever.
struct ObjectStore<Object: Resource>: Sendable {
    private struct Entry {
        var object: Object
        /// Its encoded size as received, in octets: in a list, an equal share of its page; 0 if it was saved.
        var octets: Int
    }

    private var entries: [ObjectKey: Entry] = [:]
    /// The last reported state of each object that has changed since; `nil` if the object was not there.
    private var reported: [ObjectKey: Object?] = [:]
    /// The sum of the sizes of all objects, in octets.
    private(set) var octets = 0

    var count: Int { entries.count }
    var objects: some Collection<Object> { entries.values.lazy.map(\.object) }
    var hasChanges: Bool { !reported.isEmpty }

    subscript(key: ObjectKey) -> Object? { entries[key]?.object }

    /// Stores an object. Equal content is no change.
    mutating func insert(_ object: Object, octets: Int) {
        let old = entries[object.key]
        self.octets += octets - (old?.octets ?? 0)
        entries[object.key] = Entry(object: object, octets: octets)
        if let old, old.object.hasSameContents(as: object) { return }
        note(object.key, was: old?.object)
    }

    mutating func remove(_ key: ObjectKey) {
        guard let old = entries.removeValue(forKey: key) else { return }
        octets -= old.octets
        note(key, was: old.object)
    }

    /// Stores a complete list, and removes all objects that are not in it.
    mutating func replace(with list: [(object: Object, octets: Int)]) {
        var gone = Set(entries.keys)
        for (object, octets) in list {
            gone.remove(object.key)
            insert(object, octets: octets)
        }
        for key in gone { remove(key) }
    }

    /// The changes since the last call.
    mutating func takeChanges() -> Changes<Object> {
        // The memory for the usual number of changes is kept; that for a whole list is freed.
        defer { reported.removeAll(keepingCapacity: reported.count < 1024) }
        var changes = Changes<Object>()
        for (key, before) in reported {
            let now = entries[key]?.object
            if let before, now?.metadata.uid != before.metadata.uid { changes.deleted.append(before) }
            if let now { changes.updated.append(now) }
        }
        return changes
    }

    /// Remembers what was last reported of an object, at its first change since.
    private mutating func note(_ key: ObjectKey, was object: Object?) {
        if reported[key] == nil { reported[key] = .some(object) }
    }
}
