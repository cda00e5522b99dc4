import ControlAPI
import Glibc
import Lab
import Links
import TestSupport
import Testing

/// Settings that differ between the two ends of a cable, and where an operator finds that.
@Suite(.serialized, .needsRoot) struct MismatchTests {
    /// `config` is for a; b has the defaults.
    @Test(arguments: [
        (
            "interfaces: [ { match: \"cluster*\", hello: 2s, dead: 4s } ]",
            "hello interval mismatch: theirs is 1 s, ours 2 s"
        ),
        (
            "interfaces: [ { match: \"cluster*\", hello: 1s, dead: 9s } ]",
            "dead interval mismatch: theirs is 4 s, ours 9 s"
        ),
        ("ospf: { area: 0.0.0.9 }", "area mismatch: theirs is 0.0.0.0, ours 0.0.0.9"),
        ("ospf: { instance: 7 }", "instance ID mismatch: theirs is 0, ours 7"),
    ])
    func aMismatchIsShownAsAProblemOfThePort(config: String, expected: String) throws {
        let nodes = [Topology.Node("a", config: config), Topology.Node("b")]
        try withLab(Topology(name: "pair", nodes: nodes, links: [Topology.Link("a", "b")])) { lab in
            var other = ""
            try eventually("a and b answer") {
                other = try lab.status(of: "b").routerID
                return try other != "0.0.0.0" && lab.meshctl("status", "-o", "json").status < 2
            }
            try eventually("the port shows the mismatch") {
                try lab.list(Interface.self, of: "a").first?.problem == "\(other): \(expected); set both ends alike"
            }
            #expect(try lab.list(Neighbor.self, of: "a").isEmpty)
            #expect(try lab.meshctl("interfaces", "-o", "wide").text.contains(expected))
            #expect(try lab.status(of: "a").events.contains { $0.message.contains(expected) })

            try lab.stop("b", kill: true)
            try eventually("the problem of the port ends after b is killed") {
                try lab.list(Interface.self, of: "a").first?.problem == nil
            }
        }
    }

    @Test func aLinkThatIsBroadcastAtOneEndOnlyIsReported() throws {
        let nodes = [
            Topology.Node("a", ospf: Topology.OSPFOptions(type: "p2p", hello: 1, dead: 2)),
            Topology.Node("b", ospf: Topology.OSPFOptions(type: "broadcast", hello: 1, dead: 2)),
        ]
        try withLab(Topology(name: "pair", nodes: nodes, links: [Topology.Link("a", "b")])) { lab in
            for (node, expected) in [
                ("a", "link type mismatch: theirs is broadcast, ours p2p; set both ends alike"),
                ("b", "link type mismatch: theirs is p2p, ours broadcast; set both ends alike"),
            ] {
                try eventually("\(node) shows the mismatch") {
                    (try? lab.list(Neighbor.self, of: node))?.first?.problem == expected
                }
            }
            #expect(try lab.kernelRoutes(of: "a").isEmpty)
        }
    }
}
