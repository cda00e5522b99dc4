import Addressing
import ControlAPI
import Foundation
import Glibc
import Lab
import Links
import TestSupport
import Testing

@testable import Agent

/// Pods attached by the reference CNI plugins, as a container runtime would run them.
@Suite(.serialized, .needsRoot) struct PodTests {
    /// a – b – c. The cable between a and b has an MTU of 1400.
    private static func chain(_ plugin: String) -> Topology {
        let nodes = ["a", "b", "c"].map { name in
            Topology.Node(
                name,
                config: """
                    addressing: { ipv4: { nodes: 172.30.2.0/24, pods: 172.31.0.0/16 } }
                    cni: { file: "/run/kubermesh-lab/at\(getpid())/\(name)/net.d/10-kubermesh.conflist", plugin: \(plugin) }
                    """)
        }
        return Topology(
            name: "chain", nodes: nodes, links: [Topology.Link("a", "b", mtu: 1400), Topology.Link("b", "c")])
    }

    /// The CNI file of a node.
    private func cniFile(_ node: String, _ lab: Lab) -> String {
        "/run/kubermesh-lab/at\(getpid())/\(node)/net.d/10-kubermesh.conflist"
    }

    @Test(arguments: ["ptp", "bridge"])
    func podsOfDifferentNodesReachEachOther(plugin: String) throws {
        try withLab(Self.chain(plugin)) { lab in
            try eventually("the CNI files of all nodes have ranges of both families") {
                try ["a", "b", "c"].allSatisfy {
                    guard let text = try? String(contentsOfFile: cniFile($0, lab), encoding: .utf8) else {
                        return false
                    }
                    let network = try Runtime.Network(text)
                    return network.ranges.count == 2 && text.contains("\"mtu\" : 1400")
                }
            }
            let dateBefore =
                try FileManager.default.attributesOfItem(atPath: cniFile("c", lab))[.modificationDate] as? Date
            let runtime = try Runtime(lab)
            defer { runtime.end() }
            let near = try runtime.attach("near", to: "a", cniFile("a", lab))
            let far = try runtime.attach("far", to: "c", cniFile("c", lab))
            #expect(near.addresses.count == 2 && far.addresses.count == 2)
            for address in far.addresses {
                let address = String(address.prefix { $0 != "/" })
                // The first ping may be lost while new addresses are resolved.
                try eventually("\(near.namespace) reaches \(address)") { try runtime.ping(address, from: near) }
                // The largest payload in 1400 octets: without 8 of ICMP and 40 of IPv6 or 20 of IPv4. A larger one does not
                // pass.
                #expect(
                    try runtime.ping(address, from: near, "-M", "do", "-s", address.contains(":") ? "1352" : "1372"))
                #expect(try !runtime.ping(address, from: near, "-M", "do", "-s", "1400"))
            }
            // A second pod of the same node.
            let sibling = try runtime.attach("sibling", to: "c", cniFile("c", lab))
            for address in sibling.addresses {
                let address = String(address.prefix { $0 != "/" })
                try eventually("\(far.namespace) reaches \(address)") { try runtime.ping(address, from: far) }
            }
            try runtime.detach(far, cniFile("c", lab))
            try lab.stop("c")
            try lab.start(["c"])
            try eventually("c is ready again") { (try? lab.status(of: "c"))?.ready == true }
            let dateAfter =
                try FileManager.default.attributesOfItem(atPath: cniFile("c", lab))[.modificationDate] as? Date
            #expect(dateBefore != nil && dateBefore == dateAfter, "a CNI file that stays the same is not written again")
        }
    }

    @Test func onlyMissingPluginsAreCopied() throws {
        let directory = try TemporaryDirectory()
        let target = directory.path + "/opt/cni/bin"
        let copied = try PluginInstaller.install(from: "/usr/lib/cni", to: target)
        #expect(copied == PluginInstaller.plugins)
        #expect(access(target + "/ptp", X_OK) == 0)
        try "theirs".write(toFile: target + "/ptp", atomically: true, encoding: .utf8)
        try FileManager.default.removeItem(atPath: target + "/bridge")
        #expect(try PluginInstaller.install(from: "/usr/lib/cni", to: target) == ["bridge"])
        #expect(try String(contentsOfFile: target + "/ptp", encoding: .utf8) == "theirs")
        #expect(throws: (any Error).self) { try PluginInstaller.install(from: "/nowhere", to: target + "2") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: target + "2").isEmpty)
    }
}
