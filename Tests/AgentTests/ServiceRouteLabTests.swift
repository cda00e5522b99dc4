import ControlAPI
import Foundation
import Glibc
import Lab
import TestSupport
import Testing

/// A process on a machine whose only routes are those of the mesh, and rules like those of kube-proxy.
@Suite(.serialized, .needsRoot) struct ServiceRouteLabTests {
    private static let pools = "addressing: { ipv4: { nodes: 172.30.2.0/24 } }"
    private static let pair = Topology(
        name: "pair",
        nodes: [
            .init("a", config: pools + "\nkubernetes: { serviceRanges: [ 10.96.0.0/12, \"fd00:10:96::/112\" ] }"),
            .init("b", config: pools),
        ], links: [.init("a", "b")])
    private static let clusterIPs = ["10.96.0.1", "fd00:10:96::1"]

    private func dial(_ address: String, _ lab: Lab) throws -> Command.Output {
        try lab.command(on: "a", [Binaries.path(of: "meshlab"), "dial", address, "443"]).output()
    }

    /// The service routes of `a`, by prefix.
    private func serviceRoutes(_ lab: Lab) throws -> [String: ControlAPI.Route.FIB.State] {
        let routes = try lab.list(ControlAPI.Route.self, of: "a").filter { $0.kind == ControlAPI.Route.serviceKind }
        return Dictionary(uniqueKeysWithValues: routes.map { ($0.prefix, $0.fib.state) })
    }

    /// Runs `body` with a server on `b` that accepts only connections from the mesh's own addresses of `a`. `body` gets the own
    /// addresses of `b`, IPv4 first.
    private func withServer(_ body: (inout Lab, [String]) throws -> Void) throws {
        try withLab(Self.pair) { lab in
            try eventually("both have an IPv4 address, and a has routes to those of b") {
                guard let address = try lab.status(of: "b").ipv4Address else { return false }
                return try lab.status(of: "a").ipv4Address != nil
                    && lab.list(ControlAPI.Route.self, of: "a").contains {
                        $0.prefix == "\(address)/32" && $0.fib.state == .installed
                    }
            }
            let (a, b) = (try lab.status(of: "a"), try lab.status(of: "b"))
            let server = try lab.command(
                on: "b", [Binaries.path(of: "meshlab"), "responder", "--port", "6443", "--text", "b"]
            ).spawn()
            defer {
                server.signal(SIGKILL)
                _ = try? server.finish()
            }
            let rules = """
                table inet guard {
                  chain in {
                    type filter hook input priority filter;
                    tcp dport 6443 ip saddr != \(try #require(a.ipv4Address)) drop
                    tcp dport 6443 ip6 saddr != \(try #require(a.address)) drop
                  }
                }
                """
            try lab.command(on: "b", ["nft", "-f", "-"], input: rules).run()
            try body(&lab, [try #require(b.ipv4Address), try #require(b.address)])
        }
    }

    @Test func aProcessReachesClusterIPs() throws {
        try withServer { lab, servers in
            #expect(
                try serviceRoutes(lab) == ["10.96.0.0/12": .installed, "fd00:10:96::/112": .installed])
            for address in Self.clusterIPs {
                #expect(try dial(address, lab).status != 0, "no rule translates \(address)")
            }
            let nftables = """
                table ip services {
                  chain out {
                    type nat hook output priority -100;
                    ip daddr 10.96.0.1 tcp dport 443 dnat to \(servers[0]):6443
                  }
                }
                table ip6 services {
                  chain out {
                    type nat hook output priority -100;
                    ip6 daddr fd00:10:96::1 tcp dport 443 dnat to [\(servers[1])]:6443
                  }
                }
                """
            try lab.command(on: "a", ["nft", "-f", "-"], input: nftables).run()
            for address in Self.clusterIPs { #expect(try dial(address, lab).text == "b\n", "\(address) by nftables") }
            try lab.command(on: "a", ["nft", "flush", "ruleset"]).run()
            for (program, address, server) in [
                ("iptables", "10.96.0.1", servers[0]), ("ip6tables", "fd00:10:96::1", "[\(servers[1])]"),
            ] {
                let rule = ["-d", address, "-p", "tcp", "--dport", "443", "-j", "DNAT", "--to-destination"]
                try lab.command(on: "a", [program, "-t", "nat", "-A", "OUTPUT"] + rule + ["\(server):6443"]).run()
                #expect(try dial(address, lab).text == "b\n", "\(address) by \(program)")
            }
            // The reverse path filter, which many distributions switch on.
            try lab.command(on: "a", ["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1"]).run()
            #expect(try dial("10.96.0.1", lab).text == "b\n")
        }
    }

    @Test func theRoutesAreShownAndLeaveWithADefaultRoute() throws {
        try withServer { lab, _ in
            let table = try lab.meshctl("routes").text
            #expect(
                table.split(separator: "\n").contains {
                    $0.contains("10.96.0.0/12") && $0.contains(" service ") && $0.contains(" lo ")
                })
            let explained = try lab.meshctl("routes", "10.96.0.1").text
            #expect(explained.hasPrefix("10.96.0.0/12  service, ") && explained.contains("kernel        installed"))
            #expect(try lab.get("/metrics").contains("kubermesh_fib_service_routes 2\n"))
            // b knows nothing of them.
            #expect(try !lab.list(ControlAPI.Route.self, of: "b").contains { $0.prefix.hasPrefix("10.96.") })

            // Another network, with a default route.
            try lab.command(on: "a", ["ip", "link", "add", "lan0", "type", "veth", "peer", "lan1"]).run()
            for port in ["lan0", "lan1"] { try lab.command(on: "a", ["ip", "link", "set", port, "up"]).run() }
            try lab.command(on: "a", ["ip", "-4", "route", "add", "default", "dev", "lan0"]).run()
            try eventually("the IPv4 service route is gone") {
                try serviceRoutes(lab) == ["fd00:10:96::/112": .installed]
                    && !lab.command(on: "a", ["ip", "-4", "route", "show", "type", "anycast"]).run().contains("10.96.")
            }
            try lab.command(on: "a", ["ip", "-4", "route", "del", "default"]).run()
            try eventually("the IPv4 service route is back") {
                try serviceRoutes(lab) == ["10.96.0.0/12": .installed, "fd00:10:96::/112": .installed]
            }
            // They stay when the agent stops, until they are cleaned up.
            let shown = ["sh", "-c", "ip -4 route show type anycast; ip -6 route show dev lo metric 4294967295"]
            try lab.stop("a")
            #expect(try lab.command(on: "a", shown).run().split(separator: "\n").count == 2)
            let cleaned = try lab.meshd("cleanup", "--config", lab.configurationFile)
            #expect(cleaned.status == 0, "\(cleaned.errors)")
            #expect(try lab.command(on: "a", shown).run().isEmpty)
        }
    }
}
