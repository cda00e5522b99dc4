public import Addressing

/// How many of the addresses of a pool are in use, for one family.
public struct PoolUse: Hashable, Sendable {
    public var pool: String
    public var family: IPFamily
    /// The number of addresses of the family in the pool; `UInt64.max` if there are more.
    public var addresses: UInt64
    /// The number of these addresses that services have in their `status`.
    public var used: Int

    public init(pool: String, family: IPFamily, addresses: UInt64, used: Int) {
        self.pool = pool
        self.family = family
        self.addresses = addresses
        self.used = used
    }
}
