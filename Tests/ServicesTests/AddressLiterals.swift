public import Addressing

extension IPv6Address: ExpressibleByStringLiteral {
    /// Reads an address; stops the test if the text is none.
    public init(stringLiteral text: String) { self = IPv6Address(text)! }
}
