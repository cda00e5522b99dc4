public import Addressing

/// How much of a pool is in use, of one family.
public struct PoolUse: Hashable, Sendable {
    public var pool: String
    public var family: IPFamily
    /// How many addresses it has; `UInt64.max` where there are more.
    public var addresses: UInt64
    /// How many of them services have.
    public var used: Int

    public init(pool: String, family: IPFamily, addresses: UInt64, used: Int) {
        self.pool = pool
        self.family = family
        self.addresses = addresses
        self.used = used
    }
}
