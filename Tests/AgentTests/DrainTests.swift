import Addressing
import ControlAPI
import Glibc
import Lab
import Links
import Services
import TestSupport
import Testing

@testable import Agent

@Suite(.serialized, .needsRoot) struct DrainTests {
    private static let vip = "2001:db8:bb::1"
    /// For `b` and `c`: the second port, which the cable between them connects, has cost 100 instead of 10.
    private static let highCost = "interfaces: [ { match: cluster1, cost: 100 }, { match: \"cluster*\" } ]"

    /// A triangle: `b` reaches `c` through `a` at cost 20, or over the cable between them at cost 100. `a` and `c` have the
    /// VIP; `a` is nearer to `b`. `config` is for `a`.
    private func withTriangle(_ config: String = "", _ body: (inout Lab) throws -> Void) throws {
        let vips = "vips: [ { name: v, address: \"\(Self.vip)\" } ]"
        let nodes = [
            Topology.Node("a", config: vips + "\n" + config), Topology.Node("b", config: Self.highCost),
            Topology.Node("c", config: Self.highCost + "\n" + vips),
        ]
        let links = [Topology.Link("a", "b"), Topology.Link("a", "c"), Topology.Link("b", "c")]
        try withLab(Topology(name: "triangle", nodes: nodes, links: links)) { lab in
            try lab.waitForRoutes(limit: .seconds(20))
            try eventually("b routes to c through a") { try lab.portToC() == "cluster0" }
            // Before, the others would reach each other through a only.
            try eventually("b and c are neighbors") {
                try lab.list(Neighbor.self, of: "b").count { $0.state == "Full" } == 2
            }
            try body(&lab)
        }
    }

    @Test func aDrainLosesNoPacketAndOutlastsARestart() throws {
        try withTriangle { lab in
            let target = lab.addresses.address(of: "c").description
            let probe = try lab.command(on: "b", ["ping", "-q", "-i", "0.001", "-c", "5000", target]).spawn()
            usleep(500_000)
            let drain = try lab.meshctl("drain", "--wait", "--quiet", "0.5")
            #expect(drain.status == 0 && drain.text.contains("no transit packet"), "\(drain)")
            #expect(try lab.portToC() == "cluster1")
            let own = lab.addresses.address(of: "a").description
            #expect(try lab.command(on: "b", ["ping", "-c", "1", "-W", "1", own]).output().status == 0)
            #expect(try lab.announcers() == ["c"], "b prefers the VIP of c to that of the drained a")
            #expect(try lab.meshctl("status").text.contains("running, ready, drained"))
            #expect(try lab.meshctl("vips").text.contains(" last "))

            try lab.stop("a", kill: true)
            try lab.start(["a"])
            try eventually("a is drained when it answers after the restart") {
                (try? lab.status(of: "a").drained) == true
            }
            try eventually("a has two Full neighbors again") {
                try lab.list(Neighbor.self, of: "a").count { $0.state == "Full" } == 2
            }
            #expect(try lab.portToC() == "cluster1")
            #expect(try lab.announcers() == ["c"])

            #expect(try lab.meshctl("undrain").status == 0)
            try eventually("b routes to c and to the VIP through a again") {
                try lab.portToC() == "cluster0" && lab.announcers() == ["a"]
            }
            let rules = try lab.command(on: "a", ["nft", "list", "tables"]).run()
            #expect(!rules.contains("kubermesh"), "the rules that count transit packets are removed")
            let result = try probe.finish(limit: .seconds(30)).text
            #expect(result.contains("5000 packets transmitted, 5000 received"), "\(result)")
        }
    }

    @Test func aDrainThatCutsOffANodeNeedsForce() throws {
        try withTriangle { lab in
            try lab.fail("b-c", .carrier)
            let target = lab.addresses.address(of: "c").description
            let probe = try lab.command(on: "b", ["ping", "-q", "-i", "0.01", "-c", "300", target]).spawn()
            let refused = try lab.meshctl("drain", "--wait")
            #expect(refused.status == 1 && refused.errors.contains("through this node only"), "\(refused)")
            #expect(try !lab.status(of: "a").drained)
            let result = try probe.finish(limit: .seconds(30)).text
            #expect(result.contains("300 packets transmitted, 300 received"), "\(result)")

            #expect(try lab.meshctl("drain", "--force").status == 0)
            #expect(try lab.meshctl("drain").status == 0, "a second drain succeeds, because a is drained already")
            try eventually("b does not reach c, and uses the VIP of a") {
                try lab.list(Node.self, of: "b").first { $0.node == "c" }?.reachable == false
                    && lab.announcers() == ["a"]
            }
        }
    }

    @Test func aStopDrainsFirstIfConfigured() throws {
        try withTriangle("node: { drainOnStop: 30s }") { lab in
            let agent = try #require(lab.process(of: "a"))
            kill(agent, SIGTERM)
            try eventually("b routes to c without a") { try lab.portToC() == "cluster1" }
            #expect(try lab.status(of: "a").drained && lab.announcers() == ["c"])
            kill(agent, SIGTERM)
            try eventually("a has stopped") { !lab.isRunning("a") }
        }
    }

    @Test func packetsAreReadFromTheOutputOfNFT() {
        let answer = """
            {"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}, {"counter": {"family": "inet", \
            "name": "transit", "table": "kubermesh_transit", "handle": 1, "packets": 41, "bytes": 4264}}]}
            """
        #expect(TransitCounter.packets(in: answer) == 41)
        #expect(TransitCounter.packets(in: "{\"nftables\": []}") == nil)
        #expect(TransitCounter.packets(in: "command not found") == nil)
    }
}

extension Lab {
    /// The port by which the kernel of `b` sends packets to `c`.
    fileprivate func portToC() throws -> String? {
        let address = addresses.address(of: "c").description
        let words = try command(on: "b", ["ip", "-6", "route", "get", address]).run().split(separator: " ")
        return words.firstIndex(of: "dev").map { String(words[$0 + 1]) }
    }

    /// The announcers to which `b` routes the VIP.
    fileprivate func announcers() throws -> [String] {
        try list(Route.self, of: "b").first { $0.prefix.hasPrefix("2001:db8:bb::1/") }?.nodes ?? []
    }
}
