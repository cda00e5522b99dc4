import Foundation
import Glibc
import Lab
import NIOCore
import TestAPIServer
import TestSupport
import Testing

/// A real Prometheus scrapes a mesh of real agents over the mesh, and answers the queries of the dashboard and the alerts.
@Suite(.serialized, .needsRoot) struct PrometheusTests {
    private static let name = "dt\(getpid())"
    private static let mesh: Topology = {
        let vip = Topology.VIP(name: "service", address: "2001:db8:0:1::80", port: 8080)
        let bfd = "interfaces: [ { match: \"cluster*\", bfd: on } ]"
        let pools = "pools: [ { name: lan, addresses: [ 2001:db8:aa::/124 ] } ]"
        let listen = "http: { listen: \"[::]:9179\" }\n\(LabCluster.configuration(inLab: name))\n\(pools)\n\(bfd)"
        return Topology(
            name: "square",
            nodes: [
                Topology.Node("n1", config: listen), Topology.Node("n2", vips: [vip], listens: [8080], config: listen),
                Topology.Node("n3", vips: [vip], listens: [8080], config: listen),
                Topology.Node("n4", config: listen),
            ],
            links: [
                Topology.Link("n1", "n2"), Topology.Link("n1", "n3"), Topology.Link("n2", "n4"),
                Topology.Link("n3", "n4"),
            ])
    }()

    /// Metrics that have no series while nothing is wrong.
    private static let emptyWithoutErrors: Set = [
        "kubermesh_ospf_packet_errors_total", "kubermesh_neighbor_largest_packet_bytes",
    ]

    @Test func prometheusScrapesTheMeshAndAnswersAllQueries() throws {
        try Lab.destroyLeftOvers(prefix: "dt")
        var lab = try Lab.create(Self.mesh, name: Self.name)
        defer { try? lab.destroy() }
        let cluster = try LabCluster(lab, on: "n1")
        defer { try? cluster.server.close().wait() }
        try cluster.server.apply(Objects.service("web"))
        try cluster.server.apply(Objects.slice("web-1", of: "web", [("n2", "r")]))
        try lab.startRouters()
        try lab.waitForRoutes(limit: .seconds(20))
        let prometheus = try Prometheus(on: "n1", of: lab)
        defer { prometheus.end() }

        try eventually("all agents are scraped and ready") {
            try prometheus.query("sum(up) == 4 and sum(kubermesh_ready) == 4").count == 1
        }
        try eventually("all four nodes have the same LSDB checksum") {
            try prometheus.query("count_values(\"checksum\", kubermesh_lsdb_checksum)").map(\.value) == [4]
        }
        try eventually("both announcers of the service count two announcers") {
            try prometheus.query("kubermesh_vip_announcers{vip=\"service\"}").map(\.value) == [2, 2]
        }
        try eventually("n4 receives traffic on both links") {
            let traffic = try prometheus.query("rate(kubermesh_link_received_bytes_total{instance=\"n4\"}[10s])")
            return traffic.count == 2 && traffic.allSatisfy { $0.value > 0 }
        }
        try eventually(
            "all agents watch the API server, one leads the pools, and all nodes announce one service address"
        ) {
            try prometheus.query("sum(kubermesh_kube_api_connected) == 4").count == 1
                && prometheus.query("sum(kubermesh_pool_leader) == 1").count == 1
                && prometheus.query("sum(kubermesh_service_vips_announced) == 4").count == 1
        }
        try checkDashboardQueries(prometheus)
        try checkAlertQueries(prometheus)

        // A cable and an agent fail.
        try lab.fail("n3-n4", .carrier)
        try lab.stop("n2", kill: true)
        try eventually("n2 is down, and n1 counts two unreachable nodes") {
            try prometheus.query("up == 0").map { $0.metric["instance"] } == ["n2"]
                && prometheus.query("kubermesh_topology_unreachable_nodes{instance=\"n1\"}").first?.value == 2
        }
        try eventually("n3 reports a link that is down, and n1 a lost neighbor") {
            try prometheus.query("kubermesh_link_up == 0").contains { $0.metric["instance"] == "n3" }
                && prometheus.query("max_over_time(kubermesh_link_full_neighbors[1m]) > kubermesh_link_full_neighbors")
                    .contains { $0.metric["instance"] == "n1" }
        }
        try eventually("n3 counts one announcer of the service") {
            try prometheus.query("kubermesh_vip_announcers{instance=\"n3\"}").map(\.value) == [1]
        }
        try eventually("the alerts for the failures are pending") {
            Set(try prometheus.rules().filter { $0.state == "pending" }.map(\.name))
                .isSuperset(of: ["KubermeshAgentDown", "KubermeshNodeUnreachable", "KubermeshNeighborLost"])
        }
    }

    private func checkDashboardQueries(_ prometheus: Prometheus) throws {
        for query in try Dashboard.read().queries {
            let mayBeEmpty = Self.emptyWithoutErrors.contains { query.contains($0) }
            var isAnswered = false
            // A rate has a value only after two scrapes.
            try? eventually(query, limit: .seconds(5)) {
                isAnswered = try !prometheus.query(query).isEmpty
                return isAnswered
            }
            #expect(isAnswered || mayBeEmpty, "no answer to \(query)")
        }
    }

    /// Checks that exactly the metrics of docs/metrics.md are served.
    private func checkDocumentation(of known: Set<String>) throws {
        let documented = Set(
            try Repository.text("docs/metrics.md").matches(of: #/\| `([a-z_]+)` \| (counter|gauge|histogram) \|/#)
                .map { "kubermesh_\($0.1)" })
        let histograms = known.filter { $0.hasSuffix("_bucket") }.map { String($0.dropLast("_bucket".count)) }
        let parts = histograms.flatMap { name in ["_bucket", "_sum", "_count"].map { name + $0 } }
        let served = known.filter { $0.hasPrefix("kubermesh_") }.subtracting(parts).union(histograms)
        #expect(served.subtracting(documented) == [])
        #expect(documented.subtracting(served).subtracting(Self.emptyWithoutErrors) == [])
    }

    private func checkAlertQueries(_ prometheus: Prometheus) throws {
        try eventually("all rules are evaluated") {
            let rules = try prometheus.rules()
            return !rules.isEmpty && rules.allSatisfy { $0.health == "ok" }
        }
        #expect(try prometheus.rules().filter { $0.state == "firing" }.map(\.name) == [])
        let known = try prometheus.names()
        try checkDocumentation(of: known)
        for file in ["deploy/monitoring/alerts.yaml", Dashboard.file, "docs/alerts.md"] {
            for match in try Repository.text(file).matches(of: #/kubermesh_[a-z_]+/#) {
                #expect(known.contains(String(match.0)), "\(file) asks for \(match.0), which is not served")
            }
        }
    }
}
