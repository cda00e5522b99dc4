import Addressing
import ConfigurationFile
import ControlAPI
import Foundation
import Glibc
import Lab
import MeshConfiguration
import Services
import TestSupport
import Testing

@testable import Agent

/// Real agents on two nodes, used as an operator does: commands, metrics, reloads, starts and stops.
@Suite(.serialized, .needsRoot) struct MeshdTests {
    private var ownRoutes: [String] { ["ip", "-6", "route", "show", "proto", "71"] }

    @Test func outputAndExitStatusOfMeshctlAreAsDocumented() throws {
        try withPair { lab in
            try eventually("a is ready") { try lab.meshctl("status").status == 0 }
            let prefix = IPv6Prefix(host: lab.addresses.address(of: "b")).description

            let table = try lab.meshctl("routes").text.split(separator: "\n")
            #expect(
                table.first?.split(separator: " ") == [
                    "PREFIX", "KIND", "NODE", "METRIC", "NEXTHOP", "DEV", "AGE", "FIB",
                ])
            #expect(table.dropFirst().first?.split(separator: " ").count == 8)
            #expect(try lab.meshctl("routes", "--no-headers").text.split(separator: "\n").count == table.count - 1)
            #expect(try lab.meshctl("routes", "-4", "--no-headers").text.isEmpty)

            let list = try JSON.decode(ListDocument<Route>.self, from: lab.meshctl("routes", "-o", "json").text.utf8)
            #expect(list.kind == "RouteList" && list.apiVersion == "meshctl/v1" && list.node == "a")
            let route = try #require(list.items.first { $0.prefix == prefix })
            #expect(route.nodes == ["b"] && route.metric == 10 && route.fib.state == .installed)
            #expect(route.nextHops.map(\.interface) == ["cluster0"] && route.nextHops.first?.node == "b")

            let explained = try lab.meshctl("routes", prefix)
            #expect(
                explained.status == 0 && explained.text.contains("announced by  b")
                    && explained.text.contains("installed"))
            #expect(
                try lab.meshctl("routes", lab.addresses.podPrefix(of: "b").address.description).status == 0,
                "a query by address finds the route")
            #expect(try lab.meshctl("routes", "2001:db8:ffff::/64").status == 4)
            #expect(try lab.meshctl("routes", "nonsense").status == 2)
            #expect(try lab.meshctl("nonsense").status == 2)
            #expect(try lab.meshctl("lsdb", "nonsense").status == 2)
            #expect(try lab.meshctl("--socket", "/nowhere", "status").status == 3)

            let detail = try lab.meshctl("lsdb", "router", "--detail").text
            #expect(detail.contains("neighborRouterID") && detail.contains("options: V6 E R"))
            let yaml = try lab.meshctl("nodes", "-o", "yaml").text
            #expect(yaml.contains("kind: NodeList") && yaml.contains("node: b"))
            for name in ["neighbors", "interfaces", "nodes", "lsdb", "vips"] {
                let output = try lab.meshctl(name, "-o", "wide")
                #expect(output.status == 0 && !output.text.isEmpty)
            }
        }
    }

    @Test func theEnvironmentVariableSetsTheHTTPAddress() throws {
        try withPair { lab in
            try lab.stop("a", kill: true)
            let file = lab.configurationFile + ".silent"
            try String(contentsOfFile: lab.configurationFile, encoding: .utf8)
                .replacing(#/http:\n *listen: .*\n/#, with: "").write(toFile: file, atomically: true, encoding: .utf8)
            func start(_ listen: String) throws -> Command {
                try lab.command(
                    on: "a",
                    ["env", "KUBERMESH_HTTP_LISTEN=\(listen)", Binaries.path(of: "meshd")]
                        + ["run", "--config", file])
            }
            let refused = try start("9179").output()
            #expect(refused.status == 1 && refused.errors.contains("$KUBERMESH_HTTP_LISTEN is “9179”"), "\(refused)")
            let agent = try start("[::1]:9333").spawn()
            try eventually("the agent serves HTTP on [::1]:9333") {
                try lab.command(on: "a", ["curl", "-s", "http://[::1]:9333/livez"]).output().text == "ok\n"
            }
            agent.signal(SIGTERM)
            _ = try agent.finish()
        }
    }

    @Test func httpAnswersQueriesAndRefusesCommands() throws {
        try withPair { lab in
            try eventually("a serves and is ready") { try lab.get("/readyz") == "ok\n" }
            #expect(try lab.get("/livez") == "ok\n")
            let metrics = try lab.get("/metrics").split(separator: "\n").map(String.init)
            #expect(metrics.contains("kubermesh_topology_nodes 2"))
            #expect(
                metrics.contains {
                    $0.hasPrefix("kubermesh_neighbor_up{interface=\"cluster0\",neighbor=\"b\"") && $0.hasSuffix(" 1")
                })
            for line in metrics where !line.hasPrefix("#") {
                #expect(line.hasPrefix("kubermesh_"))
                #expect(Double(line.split(separator: " ").last ?? "") != nil, "\(line)")
            }
            #expect(try lab.get("/v1/nodes").contains("\"kind\":\"NodeList\""))
            let refusal = try lab.get("/v1/stub-router", "-X", "POST", "-d", "{\"enabled\":true}")
            #expect(refusal.contains("\"status\":405") && refusal.contains("control socket"))
            #expect(try lab.meshctl("status", "-o", "json").text.contains("\"stubRouter\" : false"))
            #expect(try lab.meshctl("stub-router", "on").status == 0)
            try eventually("b sees a as a stub router") {
                try lab.list(Node.self, of: "b").first { $0.node == "a" }?.stubRouter == true
            }
        }
    }

    /// Metrics, without the prefix `kubermesh_`, that other people's dashboards and alerts may rely on.
    private static let stableMetrics = [
        "build_info", "ready", "drained", "stub_router", "config_last_reload_successful", "neighbor_up",
        "neighbor_state_changes_total", "ospf_packets_sent_total", "ospf_packets_received_total",
        "ospf_packet_errors_total", "lsa_retransmissions_total", "lsdb_lsas", "lsdb_checksum", "spf_runs_total",
        "spf_duration_seconds", "convergence_duration_seconds", "rib_routes", "fib_routes", "fib_drift_routes",
        "fib_foreign_deletions_total", "netlink_errors_total", "vip_healthy", "vip_announced", "vip_announcers",
        "link_up", "link_cost", "link_received_bytes_total", "link_received_packets_total", "link_sent_bytes_total",
        "link_sent_packets_total", "topology_nodes", "topology_unreachable_nodes",
    ]

    @Test func promtoolAcceptsTheMetrics() throws {
        let vips = "vips: [ { name: v, address: \"2001:db8:bb::1\", check: { tcp: 9179 } } ]"
        try withPair(vips) { lab in
            try eventually("a serves, is ready and holds the VIP") {
                try lab.get("/metrics").contains("kubermesh_vip_announced{vip=\"v\"} 1") && lab.get("/readyz") == "ok\n"
            }
            let text = try lab.get("/metrics")
            let result = try Command(["promtool", "check", "metrics"], input: text).output()
            #expect(result.status == 0 && result.text.isEmpty && result.errors.isEmpty, "\(result)")
            let names = text.matches(of: #/(?m)^# TYPE kubermesh_(\w+) (\w+)$/#)
            for (name, kind) in names.map({ (String($0.1), String($0.2)) }) {
                #expect(name.hasSuffix("_total") == (kind == "counter"), "\(name) is a \(kind)")
            }
            let missing = Set(Self.stableMetrics).subtracting(names.map { String($0.1) })
            #expect(missing.isEmpty)
        }
    }

    @Test func aReloadTakesEffectAndABadFileChangesNothing() throws {
        try withPair { lab in
            let file = lab.configurationFile
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let agent = try #require(lab.process(of: "a"))
            try (text + "advertise: [ \"2001:db8:aa::/48\" ]\nvips:\n  - { name: v, address: \"2001:db8:bb::1\" }\n")
                .write(toFile: file, atomically: true, encoding: .utf8)
            kill(agent, SIGHUP)
            try eventually("b has the new prefixes") {
                let prefixes = try lab.kernelRoutes(of: "b").map(\.prefix.description)
                return prefixes.contains("2001:db8:aa::/48") && prefixes.contains("2001:db8:bb::1/128")
            }
            #expect(try lab.command(on: "b", ["ping", "-c", "1", "-W", "1", "2001:db8:bb::1"]).output().status == 0)

            // Without a signal: the agent notices the change of the file.
            try (text + "advertize: []\n").write(toFile: file, atomically: true, encoding: .utf8)
            try eventually("the status of a reports the unknown key") {
                try lab.status(of: "a").configuration.ok == false
            }
            let problems = try lab.status(of: "a").configuration.problems
            #expect(problems.count == 1 && problems[0].contains("did you mean \"advertise\"?"))
            #expect(
                try lab.kernelRoutes(of: "b").contains { $0.prefix.description == "2001:db8:aa::/48" },
                "a rejected file changes no route")
            #expect(try lab.get("/metrics").contains("kubermesh_config_last_reload_successful 0"))

            // An empty file, as a failed write leaves it.
            try "".write(toFile: file, atomically: true, encoding: .utf8)
            kill(agent, SIGHUP)
            try eventually("the status of a reports the empty file") {
                try lab.status(of: "a").configuration.problems == [
                    "\(file): is empty, as after a failed write (for the defaults, write apiVersion: kubermesh/v1)"
                ]
            }
            #expect(try lab.kernelRoutes(of: "b").contains { $0.prefix.description == "2001:db8:aa::/48" })

            // When the file is removed, that is the problem, and no longer that it was empty.
            try FileManager.default.removeItem(atPath: file)
            try eventually("the status of a reports the missing file") {
                try lab.status(of: "a").configuration.problems == ["\(file): is gone"]
            }
            let missingFile = try #require(try lab.status(of: "a").problems?.first { $0.kind == "configuration" })
            #expect(
                missingFile.problem.hasPrefix("the configuration file \(file) is gone; the configuration read at 20"))
            #expect(missingFile.remedy == "put it back, without it the agent does not start")
            #expect(try lab.get("/metrics").contains("kubermesh_config_last_reload_successful 0"))
            #expect(try lab.kernelRoutes(of: "b").contains { $0.prefix.description == "2001:db8:aa::/48" })

            // Without a signal: the agent notices that the file is back.
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            try eventually("b has no routes to the removed prefixes") {
                let prefixes = try lab.kernelRoutes(of: "b").map(\.prefix.description)
                return !prefixes.contains("2001:db8:aa::/48") && !prefixes.contains("2001:db8:bb::1/128")
            }
            #expect(try lab.status(of: "a").configuration.ok)
        }
    }

    @Test func aReloadedCostKeepsTheNeighbor() throws {
        try withPair { lab in
            let before = try lab.list(Neighbor.self, of: "a").first?.stateChanges
            let file = lab.configurationFile
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try text.replacingOccurrences(of: "type: auto", with: "type: auto\n    cost: 55")
                .write(toFile: file, atomically: true, encoding: .utf8)
            kill(try #require(lab.process(of: "a")), SIGHUP)
            try eventually("all routes of a have metric 55") {
                try lab.list(Route.self, of: "a").allSatisfy { $0.metric == 55 }
            }
            #expect(try lab.list(Neighbor.self, of: "a").first?.stateChanges == before)
        }
    }

    @Test func aStopLeavesRoutesUnlessCleanupIsRequested() throws {
        try withPair("vips: [ { name: v, address: \"2001:db8:bb::1\" } ]") { lab in
            try lab.stop("a")
            #expect(try !lab.command(on: "a", ownRoutes).run().isEmpty)
            let loopback = try lab.command(on: "a", ["ip", "-6", "address", "show", "dev", "lo"]).run()
            #expect(loopback.contains(lab.addresses.address(of: "a").description))
            #expect(!loopback.contains("2001:db8:bb::1"), "the VIP is removed from lo")
            try eventually("b has no routes to a") { try lab.kernelRoutes(of: "b").isEmpty }
            #expect(try lab.list(Node.self, of: "b").map(\.node) == ["b"], "a has flushed its LSAs")

            let cleaned = try lab.meshd("cleanup", "--config", lab.configurationFile)
            #expect(
                cleaned.status == 0 && cleaned.text.hasPrefix("removed 2 routes"), "\(cleaned.text)\(cleaned.errors)")
            #expect(cleaned.text.contains("\n  net.ipv6.conf.all.forwarding = 1 (usually 0)\n"), "\(cleaned.text)")
            try expectACleanKernel(lab)

            let agent = try lab.command(
                on: "a", [Binaries.path(of: "meshd"), "--config", lab.configurationFile, "--cleanup-on-exit"]
            ).spawn()
            try eventually("the agent of a has installed its routes again") {
                try !lab.command(on: "a", ownRoutes).run().isEmpty
            }
            agent.signal(SIGTERM)
            #expect(try agent.finish().status == 0)
            try expectACleanKernel(lab)
        }
    }

    /// Checks that a has no routes, next hops and address of an agent.
    private func expectACleanKernel(_ lab: Lab) throws {
        #expect(try lab.command(on: "a", ownRoutes).run().isEmpty)
        #expect(try lab.command(on: "a", ["ip", "nexthop", "show"]).run().isEmpty)
        let address = lab.addresses.address(of: "a").description
        #expect(try !lab.command(on: "a", ["ip", "-6", "address", "show", "dev", "lo"]).run().contains(address))
    }

    @Test func aFailedStartReportsTheReason() throws {
        try withPair { lab in
            let absent = try lab.meshd("--config", "/nowhere.yaml")
            #expect(absent.status == 1 && absent.errors.contains("/nowhere.yaml: cannot be read"))
            #expect(try lab.meshd("--nonsense").status == 2)
            #expect(try lab.list(Neighbor.self, of: "a").first?.state == "Full", "the running agent keeps its neighbor")
        }
    }

    @Test func aSecondAgentOrACleanupBesideOneIsRefused() throws {
        try withPair { lab in
            let agent = try #require(lab.process(of: "a"))
            let otherFile = lab.directory(of: "a") + "/elsewhere.yaml"
            try "control: { socket: \(lab.directory(of: "a"))/elsewhere.sock }\n"
                .write(toFile: otherFile, atomically: true, encoding: .utf8)
            let routes = try lab.command(on: "a", ownRoutes).run()
            for file in [lab.configurationFile, otherFile] {
                for command in ["run", "cleanup"] {
                    let refused = try lab.meshd(command, "--config", file)
                    #expect(refused.status == 1)
                    #expect(
                        refused.errors.contains("meshd already runs in this network namespace as process \(agent);"))
                }
            }
            #expect(try lab.list(Neighbor.self, of: "a").first?.state == "Full", "the running agent keeps its neighbor")
            #expect(try lab.command(on: "a", ownRoutes).run() == routes)

            try lab.stop("a", kill: true)
            let cleaned = try lab.meshd("cleanup", "--config", otherFile)
            #expect(cleaned.status == 0, "cleanup runs after the agent was killed: \(cleaned.errors)")
            try expectACleanKernel(lab)
        }
    }

    @Test func aRemovedAddressIsRestored() throws {
        try withPair { lab in
            let address = lab.addresses.address(of: "a").description
            try lab.command(on: "a", ["ip", "-6", "address", "del", "\(address)/128", "dev", "lo"]).run()
            try eventually("the address is on lo again, and is the preferred source") {
                try lab.command(on: "a", ["ip", "-6", "address", "show", "dev", "lo"]).run().contains(address)
                    && lab.kernelRoutes(of: "a").allSatisfy { $0.preferredSource?.description == address }
            }
        }
    }
}
