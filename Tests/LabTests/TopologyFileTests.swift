import Foundation
import Glibc
import Testing

@testable import Lab

@Suite struct TopologyFileTests {
    /// Reads a topology from a file with this text.
    private func read(_ yaml: String) throws -> Topology {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml").path
        try Files.write(yaml, to: path)
        defer { unlink(path) }
        return try Topology.read(path)
    }

    @Test func keysOfATopologyFileAreRead() throws {
        let topology = try read(
            """
            name: three
            nodes:
              - n1
              - { name: n2, router: frr, ospf: { type: broadcast, priority: 7, hello: 10, dead: 40 }, config: "router ospf6" }
              - name: n3
                listens: [6443]
                vips: [{ name: api, address: "2001:db8:0:1::1", port: 6443 }]
                config:
                  advertise: ["2001:db8:3::/64"]
            links:
              - [n1, n2]
              - { between: [n2, n3], mtu: 1280 }
            """)
        #expect(topology.name == "three")
        #expect(topology.nodes[1].router == .frr)
        #expect(topology.nodes[1].ospf == Topology.OSPFOptions(type: "broadcast", hello: 10, dead: 40, priority: 7))
        #expect(topology.nodes[2].vips == [Topology.VIP(name: "api", address: "2001:db8:0:1::1", port: 6443)])
        #expect(topology.nodes[2].config.contains("2001:db8:3::/64"))
        #expect(topology.links == [Topology.Link("n1", "n2"), Topology.Link("n2", "n3", mtu: 1280)])
    }

    @Test(arguments: [
        ("nodes: [n1]\nlinks: [[n1, n2]]", "n2"),
        ("nodes:\n  - n1\n  - { name: n2, rooter: frr }", ":3: a node has no key “rooter”"),
        ("nodes:\n  - { name: n2, router: cisco }", "meshd, frr, bird"),
        ("nodes: [n1, n2]\nlinks:\n  - [n1]", ":3"),
        ("links: []", "nodes"),
        ("nodes: [", "YAML"),
        ("nodes: [a, b, c]\ncolumns: 2", ":2"),
        ("", "empty"),
        ("nodes:\n  - { name: n1, listens: [70000] }", "65535"),
    ])
    func errorsOfATopologyFileAreReported(yaml: String, hint: String) {
        let error = #expect(throws: LabError.self) { try read(yaml) }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: ["mixed-square", "mixed-lan", "edge"]) func theExamplesAreValid(name: String) throws {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let topology = try Topology.read("\(root)/examples/\(name).yaml")
        #expect(topology.name == name)
    }
}
