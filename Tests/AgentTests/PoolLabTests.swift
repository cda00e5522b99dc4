import ControlAPI
import Glibc
import Lab
import Links
import MeshConfiguration
import TestAPIServer
import TestSupport
import Testing

@testable import Agent

/// Agents that assign addresses of a pool to services, and an API server that they reach through the mesh.
@Suite(.serialized, .needsRoot) struct PoolLabTests {
    /// s1 – k – s2. `k` has the API server, the others have a pool.
    private static var line: Topology {
        let pools = "pools: [ { name: lan, addresses: [ \"2001:db8:aa::10-2001:db8:aa::20\" ] } ]"
        let nodes = ["s1", "k", "s2"].map { name in
            Topology.Node(name, config: LabCluster.configuration + "\n" + (name == "k" ? "" : pools))
        }
        return Topology(name: "line", nodes: nodes, links: [Topology.Link("s1", "k"), Topology.Link("k", "s2")])
    }

    /// The address in the `status` of a service; `nil` if it has none.
    private func address(of service: String, in cluster: LabCluster) -> String? {
        let status = cluster.server.object("/api/v1/namespaces/default/services/\(service)")?["status"]
        guard case .array(let ingress)? = status?["loadBalancer"]?["ingress"] else { return nil }
        return ingress.first?["ip"]?.text
    }

    @Test func assignedAddressesAreAnnouncedAndAnotherLeaderContinues() throws {
        try withCluster(Self.line) { lab, cluster in
            let path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kubermesh-address-pools"
            func leader() -> String? {
                cluster.server.object(path)?["spec"]?["holderIdentity"]?.text?.split(separator: "_").first.map(
                    String.init)
            }
            func add(_ name: String) throws {
                try cluster.server.apply(Objects.service(name, policy: "Local"))
                try cluster.server.apply(Objects.slice("\(name)-1", of: name, [("s1", "r"), ("s2", "r")]))
            }
            // A released lease. Without one, the agent that creates it would wait 10 s.
            try cluster.server.apply([
                "kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
                "metadata": ["name": "kubermesh-address-pools", "namespace": "kube-system"],
                "spec": ["holderIdentity": "", "leaseDurationSeconds": 1],
            ])
            try add("one")
            try eventually("service one has the first address") { address(of: "one", in: cluster) == "2001:db8:aa::10" }
            try eventually("s1 and s2 announce the address of service one") {
                try lab.list(Route.self, of: "k").first { $0.prefix == "2001:db8:aa::10/128" }?.nodes.sorted()
                    == ["s1", "s2"]
            }
            try eventually("the status of s1 and s2 shows one address in use and one leader") {
                let texts = try ["s1", "s2"].map { try lab.status(of: $0).text(node: $0) }
                return texts.allSatisfy { $0.contains("1 of") && $0.contains("IPv6 addresses in use") }
                    && texts.count { $0.contains("this agent assigns them to services") } == 1
            }
            // The leader stops, and the other agent continues.
            let first = try #require(leader())
            try lab.stop(first)
            try add("two")
            try eventually("the other agent assigns the second address to service two") {
                address(of: "two", in: cluster) == "2001:db8:aa::11"
            }
            #expect(leader() == (first == "s1" ? "s2" : "s1"))
            #expect(address(of: "one", in: cluster) == "2001:db8:aa::10")
        }
    }
}
