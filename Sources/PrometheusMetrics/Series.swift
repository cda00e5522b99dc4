internal import CoreMetrics
internal import Synchronization

/// The labels that distinguish a metric from others of the same name, in the order of the labels' names. If several values are
/// given for one label, the first counts.
struct Labels: Hashable, Comparable {
    private let names: [String]
    private let values: [String]

    init(_ dimensions: [(String, String)]) {
        let unique = Dictionary(dimensions.map { (Self.name($0.0), $0.1) }) { first, _ in first }
        let sorted = unique.sorted { $0.key < $1.key }
        names = sorted.map(\.key)
        values = sorted.map(\.value)
    }

    var pairs: [(String, String)] { Array(zip(names, values)) }

    /// The text as a name that Prometheus accepts: every octet but ASCII letters and digits becomes an underscore, and a digit
    /// at the start gets one before it. `_` for an empty text.
    static func name(_ text: String) -> String {
        let octets = text.utf8.map { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                octet
            default: UInt8(ascii: "_")
            }
        }
        let name = String(decoding: octets, as: UTF8.self)
        return name.first.map { $0.isNumber ? "_" + name : name } ?? "_"
    }

    static func < (left: Labels, right: Labels) -> Bool {
        left.names == right.names
            ? left.values.lexicographicallyPrecedes(right.values) : left.names.lexicographicallyPrecedes(right.names)
    }
}

/// A metric of the registry with its labels: one time series of Prometheus, or all those of one histogram.
protocol Series: AnyObject, Sendable {
    /// Writes the current value.
    func write(_ labels: [(String, String)], to samples: inout MetricsText.Samples)
}

final class CounterSeries: Series, CounterHandler {
    private let value = Atomic<UInt64>(0)

    func increment(by amount: Int64) {
        // A negative amount counts as 0, because a counter never decreases.
        value.wrappingAdd(UInt64(clamping: amount), ordering: .relaxed)
    }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(_ labels: [(String, String)], to samples: inout MetricsText.Samples) {
        samples.sample(labels: labels, value: value.load(ordering: .relaxed))
    }
}

final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    func write(_ labels: [(String, String)], to samples: inout MetricsText.Samples) {
        samples.sample(labels: labels, value: value.withLock { $0 })
    }
}

final class HistogramSeries: Series, TimerHandler, RecorderHandler {
    private let histogram: Mutex<Histogram>

    init(bounds: [Double]) { histogram = Mutex(Histogram(bounds: bounds)) }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { histogram.withLock { $0.observe(seconds: value) } }

    func write(_ labels: [(String, String)], to samples: inout MetricsText.Samples) {
        samples.histogram(labels: labels, value: histogram.withLock { $0 })
    }
}
