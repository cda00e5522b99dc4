/// Metrics in the Prometheus text format, version 0.0.4.
struct MetricsText {
    /// What a family of samples is.
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private(set) var text = ""

    /// A family with one sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: some MetricValue) {
        family(name, kind, help) { $0.sample(value: value) }
    }

    /// A family of samples that differ in their labels. Nothing is written for an empty one.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Samples) -> Void) {
        var samples = Samples(name: "kubermesh_\(name)")
        body(&samples)
        guard !samples.text.isEmpty else { return }
        text += "# HELP kubermesh_\(name) \(help)\n# TYPE kubermesh_\(name) \(kind.rawValue)\n" + samples.text
    }

    /// A histogram.
    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, .histogram, help) { samples in
            var total: UInt64 = 0
            for (bound, count) in zip(histogram.bounds, histogram.counts) {
                total += count
                samples.sample(["le": "\(bound)"], suffix: "_bucket", value: total)
            }
            samples.sample(["le": "+Inf"], suffix: "_bucket", value: histogram.count)
            samples.sample(suffix: "_sum", value: histogram.sum)
            samples.sample(suffix: "_count", value: histogram.count)
        }
    }

    /// The samples of one family.
    struct Samples {
        fileprivate let name: String
        fileprivate var text = ""

        fileprivate init(name: String) { self.name = name }

        /// One sample.
        mutating func sample(
            _ labels: KeyValuePairs<String, String> = [:], suffix: String = "", value: some MetricValue
        ) {
            text += name + suffix
            if !labels.isEmpty {
                text += "{" + labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
            }
            text += " \(value.metricText)\n"
        }

        private static func escaped(_ text: String) -> String {
            var result = ""
            for character in text {
                switch character {
                case "\\": result += "\\\\"
                case "\"": result += "\\\""
                case "\n": result += "\\n"
                default: result.append(character)
                }
            }
            return result
        }
    }
}

/// What a sample can be.
protocol MetricValue {
    var metricText: String { get }
}

extension Int: MetricValue { var metricText: String { description } }
extension UInt32: MetricValue { var metricText: String { description } }
extension UInt64: MetricValue { var metricText: String { description } }
extension Double: MetricValue { var metricText: String { description } }
extension Bool: MetricValue { var metricText: String { self ? "1" : "0" } }

/// How often something took how long.
struct Histogram: Hashable, Sendable {
    /// The upper bounds of the buckets in seconds, rising; what is longer counts in ``count`` only.
    let bounds: [Double]
    /// How many fell into each bucket.
    private(set) var counts: [UInt64]
    /// How many there were.
    private(set) var count: UInt64 = 0
    /// All of them together, in seconds.
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count)
    }

    /// Takes a duration in.
    mutating func observe(_ duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        count += 1
        sum += seconds
        if let bucket = bounds.firstIndex(where: { seconds <= $0 }) { counts[bucket] += 1 }
    }
}
