/// Something a lab could not do: what happened, where, and what to do about it.
public struct LabError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The whole message, ready to be shown to a person.
    public let description: String

    /// Makes an error from its message.
    public init(_ description: String) { self.description = description }
}
