import Addressing
import ControlAPI
import Foundation
import Glibc
import Lab
import NIOCore
import TestAPIServer
import TestSupport
import Testing

@testable import Agent

/// Fresh machines in the order of kubeadm: the agent runs first, while there is no API server; then there is one, then a kubelet
/// creates the Node, and then the cluster assigns its range.
@Suite(.serialized, .needsRoot) struct ClusterStartTests {
    private static var file: String { LabCluster.file("s1/net.d/10-kubermesh.conflist") }

    /// k – s1 – c. `k` has the API server, which only `s1` uses.
    private static var line: Topology {
        let s1 = Topology.Node("s1", config: "cni: { file: \"\(file)\" }\n\(LabCluster.configuration)")
        return Topology(
            name: "line", nodes: [Topology.Node("k"), s1, Topology.Node("c")],
            links: [Topology.Link("k", "s1"), Topology.Link("s1", "c")])
    }

    /// The CNI file as text; empty if it does not exist.
    private static var fileText: String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }

    /// Set $KUBERMESH_STARTS for more starts; then it also prints the times.
    @Test func theCNIFileIsThereSoonAfterTheAPIServerAnswers() throws {
        let rounds = ProcessInfo.processInfo.environment["KUBERMESH_STARTS"].flatMap { Int($0) } ?? 2
        var cluster: LabCluster?
        defer { try? cluster?.server.close().wait() }
        let prepare: (Lab) throws -> Void = { lab in
            cluster = try LabCluster(lab, on: "k")
            try cluster?.server.delete("/api/v1/nodes/s1")
            try cluster?.makeUnreachable(lab)
        }
        try withLab(Self.line, beforeStart: prepare) { lab in
            let cluster = try #require(cluster)
            for round in 0..<rounds {
                if round > 0 {
                    try cluster.server.delete("/api/v1/nodes/s1")
                    try cluster.makeUnreachable(lab, refusing: round / 2 % 2 == 1)
                    try lab.powerOff("s1")
                    cluster.server.closeConnections()
                    try FileManager.default.removeItem(atPath: LabCluster.file("s1"))
                    try FileManager.default.createDirectory(
                        atPath: LabCluster.file("s1"), withIntermediateDirectories: true)
                    try lab.start(["s1"])
                }
                try lab.waitForRoutes(limit: .seconds(20))
                try start(round, lab, cluster, prints: rounds > 2)
            }
        }
    }

    /// Lets the API server answer the agent of `s1`, and creates the Node.
    private func start(_ round: Int, _ lab: Lab, _ cluster: LabCluster, prints: Bool) throws {
        try eventually("the agent reports that the API server is unreachable") {
            try lab.status(of: "s1").cluster?.problems.isEmpty == false
        }
        // The longer an outage, the longer the delays between attempts.
        usleep(UInt32(round * 1_300_000 % 5_000_000))
        #expect(Self.fileText == "", "there is no CNI file before the API server has answered")
        let monitors = try KernelMonitors(of: lab, ["k", "c"])
        // Half of the servers deny everything at first, and half of the Nodes exist before the agent has an answer.
        let (isStarting, isEarly) = (round % 2 == 1, round / 4 % 2 == 0)
        let server = cluster.server
        server.changeBehavior { $0.isStarting = isStarting }
        let before = server.requests.count
        func hasRequested(_ what: String) -> Bool {
            server.requests.dropFirst(before).contains {
                $0.hasPrefix("GET /api/v1/nodes?\(what)") && $0.contains("fieldSelector")
            }
        }
        try cluster.makeReachable(lab)
        let reachable = ContinuousClock.now
        if isStarting {
            try eventually("a request is denied") { hasRequested("limit") }
            usleep(1_500_000)
            #expect(Self.fileText == "", "a server that starts decides nothing")
            server.changeBehavior { $0.isStarting = false }
        }
        if !isEarly { try eventually("the agent watches its Node") { hasRequested("watch") } }
        let granted = ContinuousClock.now
        try server.apply(Objects.node("s1"))
        try eventually("the CNI file exists") { Self.fileText != "" }
        let written = ContinuousClock.now
        #expect(written - granted < .seconds(8), "within 2.5 s on an idle machine")
        let range = "2001:db8:5\(round)::/120"
        try server.apply(Objects.node("s1", podCIDRs: [range]))
        let assigned = ContinuousClock.now
        try eventually("the CNI file has the range of the cluster") { Self.fileText.contains(range) }
        let updated = ContinuousClock.now
        try eventually("k and c have a route to the range") {
            try ["k", "c"].allSatisfy { try lab.list(Route.self, of: $0).contains { $0.prefix == range } }
        }
        let own = lab.addresses.podPrefix(of: "s1").description
        try eventually("k and c have no route to the range of the plan") {
            try ["k", "c"].allSatisfy { try !lab.list(Route.self, of: $0).contains { $0.prefix == own } }
        }
        for (node, text) in try monitors.changes() {
            let others = text.split(separator: "\n").filter { !$0.contains(range) && !$0.contains(own) }
            #expect(others == [], "nothing but the ranges of s1 changes on \(node)")
        }
        if prints {
            print(
                "start \(round + 1): CNI file \(written - granted) after the Node, \(written - reachable) after the "
                    + "server, range \(updated - assigned) after its assignment\(isStarting ? ", with denials" : "")"
                    + "\(isEarly ? "" : ", watched")")
        }
    }
}
