/// Metrics in the Prometheus text format, version 0.0.4.
public struct MetricsText: Sendable {
    /// The type of a metric family, as in `# TYPE`.
    public enum Kind: String, Sendable {
        /// A value that only increases.
        case counter
        /// A value that increases and decreases.
        case gauge
        /// A ``Histogram``.
        case histogram
    }

    /// The text written so far.
    public private(set) var text = ""

    public init() {}

    /// Writes a family with one sample. The prefix `kubermesh_` is added to `name`.
    public mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: some MetricValue) {
        family(name, kind, help) { $0.sample(value: value) }
    }

    /// Writes a family of samples that differ in their labels; nothing if there are no samples. The prefix `kubermesh_` is
    /// added to `name`.
    public mutating func family(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Samples) -> Void) {
        var samples = Samples(name: "kubermesh_\(name)")
        body(&samples)
        guard !samples.text.isEmpty else { return }
        text += "# HELP kubermesh_\(name) \(help)\n# TYPE kubermesh_\(name) \(kind.rawValue)\n" + samples.text
    }

    /// Writes a family with one histogram. The prefix `kubermesh_` is added to `name`.
    public mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, .histogram, help) { $0.histogram(value: histogram) }
    }

    /// The samples of one family.
    public struct Samples: Sendable {
        fileprivate let name: String
        fileprivate var text = ""

        fileprivate init(name: String) { self.name = name }

        /// Writes one sample.
        public mutating func sample(_ labels: KeyValuePairs<String, String> = [:], value: some MetricValue) {
            write("", labels.map { ($0.key, $0.value) }, value)
        }

        /// Writes one sample whose labels are not a literal.
        mutating func sample(labels: [(String, String)], value: some MetricValue) { write("", labels, value) }

        /// Writes the samples of one histogram.
        mutating func histogram(labels: [(String, String)] = [], value histogram: Histogram) {
            var total: UInt64 = 0
            for (bound, count) in zip(histogram.bounds, histogram.counts) {
                total += count
                write("_bucket", labels + [("le", "\(bound)")], total)
            }
            write("_bucket", labels + [("le", "+Inf")], histogram.count)
            write("_sum", labels, histogram.sum)
            write("_count", labels, histogram.count)
        }

        private mutating func write(_ suffix: String, _ labels: [(String, String)], _ value: some MetricValue) {
            text += name + suffix
            if !labels.isEmpty {
                text += "{" + labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
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

/// The value of a sample.
public protocol MetricValue {
    /// The value in the text format.
    var metricText: String { get }
}

extension MetricValue where Self: CustomStringConvertible {
    /// The number as Swift describes it.
    public var metricText: String { description }
}

extension Int: MetricValue {}
extension UInt32: MetricValue {}
extension UInt64: MetricValue {}
extension Double: MetricValue {}
extension Bool: MetricValue {
    /// `1` for `true`, `0` for `false`.
    public var metricText: String { self ? "1" : "0" }
}
