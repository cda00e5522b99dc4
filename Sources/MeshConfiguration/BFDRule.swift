public import BFD

/// The sessions of BFD on a port.
public struct BFDRule: Hashable, Sendable {
    public var parameters = SessionParameters()
    /// The key of authentication; `nil` without it.
    public var authentication: SessionKeyRule?

    /// The default parameters, without authentication.
    public init() {}
}
