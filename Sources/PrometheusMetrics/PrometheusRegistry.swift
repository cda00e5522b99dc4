public import CoreMetrics
internal import Synchronization

/// A backend of swift-metrics for Prometheus. ``write(to:)`` writes the metrics of every library that uses swift-metrics.
///
/// Names become valid for Prometheus: they begin with `kubermesh_`, every octet but ASCII letters and digits becomes an
/// underscore, and counters end in `_total`, timers in `_seconds`. The same name with the same dimensions (in Prometheus:
/// labels) is the same metric, however often it is created.
public final class PrometheusRegistry: MetricsFactory, Sendable {
    /// What swift-metrics does not know of a metric.
    public struct Description: Sendable {
        /// The text after `# HELP`.
        public var help: String
        /// The upper bounds of the buckets of a timer (in seconds) or recorder, ascending.
        public var bounds: [Double]

        public init(_ help: String, bounds: [Double] = Self.usualBounds) {
            self.help = help
            self.bounds = bounds
        }

        /// From a millisecond to ten seconds, in seconds: for requests and checks. Histograms without a description have them
        /// too.
        public static let usualBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    }

    /// The default maximum number of series, where a histogram counts as one: far more than the agent has. It bounds the memory
    /// if a label gets unlimited values by mistake.
    public static let usualLimit = 1000

    /// The metrics of one name, which differ in their labels.
    private struct Family {
        var kind: MetricsText.Kind
        var series: [Labels: any Series] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        /// The number of ``Family/series`` in all families.
        var series = 0
        /// How many times the creation of a metric was refused.
        var refused: UInt64 = 0
    }

    private let descriptions: [String: Description]
    private let limit: Int
    private let state = Mutex(State())

    /// Makes an empty registry of at most `limit` series, where a histogram counts as one. Metrics beyond that work, but are
    /// not written. The keys of `descriptions` are the names that Prometheus sees, without `kubermesh_`.
    public init(_ descriptions: [String: Description] = [:], limit: Int = PrometheusRegistry.usualLimit) {
        self.descriptions = descriptions
        self.limit = limit
    }

    /// Writes all metrics in the order of their names, and how many times one was refused: there were too many, or a metric of
    /// another kind has the name.
    public func write(to text: inout MetricsText) {
        let (families, refused) = state.withLock { ($0.families, $0.refused) }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text.family(name, family.kind, descriptions[name]?.help ?? "A metric of a library.") { samples in
                for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                    series.write(labels.pairs, to: &samples)
                }
            }
        }
        text.single(
            "metrics_refused_total", .counter,
            "Times that a metric was refused: there are too many, or its name belongs to a metric of another kind.",
            refused)
    }

    /// The series with this name, kind and dimensions; created if it does not exist. If the creation is refused, returns a
    /// series that works like any other but is not written.
    private func find<Handler: Series>(
        _ name: String, _ kind: MetricsText.Kind, _ dimensions: [(String, String)], make: () -> Handler
    ) -> Handler {
        let labels = Labels(dimensions)
        return state.withLock { state in
            if let known = state.families[name]?.series[labels] as? Handler { return known }
            guard state.series < limit, state.families[name].map({ $0.kind == kind }) ?? true,
                state.families[name]?.series[labels] == nil
            else {
                state.refused += 1
                return make()
            }
            let series = make()
            state.families[name, default: Family(kind: kind)].series[labels] = series
            state.series += 1
            return series
        }
    }

    /// Removes a series; does nothing if it was refused.
    private func forget(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
                state.families[name]?.series[labels] = nil
                state.series -= 1
                if state.families[name]?.series.isEmpty == true { state.families[name] = nil }
            }
        }
    }

    private func bounds(of name: String) -> [Double] { descriptions[name]?.bounds ?? Description.usualBounds }
}

extension PrometheusRegistry {
    /// Makes a counter, whose name ends in `_total`, or returns the existing one.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(Self.name(label, suffix: "_total"), .counter, dimensions) { CounterSeries() }
    }

    /// Makes a gauge, or returns the existing one.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(Self.name(label), .gauge, dimensions) { GaugeSeries() }
    }

    /// Makes a histogram or, without `aggregate`, a gauge, or returns the existing one.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        let name = Self.name(label)
        guard aggregate else { return find(name, .gauge, dimensions) { GaugeSeries() } }
        return find(name, .histogram, dimensions) { HistogramSeries(bounds: bounds(of: name)) }
    }

    /// Makes a histogram of seconds, whose name ends in `_seconds`, or returns the existing one.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = Self.name(label, suffix: "_seconds")
        return find(name, .histogram, dimensions) { HistogramSeries(bounds: bounds(of: name)) }
    }

    /// Removes the metric, so that it is no longer written.
    public func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    /// Removes the metric, so that it is no longer written.
    public func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    /// Removes the metric, so that it is no longer written.
    public func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    /// Removes the metric, so that it is no longer written.
    public func destroyTimer(_ handler: any TimerHandler) { forget(handler) }

    private static func name(_ label: String, suffix: String = "") -> String {
        let name = Labels.name(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }
}
