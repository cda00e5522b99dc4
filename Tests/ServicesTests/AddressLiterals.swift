public import Addressing

extension IPv6Address: ExpressibleByStringLiteral {
    /// An address in a test, which must be one.
    public init(stringLiteral text: String) { self = IPv6Address(text)! }
}
