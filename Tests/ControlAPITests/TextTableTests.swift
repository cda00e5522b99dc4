import ControlAPI
import Testing

@Suite struct TextTableTests {
    @Test func columnsAreAlignedWithoutTrailingSpace() {
        var table = TextTable(columns: ["NAME", .number("N"), "X"])
        table.append(["a", "5", "x"])
        table.append(["longer", "1000", ""])
        table.append(["", "7", ""], continues: true)
        #expect(table.text() == "NAME       N  X\na          5  x\nlonger  1000  -\n           7\n")
        #expect(table.text(headers: false) == "a          5  x\nlonger  1000  -\n           7\n")
    }

    @Test(arguments: [
        (0.0, "0s"), (0.44, "0.4s"), (9.94, "9.9s"), (12.7, "12s"), (192, "3m12s"), (7500, "2h5m"), (273_600, "3d4h"),
        (-1, "-"), (Double.infinity, "-"),
    ])
    func durationsAreShort(seconds: Double, text: String) { #expect(shortDuration(seconds) == text) }

    @Test func timestampsAreRFC3339() {
        #expect(Timestamp.text(nanosecondsSince1970: 1_709_210_096_789_000_000) == "2024-02-29T12:34:56.789Z")
        #expect(Timestamp.text(nanosecondsSince1970: 0) == "1970-01-01T00:00:00.000Z")
    }
}

@Suite struct DocumentTests {
    static let route = Route(
        prefix: "fd00::2/128", family: "ipv6", kind: "intra-area", nodes: ["n2", "n3"], metric: 20, internalMetric: nil,
        nextHops: [
            .init(address: "fe80::1", interface: "p1", routerID: "10.0.0.2", node: "n2"),
            .init(address: "fe80::22", interface: "p2"),
        ], age: 12.5, fib: .init(state: .installed))

    @Test func listsAreEncodedWithTheirKindAndReadBack() throws {
        let octets = try JSON.encode(ListDocument(node: "n1", time: "2024-02-29T12:34:56.789Z", items: [Self.route]))
        #expect(
            String(decoding: octets, as: UTF8.self)
                == #"{"apiVersion":"meshctl/v1","items":[{"age":12.5,"family":"ipv6","fib":{"state":"installed"},"#
                + #""kind":"intra-area","metric":20,"nextHops":[{"address":"fe80::1","interface":"p1","node":"n2","#
                + #""routerID":"10.0.0.2","weight":1},{"address":"fe80::22","interface":"p2","weight":1}],"#
                + #""nodes":["n2","n3"],"prefix":"fd00::2/128"}],"kind":"RouteList","node":"n1","#
                + #""time":"2024-02-29T12:34:56.789Z"}"# + "\n")
        let back = try JSON.decode(ListDocument<Route>.self, from: octets)
        #expect(back.items == [Self.route])
    }

    @Test func aBackupHasALineOfItsOwn() throws {
        var route = Self.route
        route.nextHops.removeLast()
        route.backup = .init(address: "fe80::22", interface: "p2", routerID: "10.0.0.3", node: "n3")
        #expect(
            Route.table([route], wide: true).text() == """
                PREFIX       KIND        NODE   METRIC  NEXTHOP   DEV  AGE  FIB        VIA  WEIGHT  DETAIL
                fd00::2/128  intra-area  n2,n3      20  fe80::1   p1   12s  installed  n2        1  -
                                                        fe80::22  p2        backup     n3

                """)
        #expect(route.explanation.contains("  backup        fe80::22 dev p2  to n3\n"))
        let octets = try JSON.encode(ListDocument(node: "n1", time: "2024-02-29T12:34:56.789Z", items: [route]))
        #expect(
            String(decoding: octets, as: UTF8.self).contains(
                #""backup":{"address":"fe80::22","interface":"p2","node":"n3","routerID":"10.0.0.3","weight":1}"#))
        let back = try JSON.decode(ListDocument<Route>.self, from: octets)
        #expect(back.items == [route])
    }

    @Test func routesHaveALineForEveryNextHop() {
        #expect(
            Route.table([Self.route], wide: false).text() == """
                PREFIX       KIND        NODE   METRIC  NEXTHOP   DEV  AGE  FIB
                fd00::2/128  intra-area  n2,n3      20  fe80::1   p1   12s  installed
                                                        fe80::22  p2

                """)
    }

    @Test func theExplanationOfARouteNamesItsAnnouncersAndNextHops() {
        var route = Self.route
        route.announcers = [
            .init(routerID: "10.0.0.2", node: "n2", metric: 10, distance: 10, kind: "intra-area", selected: true),
            .init(
                routerID: "10.0.0.9", node: nil, metric: 0, distance: nil, kind: "intra-area", selected: false,
                reason: "cannot be reached"),
        ]
        let text = route.explanation
        #expect(text.contains("announced by  n2"))
        #expect(text.contains("10.0.0.9"))
        #expect(text.contains("not chosen: cannot be reached"))
        #expect(text.contains("fe80::22 dev p2"))
        #expect(text.contains("kernel        installed"))
    }

    @Test func unknownFieldsAreIgnored() throws {
        let text = #"{"apiVersion":"meshctl/v1","kind":"Error","status":404,"message":"no","later":[1]}"#
        #expect(try JSON.decode(ErrorDocument.self, from: text.utf8) == ErrorDocument(status: 404, message: "no"))
    }

    @Test func anyJSONIsReadBackUnchanged() throws {
        let value: JSONValue = ["a": [1, "x", true, .null, .number(1.5)], "b": ["c": -7]]
        #expect(try JSON.decode(JSONValue.self, from: JSON.encode(value)) == value)
    }
}

@Suite struct OneLineTests {
    @Test func controlCharactersBecomeSpaces() {
        #expect("a\u{1b}[2Jb\nc\td\u{9b}é\u{7f}".asOneLine == "a [2Jb c d é ")
        #expect("as it is – ✓".asOneLine == "as it is – ✓")
        #expect("n1\u{202e}2n\u{2028}x\u{2066}".asOneLine == "n1 2n x ")
    }
}
