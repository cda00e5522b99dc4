/// A histogram: how many durations, or other values, are in each of several buckets.
public struct Histogram: Hashable, Sendable {
    /// The upper bounds of the buckets, inclusive and ascending: seconds, or the unit of the values. A value above the last one
    /// counts in ``count`` and ``sum`` only.
    public let bounds: [Double]
    /// The number of values in each bucket, without those of lower buckets.
    public private(set) var counts: [UInt64]
    /// The number of all values.
    public private(set) var count: UInt64 = 0
    /// The sum of all values.
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count)
    }

    /// Adds a duration.
    public mutating func observe(_ duration: Duration) {
        observe(seconds: Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
    }

    /// Adds a number of seconds or, if ``bounds`` have another unit, a value in that unit.
    public mutating func observe(seconds: Double) {
        count += 1
        sum += seconds
        if let bucket = bounds.firstIndex(where: { seconds <= $0 }) { counts[bucket] += 1 }
    }
}
