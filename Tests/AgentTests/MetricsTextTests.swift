import Testing

@testable import Agent

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

@Suite struct LinkCountersTests {
    @Test func theKernelsTableIsRead() {
        let table = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
            eth0.5:0:18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
            short: 1 2 3
            """
        let links = LinkCounters.parse(table)
        #expect(links.keys.sorted() == ["eth0.5:0", "lo"])
        #expect(links["lo"]?.received == LinkCounters.Traffic(bytes: 1, packets: 2, errors: 3, drops: 4))
        #expect(links["lo"]?.sent == LinkCounters.Traffic(bytes: 9, packets: 10, errors: 11, drops: 12))
        #expect(links["eth0.5:0"]?.received.bytes == .max)
        #expect(LinkCounters.read()["lo"] != nil)
    }
}

@Suite struct LineLogHandlerTests {
    @Test func jsonIsEscaped() {
        #expect(LineLogHandler.json("a\"b\\c\n\u{1}é") == #""a\"b\\c\n\u0001é""#)
    }
}

@Suite struct QueryTests {
    @Test func namesAndValuesAreDecoded() throws {
        let query = try #require(Query("prefix=2001%3Adb8%3A%3A%2F64&detail=true&empty"))
        #expect(query["prefix"] == "2001:db8::/64")
        #expect(query["detail"] == "true")
        #expect(query["empty"] == "")
        #expect(query["none"] == nil)
    }

    @Test(arguments: ["a=%", "a=%1", "a=%zz", "a=%ff"]) func damageIsRefused(text: String) {
        #expect(Query(text) == nil)
    }
}
