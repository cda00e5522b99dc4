public import Addressing

/// The use of a pool, for one family.
public struct PoolUse: Hashable, Sendable {
    public var pool: String
    public var family: IPFamily
    /// The number of its addresses, at most `UInt64.max`.
    public var addresses: UInt64
    /// The number of addresses that services use.
    public var used: Int

    public init(pool: String, family: IPFamily, addresses: UInt64, used: Int) {
        self.pool = pool
        self.family = family
        self.addresses = addresses
        self.used = used
    }
}
