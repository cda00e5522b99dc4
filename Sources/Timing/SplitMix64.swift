/// A small generator of random numbers, with the constants of its authors (Steele, Lea and Flood 2014). The seed determines
/// all numbers, so that a simulated router with the same seed does the same. Not for secrets.
public struct SplitMix64: Sendable {
    private var state: UInt64

    /// Starts a sequence.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    /// A random duration from 0 to just below `limit`, in whole nanoseconds; 0 if `limit` is not positive. The remainder
    /// favors short durations, by too little to matter for delays.
    public mutating func duration(below limit: Duration) -> Duration {
        let bound = UInt64(max(1, limit.nanoseconds))
        return .nanoseconds(Int64(next() % bound))
    }
}
