public import Addressing

/// Addresses for services of type `LoadBalancer`.
public struct AddressPool: Hashable, Sendable {
    /// The name by which services choose the pool.
    public var name: String
    /// The addresses. No two ranges of any pools may overlap.
    public var ranges: [AddressRange]
    /// Whether services that choose no pool get addresses from it.
    public var assignsAutomatically = true

    public init(name: String, ranges: [AddressRange], assignsAutomatically: Bool = true) {
        self.name = name
        self.ranges = ranges
        self.assignsAutomatically = assignsAutomatically
    }
}
