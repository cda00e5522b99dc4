// Copies of a value share storage until one of them changes; the one that changes makes the copy. If a reader on another thread
// detaches its copy first, the reader makes the copy, and the writer, as the only user of its storage, makes none.

extension Array {
    /// Gives this array storage of its own.
    public mutating func detach() { withUnsafeMutableBufferPointer { _ in } }
}

extension Dictionary {
    /// Gives this dictionary storage of its own.
    public mutating func detach() { reserveCapacity(count) }
}

extension Set {
    /// Gives this set storage of its own.
    public mutating func detach() { reserveCapacity(count) }
}
