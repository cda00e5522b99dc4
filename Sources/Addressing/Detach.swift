// The agent passes copies of its values (snapshots) to threads that answer meshctl and make metrics. Swift copies share their
// storage until one of them changes, and whoever changes one first copies all of it: that would be the routing thread. A reader
// that calls `detach` on its copy does this work itself, on its own thread.

extension Array {
    /// Copies the storage if another array shares it: Swift does so before it gives access to change the elements.
    public mutating func detach() { withUnsafeMutableBufferPointer { _ in } }
}

extension Dictionary {
    /// Copies the storage if another dictionary shares it: `reserveCapacity` does so even when there is room for all already.
    public mutating func detach() { reserveCapacity(count) }
}

extension Set {
    /// Copies the storage if another set shares it: `reserveCapacity` does so even when there is room for all already.
    public mutating func detach() { reserveCapacity(count) }
}
