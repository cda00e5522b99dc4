import Testing

@testable import Agent

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

    @Test(arguments: ["a=%", "a=%1", "a=%zz", "a=%ff"]) func invalidPercentEncodingIsRefused(text: String) {
        #expect(Query(text) == nil)
    }
}
