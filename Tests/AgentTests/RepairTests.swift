import ControlAPI
import Glibc
import Lab
import TestSupport
import Testing

/// Repairs by backups, in real kernels.
@Suite(.serialized, .needsRoot) struct RepairTests {
    private static let pools = "addressing: { ipv4: { nodes: 172.30.2.0/24, pods: 172.31.0.0/16 } }\n"

    /// From `a` to `d` there are two ways. That over `b` is the shorter one, and `c` does not send packets for `d` back.
    private static func square(_ ospf: String = "") -> Topology {
        let cheap = pools + "interfaces: [ { match: \"cluster*\", type: p2p } ]\n"
        let costly =
            pools + "interfaces: [ { match: cluster1, type: p2p, cost: 15 }, { match: \"cluster*\", type: p2p } ]\n"
        return Topology(
            name: "repair",
            nodes: [.init("a", config: costly + ospf)] + ["b", "c", "d"].map { .init($0, config: cheap) },
            links: [.init("a", "b"), .init("a", "c"), .init("b", "d"), .init("c", "d")])
    }

    private func routes(to node: String, _ lab: Lab) throws -> [Route] {
        try lab.list(Route.self, of: "a").filter { $0.nodes == [node] }
    }

    /// The agent of `a` is suspended, and the cable in use pulled. The kernel goes on forwarding, over the other one.
    @Test func theKernelRepairsWhileTheAgentDoesNotRun() throws {
        try withLab(Self.square()) { lab in
            try lab.waitForRoutes(limit: .seconds(20))
            var ipv4 = ""
            try eventually("the kernel of a has the backup, also to the address that d has taken") {
                guard let address = try lab.status(of: "d").ipv4Address else { return false }
                ipv4 = address
                let routes = try routes(to: "d", lab)
                return routes.contains { $0.prefix == "\(ipv4)/32" } && routes.contains { $0.family == "ipv6" }
                    && routes.allSatisfy { $0.backup?.node == "c" && $0.fib.state == .installed }
            }
            // Answers need the address that a has taken, which others hear of later than of the rest.
            try eventually("c and d route to the IPv4 address of a") {
                try ["c", "d"].allSatisfy { node in
                    try lab.list(Route.self, of: node).contains {
                        $0.nodes == ["a"] && $0.family == "ipv4" && $0.prefix.hasSuffix("/32")
                            && $0.fib.state == .installed
                    }
                }
            }
            #expect(try routes(to: "d", lab).allSatisfy { $0.nextHops.map(\.node) == ["b"] })
            // The tests of others compare sets of next hops: a backup is none of them.
            let kernel = try lab.kernelRoutes(of: "a").filter { $0.backup != nil }
            #expect(!kernel.isEmpty && kernel.allSatisfy { $0.nextHops.count == 1 && $0.backup?.device == "cluster1" })
            let agent = try #require(lab.process(of: "a"))
            Lab.suspend([agent])
            defer { kill(agent, SIGCONT) }
            try lab.fail("a-b", .carrier)
            // Those at the other end of the cable have agents that run.
            try eventually("a reaches d") { try lab.canReach(from: "a", to: lab.addresses.address(of: "d")) }
            #expect(try lab.linkInUse(from: "a", to: "d") == "a-c")
            let ping = try lab.command(on: "a", ["ping", "-4", "-c", "3", "-i", "0.05", "-W", "3", ipv4]).output()
            #expect(ping.status == 0, "\(ping.text)\(ping.errors)")
            kill(agent, SIGCONT)
            try eventually("the router of a has noticed") {
                let routes = try routes(to: "d", lab)
                return !routes.isEmpty && routes.allSatisfy { $0.nextHops.map(\.node) == ["c"] && $0.backup == nil }
            }
            let repairs = try lab.get("/metrics").split(separator: "\n").first {
                $0.hasPrefix("kubermesh_fib_repairs_total ")
            }
            #expect(repairs?.hasSuffix(" 0") == false, "\(repairs ?? "")")
        }
    }

    @Test func fastRerouteCanBeTurnedOff() throws {
        try withLab(Self.square("ospf: { fastReroute: off }")) { lab in
            try lab.waitForRoutes(limit: .seconds(20))
            #expect(try lab.list(Route.self, of: "a").allSatisfy { $0.backup == nil })
            #expect(try lab.kernelRoutes(of: "a").allSatisfy { $0.backup == nil })
        }
    }
}
