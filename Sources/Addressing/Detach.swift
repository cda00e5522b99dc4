// Values share storage with their copies until one of them changes; the one that changes pays for the copy. A reader on
// another thread that detaches its copy first pays itself, and the writer, once it is alone again, pays nothing.

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
