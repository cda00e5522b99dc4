internal import Timing

/// What changed since the last time somebody asked.
public struct Changes<Object: Resource>: Hashable, Sendable {
    /// What is gone, as it was last reported. To be looked at first: an object that was replaced by another of the same name
    /// is among both.
    public var deleted: [Object] = []
    /// What is new or says something new.
    public var updated: [Object] = []

    /// Whether nothing changed.
    public var isEmpty: Bool { deleted.isEmpty && updated.isEmpty }
}

/// The objects of one kind as they were last heard of, and what of that nobody was told yet. Several changes of one object
/// between two tellings become one. That one said something else for a moment is told even if it says now what was told last:
/// whoever also hears answers to what he wrote may know of that moment, and would believe it for ever.
struct ObjectStore<Object: Resource>: Sendable {
    private struct Entry {
        var object: Object
        /// What it took on the wire.
        var octets: Int
    }

    private var entries: [ObjectKey: Entry] = [:]
    /// What was told of each object that has changed since.
    private var told: [ObjectKey: Object?] = [:]
    /// What all objects took on the wire.
    private(set) var octets = 0

    var count: Int { entries.count }
    var objects: some Collection<Object> { entries.values.lazy.map(\.object) }
    var hasChanges: Bool { !told.isEmpty }

    subscript(key: ObjectKey) -> Object? { entries[key]?.object }

    /// Takes in an object that is there. What says nothing new is no change.
    mutating func insert(_ object: Object, octets: Int) {
        let old = entries[object.key]
        self.octets += octets - (old?.octets ?? 0)
        entries[object.key] = Entry(object: object, octets: octets)
        if let old, old.object.saysTheSame(as: object) { return }
        note(object.key, was: old?.object)
    }

    /// Takes in that an object is gone.
    mutating func remove(_ key: ObjectKey) {
        guard let old = entries.removeValue(forKey: key) else { return }
        octets -= old.octets
        note(key, was: old.object)
    }

    /// Takes in a whole list: what is not in it is gone.
    mutating func replace(with list: [(object: Object, octets: Int)]) {
        var gone = Set(entries.keys)
        for (object, octets) in list {
            gone.remove(object.key)
            insert(object, octets: octets)
        }
        for key in gone { remove(key) }
    }

    /// Tells what changed.
    mutating func takeChanges() -> Changes<Object> {
        defer { told.removeAll(keepingCapacity: told.count < 1024) }
        var changes = Changes<Object>()
        for (key, before) in told {
            let now = entries[key]?.object
            if let before, now?.metadata.uid != before.metadata.uid { changes.deleted.append(before) }
            if let now { changes.updated.append(now) }
        }
        return changes
    }

    private mutating func note(_ key: ObjectKey, was object: Object?) {
        if told[key] == nil { told[key] = .some(object) }
    }
}
