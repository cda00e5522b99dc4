import CoreMetrics
import Testing

@testable import PrometheusMetrics

@Suite struct PrometheusRegistryTests {
    /// The lines of the metrics, without `metrics_refused_total`.
    private func text(_ registry: PrometheusRegistry) -> [Substring] {
        var metrics = MetricsText()
        registry.write(to: &metrics)
        return metrics.text.split(separator: "\n").filter { !$0.contains("metrics_refused_total") }
    }

    /// The value of `metrics_refused_total`.
    private func refused(_ registry: PrometheusRegistry) -> String? {
        var metrics = MetricsText()
        registry.write(to: &metrics)
        return metrics.text.split(separator: "\n").last?.split(separator: " ").last.map(String.init)
    }

    @Test func allKindsAreShown() {
        let registry = PrometheusRegistry(
            ["requests_total": .init("Requests."), "wait_seconds": .init("Waiting.", bounds: [0.01, 1])])
        Counter(label: "requests", dimensions: [("verb", "list"), ("code", "2\"0")], factory: registry).increment(by: 3)
        Counter(label: "requests_total", dimensions: [("code", "404"), ("verb", "get")], factory: registry).increment()
        Timer(label: "wait", factory: registry).recordMilliseconds(5)
        Timer(label: "wait", factory: registry).recordMilliseconds(500)
        Gauge(label: "pool.size-of", factory: registry).record(2.5)
        Meter(label: "9lives", factory: registry).increment(by: 9)
        Recorder(label: "sizes", factory: registry).record(7)
        #expect(
            text(registry) == [
                "# HELP kubermesh__9lives A metric of a library.", "# TYPE kubermesh__9lives gauge",
                "kubermesh__9lives 9.0",
                "# HELP kubermesh_pool_size_of A metric of a library.", "# TYPE kubermesh_pool_size_of gauge",
                "kubermesh_pool_size_of 2.5",
                "# HELP kubermesh_requests_total Requests.", "# TYPE kubermesh_requests_total counter",
                #"kubermesh_requests_total{code="2\"0",verb="list"} 3"#,
                #"kubermesh_requests_total{code="404",verb="get"} 1"#,
            ] + [
                "# HELP kubermesh_sizes A metric of a library.", "# TYPE kubermesh_sizes histogram",
            ]
                + PrometheusRegistry.Description.usualBounds.map {
                    "kubermesh_sizes_bucket{le=\"\($0)\"} \($0 < 7 ? 0 : 1)"
                }
                + [
                    "kubermesh_sizes_bucket{le=\"+Inf\"} 1", "kubermesh_sizes_sum 7.0", "kubermesh_sizes_count 1",
                    "# HELP kubermesh_wait_seconds Waiting.", "# TYPE kubermesh_wait_seconds histogram",
                    "kubermesh_wait_seconds_bucket{le=\"0.01\"} 1", "kubermesh_wait_seconds_bucket{le=\"1.0\"} 2",
                    "kubermesh_wait_seconds_bucket{le=\"+Inf\"} 2", "kubermesh_wait_seconds_sum 0.505",
                    "kubermesh_wait_seconds_count 2",
                ])
    }

    @Test func countersOnlyRise() {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "x", factory: registry)
        counter.increment(by: 5)
        counter.increment(by: -3)
        #expect(text(registry).last == "kubermesh_x_total 5")
    }

    @Test func destroyedMetricsAreNotShown() {
        let registry = PrometheusRegistry()
        let first = Timer(label: "check", dimensions: [("check", "a")], factory: registry)
        let second = Timer(label: "check", dimensions: [("check", "b")], factory: registry)
        first.destroy()
        #expect(text(registry).contains { $0.contains("check=\"b\"") })
        #expect(!text(registry).contains { $0.contains("check=\"a\"") })
        second.destroy()
        #expect(text(registry).isEmpty)
        first.destroy()
    }

    /// Values of labels may come from outside, so the number of series is limited, here to 10. Two more
    /// lines are help and type.
    @Test func theNumberOfSeriesIsLimited() {
        let registry = PrometheusRegistry(limit: 10)
        for number in 0..<100 {
            Counter(label: "x", dimensions: [("name", "\(number)")], factory: registry).increment()
        }
        #expect(text(registry).count == 2 + 10)
        #expect(refused(registry) == "90")
        // A series that exists is still counted.
        Counter(label: "x", dimensions: [("name", "3")], factory: registry).increment()
        #expect(text(registry).contains("kubermesh_x_total{name=\"3\"} 2"))
    }

    @Test func aNameHasOneKind() {
        let registry = PrometheusRegistry()
        Gauge(label: "x_seconds", factory: registry).record(1)
        Timer(label: "x", factory: registry).recordSeconds(1)
        Recorder(label: "x_seconds", factory: registry).record(1)
        #expect(text(registry).count == 3)
        #expect(refused(registry) == "2")
    }

    @Test func incrementsOfManyThreadsAreCounted() async {
        let registry = PrometheusRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for number in 0..<1000 {
                        Counter(label: "x", dimensions: [("n", "\(number % 7)")], factory: registry).increment()
                        Timer(label: "y", factory: registry).recordNanoseconds(1)
                    }
                }
            }
        }
        let values = text(registry).filter { $0.hasPrefix("kubermesh_x_total{") }.compactMap {
            $0.split(separator: " ").last
        }
        #expect(values.compactMap { Int($0) }.reduce(0, +) == 8000)
        #expect(text(registry).contains("kubermesh_y_seconds_count 8000"))
    }
}
