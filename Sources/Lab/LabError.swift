/// An error of a lab: what happened, where, and what to do about it.
public struct LabError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The whole message, for people.
    public let description: String

    public init(_ description: String) { self.description = description }
}
