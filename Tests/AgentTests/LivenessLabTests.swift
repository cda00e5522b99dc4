import ControlAPI
import Glibc
import Lab
import TestSupport
import Testing

/// Cables that keep their carrier and do not pass all packets, between real kernels.
@Suite(.serialized, .needsRoot) struct LivenessLabTests {
    /// Hellos are missed only after a minute, so whatever is noticed in these tests is noticed by echo requests.
    private static let patient = "interfaces: [ { match: \"cluster*\", type: p2p, hello: 1s, dead: 60s } ]"

    /// `a` and `b`, with one cable between them.
    private func withCable(
        _ config: String = patient, kind: Topology.RouterKind = .meshd, _ body: (inout Lab) throws -> Void
    ) throws {
        let options = Topology.OSPFOptions(type: "p2p", hello: 1, dead: 60)
        let nodes = [
            Topology.Node("a", config: config),
            kind == .meshd ? Topology.Node("b", config: config) : Topology.Node("b", router: kind, ospf: options),
        ]
        try withLab(Topology(name: "cable", nodes: nodes, links: [Topology.Link("a", "b")])) { lab in
            try lab.waitForRoutes(limit: .seconds(20))
            try eventually("the neighbors answer") { try echo(lab, "a")?.state == "answering" }
            try body(&lab)
        }
    }

    private func echo(_ lab: Lab, _ node: String) throws -> Neighbor.Echo? {
        try lab.list(Neighbor.self, of: node).first?.echo
    }

    private func isFull(_ lab: Lab, _ node: String) throws -> Bool {
        try lab.list(Neighbor.self, of: node).first?.state == "Full"
    }

    /// Drops what a node receives on the cable and what matches.
    private func drop(_ match: String, at node: String, of lab: Lab) throws {
        let rules = """
            table netdev lie {
                chain in { type filter hook ingress device cluster0 priority 0; \(match) drop; }
            }
            """
        try lab.command(on: node, ["nft", "-f", "-"], input: rules).run()
    }

    private func endDropping(at node: String, of lab: Lab) throws {
        try lab.command(on: node, ["nft", "delete", "table", "netdev", "lie"]).run()
    }

    @Test(arguments: [Topology.RouterKind.meshd, .frr])
    func aCableThatPassesNothingIsNotUsed(kind: Topology.RouterKind) throws {
        try withCable(kind: kind) { lab in
            try lab.fail("a-b", .silent)
            try eventually("a does not use the cable") { try !isFull(lab, "a") && lab.kernelRoutes(of: "a").isEmpty }
            #expect(try echo(lab, "a")?.state == "failed")
            #expect(try lab.status(of: "a").problems?.contains { $0.kind == "unresponsiveNeighbor" } == true)
            try lab.heal("a-b")
            try eventually("a uses the cable again") { try isFull(lab, "a") && !lab.kernelRoutes(of: "a").isEmpty }
            #expect(try echo(lab, "a")?.state == "answering")
        }
    }

    /// Packets pass from b to a only. The hellos of b arrive all the time.
    @Test func bothEndsNoticeThatACableIsOneWay() throws {
        try withCable { lab in
            try drop("", at: "b", of: lab)
            for node in ["a", "b"] {
                try eventually("\(node) does not use the cable") {
                    try !isFull(lab, node) && lab.kernelRoutes(of: node).isEmpty
                }
            }
            try endDropping(at: "b", of: lab)
            try eventually("both use the cable again") { try isFull(lab, "a") && isFull(lab, "b") }
        }
    }

    /// A new firewall rule on the neighbor is no dead cable: when it is clear that the neighbor hears us, its hellos count alone.
    @Test func aNeighborThatDropsEchoRequestsIsUsedAgain() throws {
        try withCable("interfaces: [ { match: \"cluster*\", type: p2p, hello: 1s, dead: 3s } ]") { lab in
            try drop("icmpv6 type echo-request", at: "b", of: lab)
            try eventually("a takes the cable for dead") { try !isFull(lab, "a") }
            try eventually("a uses the cable again, without echo requests") {
                try isFull(lab, "a") && echo(lab, "a")?.state == "exempt"
            }
            #expect(try lab.status(of: "a").problems?.contains { $0.kind == "unresponsiveNeighbor" } == true)
            try endDropping(at: "b", of: lab)
            kill(try #require(lab.process(of: "a")), SIGHUP)
            try eventually("a asks again after a reload") { try echo(lab, "a")?.state == "answering" }
            #expect(try lab.status(of: "a").events.contains { $0.message.contains("hears us but does not answer") })
            #expect(try echo(lab, "b")?.state == "answering", "nothing that b asks is dropped")
        }
    }

    @Test func aNeighborThatNeverAnswersIsUsed() throws {
        let nodes = [Topology.Node("a", config: Self.patient), Topology.Node("b", config: Self.patient)]
        let topology = Topology(name: "cable", nodes: nodes, links: [Topology.Link("a", "b")])
        func ignoreEchoes(_ lab: Lab) throws {
            try lab.command(on: "b", ["sysctl", "-qw", "net.ipv6.icmp.echo_ignore_all=1"]).run()
        }
        try withLab(topology, beforeStart: ignoreEchoes) { lab in
            try lab.waitForRoutes(limit: .seconds(20))
            try eventually("a has given up") { try echo(lab, "a")?.state == "unanswered" }
            #expect(try isFull(lab, "a"))
            #expect(
                try lab.status(of: "a").events.filter { $0.message.contains("does not answer echo requests") }.count
                    == 1)
        }
    }

    /// The neighbor's kernel answers while its agent is dead or stopped.
    @Test func anAgentThatDoesNotRunIsNoDeadCable() throws {
        try withCable { lab in
            try lab.stop("b", kill: true)
            let before = try #require(try echo(lab, "a")?.answered)
            try eventually("the kernel of b still answers") { try echo(lab, "a")!.answered > before + 40 }
            #expect(try isFull(lab, "a") && echo(lab, "a")?.state == "answering")
        }
    }

    @Test func roundTripsAndLossesAreShown() throws {
        try withCable { lab in
            try drop("icmpv6 type echo-request numgen inc mod 4 0", at: "b", of: lab)
            try eventually("a fourth of the requests is lost") { (0.1...0.3) ~= (try echo(lab, "a")?.loss ?? 0) }
            let known = try #require(try echo(lab, "a"))
            #expect(known.state == "answering")
            let roundTrip = try #require(known.roundTrip)
            #expect(roundTrip < 0.005 && roundTrip <= known.roundTrip99 ?? 0)
            #expect(try isFull(lab, "a"))
            let table = try lab.meshctl("neighbors", "-o", "wide").text
            #expect(table.contains("RTT") && table.contains("answering"))
            let metrics = try lab.get("/metrics")
            #expect(metrics.contains("kubermesh_neighbor_echo_loss_ratio{interface=\"cluster0\",neighbor=\"b\""))
        }
    }
}
