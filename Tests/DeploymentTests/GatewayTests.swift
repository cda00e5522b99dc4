import Foundation
import Glibc
import Lab
import TestSupport
import Testing
import Yams

/// The component `gateway`, with the configuration and the NAT rules of its manifests: a mesh node reaches addresses beyond the
/// uplink through a gateway while the uplink works.
@Suite(.serialized, .needsRoot) struct GatewayTests {
    /// The address to which the check in the manifest connects.
    private static let outside = "198.51.100.53"

    /// The VIPs of the manifest's configuration, with ports and addresses of the lab.
    private func configuration() throws -> String {
        let text = try Repository.output(
            of: "scripts/configuration-of", Repository.path("deploy/components/gateway/kustomization.yaml"),
            "gateway.yaml")
        let vips = try #require(try Yams.compose(yaml: text)?["vips"])
        return try Yams.serialize(node: ["vips": vips]) + """
            interfaces: [ { match: cluster1, type: ignore }, { match: "cluster*" } ]
            addressing: { ipv4: { nodes: 172.30.2.0/24 } }
            """
    }

    /// The NAT rules of the manifest, with the lab's uplink, `cluster1`.
    private func rules() throws -> String {
        let manifest = try #require(
            try Yams.compose(
                yaml: Repository.text("deploy/components/gateway/nat.yaml")
                    .components(separatedBy: "\n---\n")[0]))
        return try #require(manifest["data"]?["nat.nft"]?.string).replacing("uplink*", with: "cluster1")
    }

    @Test func theDefaultRouteIsAnnouncedWhileTheUplinkWorks() throws {
        try Lab.destroyLeftOvers(prefix: "gt")
        let mesh = Topology(
            name: "gateway",
            nodes: [
                Topology.Node("client", config: "addressing: { ipv4: { nodes: 172.30.2.0/24 } }"),
                Topology.Node("gateway", config: try configuration()),
                Topology.Node("outside", router: .none),
            ],
            links: [Topology.Link("client", "gateway"), Topology.Link("gateway", "outside")])
        var lab = try Lab.create(mesh, name: "gt\(getpid())")
        defer { try? lab.destroy() }
        func ip(_ node: String, _ words: String) throws -> String {
            try lab.command(on: node, ["ip"] + words.split(separator: " ").map(String.init)).run()
        }
        for (node, words) in [
            ("outside", "address add 192.0.2.2/24 dev cluster0"), ("outside", "address add \(Self.outside)/32 dev lo"),
            ("gateway", "address add 192.0.2.1/24 dev cluster1"),
            ("gateway", "route add \(Self.outside)/32 via 192.0.2.2 dev cluster1"),
            ("gateway", "route add default via 192.0.2.2 dev cluster1 metric 100"),
        ] { _ = try ip(node, words) }
        try lab.startRouters()
        func hasDefault() throws -> Bool { try ip("client", "route show default").contains("proto 71") }
        func reaches() throws -> Bool {
            try lab.command(on: "client", ["ping", "-c", "1", "-W", "1", Self.outside]).output().status == 0
        }

        let server = ["python3", "-m", "http.server", "53", "--bind", Self.outside, "--directory", lab.directory]
        let first = try lab.command(on: "outside", server).spawn()
        try eventually("the gateway announces a default route", hasDefault)
        #expect(
            try ip("client", "-6 route show default").contains("proto 71"),
            "the gateway announces an IPv6 default route too")
        #expect(try !reaches(), "without NAT the client gets no answer from outside")
        // Applied twice, as when the pod restarts.
        for _ in 1...2 { try lab.command(on: "gateway", ["nft", "-f", "-"], input: try rules()).run() }
        try eventually("with NAT the client gets answers from outside", reaches)

        first.signal(SIGKILL)
        _ = try first.finish()
        try eventually("the client has no default route while the uplink does not work") { try !hasDefault() }
        #expect(
            try ip("gateway", "route show default").contains("192.0.2.2"), "the gateway keeps its own default route")
        let second = try lab.command(on: "outside", server).spawn()
        try eventually("the client has a default route when the uplink works again", hasDefault)
        second.signal(SIGKILL)
        _ = try second.finish()
    }
}
