public import Addressing

/// Addresses that services of type `LoadBalancer` are given.
public struct AddressPool: Hashable, Sendable {
    /// Its name, as services choose it.
    public var name: String
    /// The addresses. No two ranges of any pools may overlap.
    public var ranges: [AddressRange]
    /// Whether services are given addresses of it that do not ask for it.
    public var assignsAutomatically = true

    public init(name: String, ranges: [AddressRange], assignsAutomatically: Bool = true) {
        self.name = name
        self.ranges = ranges
        self.assignsAutomatically = assignsAutomatically
    }
}
