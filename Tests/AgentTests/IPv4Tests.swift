import Addressing
import ControlAPI
import Foundation
import Glibc
import Lab
import Services
import TestSupport
import Testing

@testable import Agent

/// IPv4 between real agents over cables that have only IPv6 addresses.
@Suite(.serialized, .needsRoot) struct IPv4Tests {
    private static let pools = "addressing: { ipv4: { nodes: 172.30.2.0/24, pods: 172.31.0.0/16 } }"

    /// a – b – c. c has the VIP 10.96.0.10.
    private static let chain = Topology(
        name: "chain",
        nodes: [
            .init("a", config: pools), .init("b", config: pools),
            .init("c", config: pools + "\nvips: [ { name: v, address: 10.96.0.10 } ]"),
        ], links: [.init("a", "b"), .init("b", "c")])

    private func address(of node: String, _ lab: Lab) -> String? {
        try? lab.status(of: node).ipv4Address
    }

    /// Sends three pings. Returns whether any was answered.
    private func ping(_ address: String, from node: String, _ lab: Lab) throws -> Bool {
        try lab.command(on: node, ["ping", "-4", "-c", "3", "-i", "0.05", "-W", "1", address]).output().status == 0
    }

    private func waitForAddresses(_ lab: Lab) throws -> [String] {
        try eventually("all have an IPv4 address") {
            ["a", "b", "c"].allSatisfy { address(of: $0, lab) != nil }
        }
        return ["a", "b", "c"].compactMap { address(of: $0, lab) }
    }

    @Test func nodesPodsAndVIPsAreReachedOverCablesWithoutIPv4() throws {
        try withLab(
            Self.chain,
            beforeStart: { lab in
                try lab.command(on: "b", ["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1"]).run()
            }
        ) { lab in
            let addresses = try waitForAddresses(lab)
            #expect(Set(addresses).count == 3)
            try eventually("a has routes to c") {
                try lab.command(on: "a", ["ip", "-4", "route", "show", "proto", "71"]).run()
                    .contains("10.96.0.10 ") && ping(addresses[2], from: "a", lab)
            }
            #expect(try ping("10.96.0.10", from: "a", lab))
            let route = try lab.command(on: "a", ["ip", "-4", "route", "get", addresses[2]]).run()
            #expect(route.contains("via inet6 fe80::") && route.contains("src \(addresses[0])"))
            let portAddresses = try lab.command(on: "b", ["ip", "-4", "address", "show", "dev", "cluster0"]).run()
            #expect(!portAddresses.contains("inet "))
            let filter = try lab.command(on: "b", ["sysctl", "-n", "net.ipv4.conf.cluster0.rp_filter"]).run()
            #expect(filter.hasPrefix("2"), "the reverse path filter accepts a return path by another port")

            // An address in the pod range that c has taken is reached from a.
            let range = try lab.status(of: "c").announces.compactMap { IPv4Prefix($0) }.first { $0.length == 24 }
            let pods = try #require(range)
            let pod = IPv4Address(pods.address.rawValue | 9).description
            try lab.command(on: "c", ["ip", "address", "add", "\(pod)/32", "dev", "lo"]).run()
            #expect(try ping(pod, from: "a", lab))
            let explained = try lab.meshctl("routes", pod)
            #expect(explained.text.contains("\(pods)") && explained.text.contains("announced by  c"))
            let listed = try lab.meshctl("routes", "-4", "--no-headers").text.split(separator: "\n")
            #expect(listed.count == 5, "the routes are to the addresses and ranges of two nodes, and to the VIP")
            #expect(try lab.meshctl("routes", "-6").text.contains("172.3") == false)
            #expect(try lab.meshctl("lsdb", "ipv4-prefix").text.contains("10.96.0.10/32"))

            // After a crash and a restart c has the same address, and its routes stayed.
            let before = try lab.command(on: "c", ["ip", "-4", "route", "show", "proto", "71"]).run()
            try lab.stop("c", kill: true)
            #expect(try lab.command(on: "c", ["ip", "-4", "route", "show", "proto", "71"]).run() == before)
            try lab.start(["c"])
            try eventually("c is ready again") { (try? lab.status(of: "c"))?.ready == true }
            #expect(address(of: "c", lab) == addresses[2])
            try eventually("a reaches c") { try ping(addresses[2], from: "a", lab) }
        }
    }

    /// A default route that a node announces overlaps the pools, but does not mean that their addresses are in use.
    @Test func anAnnouncedDefaultRouteUsesUpNoPool() throws {
        var topology = Self.chain
        topology.nodes[2].config = Self.pools + "\nadvertise: [ 0.0.0.0/0 ]"
        try withLab(topology) { lab in
            let addresses = try waitForAddresses(lab)
            #expect(Set(addresses).count == 3)
            try eventually("a reaches c") { try ping(addresses[2], from: "a", lab) }
            let gateway = try lab.command(on: "a", ["ip", "-4", "route", "get", "192.0.2.1"]).run()
            #expect(gateway.contains("via inet6 fe80::"))
            #expect(try lab.status(of: "a").kernel.problems.isEmpty)
        }
    }

    @Test func aDuplicateAddressIsReported() throws {
        var topology = Self.chain
        for index in [0, 2] {
            topology.nodes[index].config =
                "addressing: { prefix: \"2001:db8:5::/119\", ipv4: { address: 172.30.2.9 } }"
        }
        try withLab(topology) { lab in
            for (node, other) in [("a", "c"), ("c", "a")] {
                try eventually("\(node) reports the duplicate address") {
                    let problems = try? lab.status(of: node).kernel.problems
                    return problems?.filter { $0.hasPrefix("\(other) has this node's own address") }.count == 2
                }
            }
            #expect(try lab.status(of: "b").kernel.problems.isEmpty)
        }
    }

    /// 172.30.2.0/31 has two addresses for three nodes.
    @Test func anExhaustedPoolIsReported() throws {
        var topology = Self.chain
        for index in topology.nodes.indices {
            topology.nodes[index].config = "addressing: { ipv4: { nodes: 172.30.2.0/31 } }"
        }
        try withLab(topology) { lab in
            try eventually("two nodes have an address, and the third reports that the pool is exhausted") {
                let all = ["a", "b", "c"].compactMap { try? lab.status(of: $0) }
                return all.count { $0.ipv4Address != nil } == 2
                    && all.count {
                        $0.kernel.problems.contains { $0.hasPrefix("no /32 is free in the pool 172.30.2.0/31") }
                    }
                        == 1
            }
        }
    }

    @Test func ofTwoNodesWithOneAddressTheLowerRouterIDTakesAnother() throws {
        let pools = "addressing: { ipv4: { nodes: 172.30.2.0/29, pods: 172.31.0.0/22 } }"
        var topology = Self.chain
        for index in topology.nodes.indices { topology.nodes[index].config = pools }
        topology.nodes[0].ospf.routerID = "10.0.0.1"
        topology.nodes[2].ospf.routerID = "10.0.0.9"
        try withLab(
            topology,
            beforeStart: { lab in
                for node in ["a", "c"] {
                    let directory = (lab.controlSocket(of: node) as NSString).deletingLastPathComponent
                    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
                    try "172.30.2.3/32\n".write(toFile: directory + "/ipv4-address", atomically: true, encoding: .utf8)
                    try "172.31.2.0/24\n".write(toFile: directory + "/ipv4-pods", atomically: true, encoding: .utf8)
                }
            }
        ) { lab in
            try eventually("a has taken another address and range") {
                let announced = (try? lab.status(of: "a").announces) ?? []
                return announced.contains { $0.hasPrefix("172.30.2.") && $0 != "172.30.2.3/32" }
                    && announced.contains { $0.hasPrefix("172.31.") && $0 != "172.31.2.0/24" }
            }
            // Two nodes that take an address at once may have the same for a moment.
            try eventually("all nodes have different addresses") { Set(try waitForAddresses(lab)).count == 3 }
            let addresses = try waitForAddresses(lab)
            #expect(addresses[2] == "172.30.2.3")
            #expect(try lab.status(of: "c").announces.contains("172.31.2.0/24"))
            #expect(try !lab.status(of: "a").announces.contains("172.31.2.0/24"))
            #expect(try lab.status(of: "a").events.contains { $0.message.contains("this node takes another") })
            let own = try lab.command(on: "a", ["ip", "-4", "address", "show", "dev", "lo"]).run()
            #expect(own.contains("\(addresses[0])/32") && !own.contains("172.30.2.3/32"))
            try eventually("a reaches c") { try ping("172.30.2.3", from: "a", lab) }
        }
    }
}
