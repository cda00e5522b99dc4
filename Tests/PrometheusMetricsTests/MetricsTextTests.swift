import Testing

@testable import PrometheusMetrics

@Suite struct MetricsTextTests {
    @Test func familiesHaveHelpTypeAndSamples() {
        var metrics = MetricsText()
        metrics.single("ready", .gauge, "Whether.", true)
        metrics.family("packets_total", .counter, "Packets.") {
            $0.sample(["type": "hello"], value: 3)
            $0.sample(["type": "a\"b\\c\nd"], value: 0)
        }
        metrics.family("nothing", .gauge, "Nothing.") { _ in }
        #expect(
            metrics.text == #"""
                # HELP kubermesh_ready Whether.
                # TYPE kubermesh_ready gauge
                kubermesh_ready 1
                # HELP kubermesh_packets_total Packets.
                # TYPE kubermesh_packets_total counter
                kubermesh_packets_total{type="hello"} 3
                kubermesh_packets_total{type="a\"b\\c\nd"} 0

                """#)
    }

    @Test func histogramsAreCumulative() {
        var histogram = Histogram(bounds: [0.001, 0.01])
        for milliseconds in [1, 5, 10, 500] { histogram.observe(.milliseconds(milliseconds)) }
        var metrics = MetricsText()
        metrics.histogram("x_seconds", "X.", histogram)
        #expect(
            metrics.text == """
                # HELP kubermesh_x_seconds X.
                # TYPE kubermesh_x_seconds histogram
                kubermesh_x_seconds_bucket{le="0.001"} 1
                kubermesh_x_seconds_bucket{le="0.01"} 3
                kubermesh_x_seconds_bucket{le="+Inf"} 4
                kubermesh_x_seconds_sum 0.516
                kubermesh_x_seconds_count 4

                """)
    }
}
