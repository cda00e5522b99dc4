import Addressing
import ControlAPI
import Glibc
import Lab
import TestSupport
import Testing

/// Cables that are bad and not dead, between real kernels.
@Suite(.serialized, .needsRoot) struct QualityLabTests {
    /// `a` with a cable to `b`, its `cluster0`, and another way over `c`.
    private func withTriangle(quality: String, mtu: Int? = nil, _ body: (inout Lab) throws -> Void) throws {
        let config = "interfaces: [ { match: \"cluster*\", type: p2p, quality: \(quality) } ]"
        let nodes = ["a", "b", "c"].map { Topology.Node($0, config: config) }
        let links = [
            Topology.Link("a", "b", mtu: mtu), Topology.Link("a", "c", mtu: mtu), Topology.Link("c", "b", mtu: mtu),
        ]
        try withLab(Topology(name: "triangle", nodes: nodes, links: links)) { lab in
            try lab.waitForRoutes(limit: .seconds(20))
            // All routes are there as soon as two of the three cables are in use.
            try eventually("a sends over its cable to b") { try way(lab) == "cluster0" }
            try body(&lab)
        }
    }

    /// The port over which `a` sends to `b`.
    private func way(_ lab: Lab) throws -> String? {
        try lab.kernelNextHops(of: "a")[IPv6Prefix(host: lab.addresses.address(of: "b"))]?.first?.device
    }

    private func port(_ lab: Lab) throws -> Interface {
        try #require(try lab.list(Interface.self, of: "a").first { $0.name == "cluster0" })
    }

    private func problem(_ kind: String, _ lab: Lab) throws -> String? {
        try lab.status(of: "a").problems?.first { $0.kind == kind }?.problem
    }

    private func drop(_ match: String, of lab: Lab) throws {
        let rules = """
            table netdev lie {
                chain in { type filter hook ingress device cluster0 priority 0; \(match) drop; }
            }
            """
        try lab.command(on: "b", ["nft", "-f", "-"], input: rules).run()
    }

    private func isFull(_ lab: Lab) throws -> Bool {
        try lab.list(Neighbor.self, of: "a").first { $0.interface == "cluster0" }?.state == "Full"
    }

    /// One packet of twelve is lost: the neighbor stays, the other way is taken; without `quality: on` it is only told.
    @Test(arguments: ["on", "off"]) func aLossyCableIsAvoided(quality: String) throws {
        try withTriangle(quality: quality) { lab in
            try drop("numgen inc mod 12 0", of: lab)
            try eventually("the loss is told", limit: .seconds(60)) { try problem("lossyCable", lab) != nil }
            let text = try #require(try problem("lossyCable", lab))
            #expect(text.contains("cluster0 loses") && text.contains("echo requests within"))
            if quality == "on" {
                try eventually("a sends over c") { try way(lab) == "cluster1" }
                #expect(try port(lab).cost == 60_010 && port(lab).avoided == true)
                let metrics = try lab.get("/metrics")
                #expect(metrics.contains("kubermesh_link_avoided{interface=\"cluster0\"} 1"))
                let log = lab.log(of: "a").split(separator: "\n").first { $0.contains("is used only where") }
                #expect(log?.contains("% of packets to and from b (") == true, "\(log ?? "no line")")
                #expect(metrics.contains("kubermesh_link_quality_changes_total 1"))
                // Without the other way, everything goes over the bad cable.
                try lab.fail("a-c", .carrier)
                try eventually("a sends over the bad cable") { try way(lab) == "cluster0" }
                #expect(try port(lab).cost == 60_010)
            } else {
                #expect(try way(lab) == "cluster0" && port(lab).cost == 10)
            }
            #expect(try isFull(lab))
        }
    }

    /// The link's MTU is 9000, and something between the ends drops what is larger than 1600.
    @Test func aSmallerMTUBetweenTheEndsIsTold() throws {
        try withTriangle(quality: "on", mtu: 9000) { lab in
            try drop("meta length > 1600", of: lab)
            try eventually("the size is told", limit: .seconds(150)) { try problem("packetSize", lab) != nil }
            let text = try #require(try problem("packetSize", lab))
            #expect(text.hasPrefix("packets over 1600 octets do not arrive at b "))
            try eventually("a sends over c") { try way(lab) == "cluster1" }
            #expect(try isFull(lab))
            #expect(
                try lab.list(Neighbor.self, of: "a").first { $0.interface == "cluster0" }?.echo?.largestPacket == 1600)
            #expect(try lab.get("/metrics").contains("kubermesh_neighbor_largest_packet_bytes{interface=\"cluster0\""))
        }
    }

    /// The far end goes down again and again: from the second time on, the cable comes back with a high cost, which ends soon.
    @Test(arguments: ["on", "off"]) func aFlappingCableIsHeldOff(quality: String) throws {
        try withTriangle(quality: quality) { lab in
            for flap in 1...4 {
                try lab.command(on: "b", ["ip", "link", "set", "cluster0", "down"]).run()
                try eventually("a has no carrier") { try !port(lab).carrier }
                // Two flaps within a second are one.
                usleep(1_000_000)
                try lab.command(on: "b", ["ip", "link", "set", "cluster0", "up"]).run()
                try eventually("a uses the port again") { try port(lab).state == "PointToPoint" }
                // On a busy machine it may be over when it is looked for, so the log counts, too.
                let line = "no better way: cluster0 flapped \(flap) times"
                if flap > 1, quality == "on" {
                    #expect(try port(lab).cost == 60_010 || lab.log(of: "a").contains(line))
                }
            }
            let text = try #require(try problem("flappingCable", lab))
            #expect(text.hasPrefix("cluster0 flapped 4 times in 10 min"))
            #expect(text.contains("held off") == (quality == "on"))
            if quality == "on" {
                try eventually("the neighbor is Full again") { try isFull(lab) }
                #expect(try way(lab) == "cluster1")
            }
            try eventually("the cable is used again") { try way(lab) == "cluster0" && port(lab).cost == 10 }
        }
    }
}
