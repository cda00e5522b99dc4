import Addressing
import ControlAPI
import Foundation
import Glibc
import Lab
import TestAPIServer
import TestSupport
import Testing

@testable import Agent

/// Services whose packets cross other nodes of the cluster, with rules as kube-proxy makes them on all of these nodes.
@Suite(.serialized, .needsRoot) struct ServiceTransitTests {
    /// The variants of kube-proxy's rules.
    enum Mode: CaseIterable {
        case nftables
        /// iptables, whose rules become nftables rules in the kernel, and the older kind.
        case iptables, legacyIPTables
    }

    private static let local = (ipv6: "2001:db8:aa::1", ipv4: "172.30.9.1")
    private static let cluster = (ipv6: "2001:db8:aa::2", ipv4: "172.30.9.2")
    private static let podCIDRs = [
        "k": ["2001:db8:51::/120", "10.51.0.0/24"], "t1": ["2001:db8:52::/120", "10.52.0.0/24"],
        "t2": ["2001:db8:53::/120", "10.53.0.0/24"],
    ]

    /// The node `k` has the endpoints; its cluster has `t1` and `t2`, too. `far` and `near` are clients outside of the cluster:
    /// `far` – `t2` – `t1` – `k` and `near` – `t1` – `k`.
    static var topology: Topology {
        let members = ["k", "t1", "t2"].map { name in
            Topology.Node(
                name,
                config: """
                    addressing: { ipv4: { nodes: 10.77.0.0/24 } }
                    cni: { file: "\(LabCluster.file("\(name)/net.d/10-kubermesh.conflist"))" }
                    \(LabCluster.configuration)
                    """)
        }
        let clients = ["far", "near"].map { name in
            Topology.Node(name, config: "addressing: { ipv4: { nodes: 10.77.0.0/24 } }\nkubernetes: { watch: off }")
        }
        let links = [("k", "t1"), ("t1", "t2"), ("t2", "far"), ("t1", "near")].map { Topology.Link($0.0, $0.1) }
        return Topology(name: "transit", nodes: members + clients, links: links)
    }

    /// A lab in which the services are announced and a pod of `k` answers with the address of the client.
    private struct Scene {
        let lab: Lab
        let runtime: Runtime
        /// The addresses of the pod with the endpoint, IPv6 first.
        let endpoint: [String]

        /// Adds the rules of a mode on all members of the cluster.
        func addRules(_ mode: Mode) throws {
            for node in ["k", "t1", "t2"] {
                let services = [("local", ServiceTransitTests.local), ("cluster", ServiceTransitTests.cluster)].flatMap
                {
                    name, addresses in
                    [(addresses.ipv6, endpoint[0]), (addresses.ipv4, endpoint[1])].map {
                        KubeProxyRules.Service(name: name, address: $0, endpoint: $1, isLocal: name == "local")
                    }
                }
                let rules = KubeProxyRules(
                    services: services, podRanges: ServiceTransitTests.podCIDRs[node]!, hasEndpoints: node == "k")
                switch mode {
                case .nftables: try lab.command(on: node, ["nft", "-f", "-"], input: rules.nftables).run()
                case .iptables, .legacyIPTables:
                    let kind = mode == .iptables ? "nft" : "legacy"
                    for (program, isIPv6) in [("ip6tables", true), ("iptables", false)] {
                        try lab.command(
                            on: node, ["\(program)-\(kind)-restore"], input: rules.iptables(isIPv6: isIPv6)
                        ).run()
                    }
                }
            }
        }

        /// The client's address as the pod saw it, `nil` if the connection failed.
        func dial(_ address: String, _ port: Int = 80, from namespace: Namespace) -> String? {
            let mapped = address.contains(":") ? address : "::ffff:\(address)"
            let command = try? Command([Binaries.path(of: "meshlab"), "dial", mapped, "\(port)"], in: namespace.name)
            guard let text = try? command?.run(), text.hasPrefix("pod ") else { return nil }
            return text.dropFirst(4).trimmingCharacters(in: .whitespacesAndNewlines)
        }

        func dial(_ address: String, _ port: Int = 80, from node: String) -> String? {
            dial(address, port, from: lab.namespace(of: node))
        }

        /// The addresses of a node, as text.
        func addresses(of node: String) throws -> String { try lab.command(on: node, ["ip", "-o", "address"]).run() }

        /// Whether the table of a node has all four addresses.
        func hasBypass(_ node: String) throws -> Bool {
            let output = try lab.command(on: node, ["nft", "list", "table", "inet", BypassRules.table]).output()
            return [ServiceTransitTests.local, ServiceTransitTests.cluster].allSatisfy {
                output.text.contains($0.ipv6) && output.text.contains($0.ipv4)
            }
        }
    }

    private func withScene(_ body: (Scene, LabCluster) throws -> Void) throws {
        try withCluster(Self.topology) { lab, cluster in
            for (node, ranges) in Self.podCIDRs { try cluster.server.apply(Objects.node(node, podCIDRs: ranges)) }
            try eventually("the CNI file of k has its pod CIDRs") {
                let file = LabCluster.file("k/net.d/10-kubermesh.conflist")
                return (try? String(contentsOfFile: file, encoding: .utf8))?.contains("2001:db8:51::") == true
            }
            let runtime = try Runtime(lab)
            defer { runtime.end() }
            let pod = try runtime.attach("web", to: "k", LabCluster.file("k/net.d/10-kubermesh.conflist"))
            let endpoint = pod.addresses.map { String($0.prefix { $0 != "/" }) }.sorted {
                $0.contains(":") && !$1.contains(":")
            }
            try #require(endpoint.count == 2)
            let server = try Command(
                [Binaries.path(of: "meshlab"), "responder", "--port", "8080", "--text", "pod", "--names-client"],
                in: pod.namespace
            ).spawn()
            defer {
                server.signal(SIGKILL)
                _ = try? server.finish()
            }
            for (name, addresses, policy) in [("local", Self.local, "Local"), ("cluster", Self.cluster, "Cluster")] {
                try cluster.server.apply(
                    Objects.service(name, ingress: [addresses.ipv6, addresses.ipv4], policy: policy))
                try cluster.server.apply(Objects.slice("\(name)-6", of: name, [("k", "r")]))
                try cluster.server.apply(Objects.slice("\(name)-4", of: name, family: "IPv4", [("k", "r")]))
            }
            let scene = Scene(lab: lab, runtime: runtime, endpoint: endpoint)
            try eventually("the nodes between have the addresses in their tables") {
                try scene.hasBypass("t1") && scene.hasBypass("t2")
            }
            try body(scene, cluster)
        }
    }

    @Test(arguments: Mode.allCases)
    func packetsInTransitReachTheNodeWithTheService(_ mode: Mode) throws {
        try withScene { scene, cluster in
            try scene.addRules(mode)
            for client in ["far", "near"] {
                let own = try scene.addresses(of: client)
                for address in [Self.local.ipv6, Self.local.ipv4] {
                    for _ in 0..<6 {
                        let seen = try #require(scene.dial(address, from: client), "\(client) connects to \(address)")
                        #expect(
                            own.contains(" \(seen)/"), "\(address): the pod sees the address of \(client), not \(seen)")
                    }
                }
                // Every node of the cluster announces this service, so the nearest one delivers.
                for address in [Self.cluster.ipv6, Self.cluster.ipv4] {
                    for _ in 0..<6 {
                        #expect(scene.dial(address, from: client) != nil, "\(client) connects to \(address)")
                    }
                }
            }
            // An error from in between, here about the hop limit, reaches the client.
            let ping = try scene.lab.command(
                on: "far", ["ping", "-6", "-c", "1", "-W", "2", "-t", "2", Self.local.ipv6]
            )
            .output()
            #expect(ping.text.contains("Time exceeded"), "\(ping)")
            try checkClientsInside(scene, mode)
            try checkNodesThatDoNotAnnounce(scene, cluster)
            // The rules are those that drop packets in transit. An agent that is suspended does not put the table back.
            let agent = try #require(scene.lab.process(of: "t1"))
            kill(agent, SIGSTOP)
            defer { kill(agent, SIGCONT) }
            try scene.lab.command(on: "t1", ["nft", "delete", "table", "inet", BypassRules.table]).run()
            #expect(scene.dial(Self.local.ipv6, from: "near") == nil, "kube-proxy's rules drop packets in transit")
        }
    }

    /// A service with the policy `Cluster` crosses nodes that do not announce it, because they are not ready: they do not
    /// deliver it themselves.
    private func checkNodesThatDoNotAnnounce(_ scene: Scene, _ cluster: LabCluster) throws {
        for node in ["t1", "t2"] {
            try cluster.server.apply(Objects.node(node, ready: "False", podCIDRs: Self.podCIDRs[node]!))
        }
        try eventually("only k announces the service") {
            try scene.lab.list(Route.self, of: "far").filter {
                $0.prefix.hasPrefix(Self.cluster.ipv6) || $0.prefix.hasPrefix(Self.cluster.ipv4)
            }.allSatisfy { $0.nodes == ["k"] }
        }
        try eventually("the addresses are gone from lo") {
            try ["t1", "t2"].allSatisfy { try !scene.addresses(of: $0).contains(Self.cluster.ipv6) }
        }
        let members = try ["t1", "t2"].map { try scene.addresses(of: $0) }.joined()
        for client in ["far", "near"] {
            for address in [Self.cluster.ipv6, Self.cluster.ipv4] {
                for _ in 0..<6 {
                    let seen = try #require(scene.dial(address, from: client), "\(client) connects to \(address)")
                    #expect(!members.contains(" \(seen)/"), "\(address) is translated by k, not in between")
                }
            }
        }
    }

    /// A pod and the node itself on `t2`, both clients, keep using kube-proxy's rules there.
    private func checkClientsInside(_ scene: Scene, _ mode: Mode) throws {
        let pod = try scene.runtime.attach("client", to: "t2", LabCluster.file("t2/net.d/10-kubermesh.conflist"))
        for address in [Self.local.ipv6, Self.local.ipv4, Self.cluster.ipv6, Self.cluster.ipv4] {
            #expect(scene.dial(address, from: Namespace(pod.namespace)) != nil, "a pod of t2 connects to \(address)")
            // In nftables mode, kube-proxy drops connections of its own node to services without endpoints there.
            if mode != .nftables || !address.hasSuffix("1") {
                #expect(scene.dial(address, from: "t2") != nil, "t2 connects to \(address)")
            }
        }
    }

    /// The table is put back if another program removes or empties it, and survives a restart of the agent.
    @Test func theTableIsPutBackAndOutlivesTheAgent() throws {
        try withScene { scene, _ in
            var lab = scene.lab
            try scene.addRules(.nftables)
            #expect(scene.dial(Self.local.ipv6, from: "near") != nil)
            try lab.command(on: "t1", ["nft", "delete", "table", "inet", BypassRules.table]).run()
            try eventually("t1 puts its table back") { try scene.hasBypass("t1") }
            #expect(scene.dial(Self.local.ipv6, from: "near") != nil)
            // Rules alone: the connections that the table remembers stay.
            let table = ["inet", BypassRules.table]
            let connection = "{ tcp . 2001:db8::9 . 1024 . 2001:db8:aa::1 . 80 timeout 1h }"
            try lab.command(on: "t1", ["nft", "add", "element"] + table + ["translated6", connection]).run()
            try lab.command(on: "t1", ["nft", "flush", "chain"] + table + ["prerouting"]).run()
            try eventually("t1 puts the rules back") {
                try lab.command(on: "t1", ["nft", "list", "chain"] + table + ["prerouting"]).run().contains("notrack")
            }
            let list = ["nft", "list", "table"] + table
            #expect(try lab.command(on: "t1", list).run().contains("2001:db8::9"))
            // Elements alone.
            for set in ["services6", "ports", "uplinks"] {
                try lab.command(on: "t1", ["nft", "flush", "set"] + table + [set]).run()
                try eventually("t1 puts the elements of \(set) back") {
                    let text = try lab.command(on: "t1", ["nft", "list", "set"] + table + [set]).run()
                    return text.contains("elements")
                }
            }
            #expect(try scene.hasBypass("t1") && scene.dial(Self.local.ipv6, from: "near") != nil)

            // A connection and a ping every millisecond, from outside of the cluster and over both nodes in between.
            let address = try #require(IPv6Address(Self.local.ipv6))
            let probe = try ConnectionProbe(from: "far", of: lab, to: address, port: 80)
            try lab.stop("t1", kill: true)
            #expect(try scene.hasBypass("t1"), "the table stays without the agent")
            try lab.start(["t1"])
            try eventually("t1 is ready") { (try? lab.status(of: "t1").ready) == true }
            #expect(try scene.hasBypass("t1"))
            // However long the restart took, on a busy machine too.
            try eventually("100 connections were answered") { probe.current.answers.values.reduce(0, +) >= 100 }
            let result = probe.end()
            #expect(result.isLossless, "\(result)")
            #expect(scene.dial(Self.local.ipv6, from: "near") != nil)

            try lab.stop("t1", kill: true)
            let report = try lab.command(
                on: "t1",
                [Binaries.path(of: "meshd"), "cleanup", "--config", "\(lab.directory(of: "t1"))/kubermesh.yaml"]
            ).run()
            #expect(report.contains("the nftables table \(BypassRules.table)"), "\(report)")
            #expect(try !scene.hasBypass("t1"))
        }
    }

    /// An agent that stops ends an `nft` that still runs, so that nothing makes the table again afterwards.
    @Test func nftDoesNotOutliveTheAgent() throws {
        try withScene { scene, _ in
            var lab = scene.lab
            try lab.stop("t1", kill: true)
            // An `nft` that hangs, before the others in the search path.
            let directory = lab.directory(of: "t1") + "/bin"
            let marker = "61234\(getpid())"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try "#!/bin/sh\nexec sleep \(marker)\n".write(
                toFile: directory + "/nft", atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory + "/nft")
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
            setenv("PATH", directory + ":" + path, 1)
            defer { setenv("PATH", path, 1) }
            try lab.start(["t1"])
            setenv("PATH", path, 1)
            func isRunning() throws -> Bool { try Command(["pgrep", "-f", "sleep \(marker)"]).output().status == 0 }
            try eventually("nft runs") { try isRunning() }
            try lab.stop("t1")
            #expect(try !isRunning())
        }
    }

    /// A node that translates a port of its own to a service, as a gateway of a public address does, translates the answers back;
    /// beside kube-proxy only those of services with the policy `Cluster` that it does not announce itself.
    @Test func aGatewayTranslatesTheAnswersOfServices() throws {
        try withScene { scene, cluster in
            let gateway = scene.lab.addresses.address(of: "t2")
            let rules = """
                table ip6 gateway {
                  chain in {
                    type nat hook prerouting priority dstnat;
                    ip6 daddr \(gateway) tcp dport 8888 dnat to [\(Self.local.ipv6)]:80
                    ip6 daddr \(gateway) tcp dport 8889 dnat to [\(Self.cluster.ipv6)]:80
                    ip6 daddr \(gateway) icmpv6 type echo-request dnat to \(Self.local.ipv6)
                  }
                }
                """
            try scene.lab.command(on: "t2", ["nft", "-f", "-"], input: rules).run()
            let services = KubeProxyRules(
                services: [
                    .init(name: "local", address: Self.local.ipv6, endpoint: scene.endpoint[0], isLocal: true),
                    .init(name: "cluster", address: Self.cluster.ipv6, endpoint: scene.endpoint[0], isLocal: false),
                ], podRanges: Self.podCIDRs["k"]!, hasEndpoints: true)
            try scene.lab.command(on: "k", ["nft", "-f", "-"], input: services.nftables).run()
            // As the rules of kube-proxy's iptables mode do.
            let firewall =
                "table inet firewall { chain f { type filter hook forward priority filter; ct state invalid drop; }; }"
            try scene.lab.command(on: "t2", ["nft", "-f", "-"], input: firewall).run()
            for _ in 0..<3 {
                #expect(scene.dial("\(gateway)", 8888, from: "far") != nil, "through the gateway")
                #expect(scene.dial(Self.local.ipv6, from: "far") != nil, "directly")
            }
            try checkMessagesThroughTheGateway(scene, gateway)
            try checkRememberedConnections(scene)
            try cluster.server.apply(Objects.node("t2", ready: "False", podCIDRs: Self.podCIDRs["t2"]!))
            try eventually("t2 does not announce the service") {
                try !scene.addresses(of: "t2").contains(Self.cluster.ipv6)
            }
            try scene.addRules(.nftables)
            for _ in 0..<3 { #expect(scene.dial("\(gateway)", 8889, from: "far") != nil, "beside kube-proxy") }
        }
    }

    /// ICMP of a client that has used the gateway: about its direct connections, and translated itself.
    private func checkMessagesThroughTheGateway(_ scene: Scene, _ gateway: IPv6Address) throws {
        let ping = ["ping", "-6", "-c", "1", "-W", "2"]
        let direct = try scene.lab.command(on: "far", ping + ["-t", "2", Self.local.ipv6]).output()
        #expect(direct.text.contains("Time exceeded"), "\(direct)")
        for address in [Self.local.ipv6, "\(gateway)"] {
            let answer = try scene.lab.command(on: "far", ping + [address]).output()
            #expect(answer.text.contains("from \(address)"), "\(answer)")
        }
    }

    /// A closed connection is forgotten soon, as in connection tracking; one that is open lasts.
    private func checkRememberedConnections(_ scene: Scene) throws {
        var text = ""
        try eventually("connections that are closed are forgotten within 3 minutes") {
            text = try scene.lab.command(
                on: "t2", ["nft", "list", "set", "inet", BypassRules.table, "translated6"]
            ).run()
            return text.contains("expires 2m") && !text.contains("expires 2h")
        }
        #expect(!text.contains("icmp"), "\(text)")
    }

    /// kube-proxy in IPVS mode has the addresses of all services on a device of its own.
    @Test func addressesOnTheDeviceOfIPVSAreAProblem() throws {
        try withScene { scene, _ in
            try scene.lab.command(
                on: "t1", ["ip", "link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "ipvs-peer"]
            ).run()
            try scene.lab.command(
                on: "t1", ["ip", "address", "add", "\(Self.local.ipv6)/128", "dev", "kube-ipvs0", "nodad"]
            ).run()
            try eventually("t1 reports the problem") {
                try scene.lab.status(of: "t1").problems?.contains { $0.kind == "proxyBypass" } == true
            }
        }
    }
}
