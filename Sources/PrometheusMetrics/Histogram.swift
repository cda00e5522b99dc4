/// How often something took how long.
public struct Histogram: Hashable, Sendable {
    /// The upper bounds of the buckets in seconds, rising; what is longer counts in ``count`` only.
    public let bounds: [Double]
    /// How many fell into each bucket.
    public private(set) var counts: [UInt64]
    /// How many there were.
    public private(set) var count: UInt64 = 0
    /// All of them together, in seconds.
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count)
    }

    /// Takes a duration in.
    public mutating func observe(_ duration: Duration) {
        observe(seconds: Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
    }

    /// Takes a number of seconds in.
    public mutating func observe(seconds: Double) {
        count += 1
        sum += seconds
        if let bucket = bounds.firstIndex(where: { seconds <= $0 }) { counts[bucket] += 1 }
    }
}
