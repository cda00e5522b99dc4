import Addressing
import ControlAPI
import Foundation
import Glibc
import Lab
import Links
import MeshConfiguration
import NIOCore
import Services
import TestAPIServer
import TestSupport
import Testing
import Timing

@testable import Agent

/// Agents, an API server that they reach through the mesh, pods that CNI plugins attach, and nftables rules instead of
/// kube-proxy.
@Suite(.serialized, .needsRoot) struct ClusterLabTests {
    private static let vip: IPv6Address = IPv6Address("2001:db8:aa::1")!
    /// The slice with the IPv6 endpoints of the service `web`.
    private static let webSlice = "web-1"

    /// A square: the client `c` and the node `k` with the API server are each connected to `s1` and `s2`, which have the pods.
    static var square: Topology {
        let nodes = ["k", "s1", "s2", "c"].map { name in
            Topology.Node(
                name,
                config: """
                    node: { onStop: stay }
                    cni: { file: "\(LabCluster.file("\(name)/net.d/10-kubermesh.conflist"))" }
                    \(LabCluster.configuration)
                    """)
        }
        let links = [("k", "s1"), ("k", "s2"), ("c", "s1"), ("c", "s2")].map { Topology.Link($0.0, $0.1) }
        return Topology(name: "square", nodes: nodes, links: links)
    }

    /// Starts a pod on `s1` and on `s2` that answers with the node's name, and forwards connections to the VIP to it.
    private func startPods(_ runtime: Runtime, _ lab: Lab) throws -> [String: RunningCommand] {
        var servers: [String: RunningCommand] = [:]
        for node in ["s1", "s2"] {
            let file = LabCluster.file("\(node)/net.d/10-kubermesh.conflist")
            let pod = try runtime.attach(node, to: node, file)
            let address = try #require(pod.addresses.first { $0.contains(":") }).prefix { $0 != "/" }
            servers[node] = try Command(
                [Binaries.path(of: "meshlab"), "responder", "--port", "8080", "--text", node], in: pod.namespace
            ).spawn()
            let rules = """
                table ip6 services {
                  chain in {
                    type nat hook prerouting priority dstnat;
                    ip6 daddr \(Self.vip) tcp dport 80 dnat to [\(address)]:8080
                  }
                }
                """
            try lab.command(on: node, ["nft", "-f", "-"], input: rules).run()
        }
        return servers
    }

    /// Runs `body` with a service that has an IPv6 and an IPv4 address and endpoints on `s1` and `s2`, once both answer.
    private func withService(_ body: (inout Lab, LabCluster, [String: RunningCommand]) throws -> Void) throws {
        try withCluster(Self.square) { lab, cluster in
            for (number, node) in ["s1", "s2"].enumerated() {
                try cluster.server.apply(
                    Objects.node(node, podCIDRs: ["2001:db8:5\(number + 1)::/120", "10.5\(number + 1).0.0/24"]))
            }
            try eventually("the CNI files have the pod CIDRs of the nodes") {
                try ["s1", "s2"].enumerated().allSatisfy { number, node in
                    let file = LabCluster.file("\(node)/net.d/10-kubermesh.conflist")
                    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return false }
                    return try text.contains("2001:db8:5\(number + 1)::") && text.contains("10.5\(number + 1).0.0")
                        && Runtime.Network(text).ranges.count == 2
                }
            }
            let runtime = try Runtime(lab)
            defer { runtime.end() }
            let servers = try startPods(runtime, lab)
            defer {
                for server in servers.values {
                    server.signal(SIGKILL)
                    _ = try? server.finish()
                }
            }
            try cluster.server.apply(
                Objects.service("web", ingress: ["\(Self.vip)", "172.30.9.1"], policy: "Local"))
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "r"), ("s2", "r")]))
            try cluster.server.apply(
                Objects.slice("web-2", of: "web", family: "IPv4", [("s1", "r"), ("s2", "r")]))
            try eventually("both nodes announce the service") { try lab.announcers() == ["s1", "s2"] }
            try eventually("the pods of s1 and s2 both answer c") {
                let answers = (0..<20).compactMap { _ in try? lab.dial(Self.vip, from: "c") }
                return Set(answers) == ["s1", "s2"]
            }
            try body(&lab, cluster, servers)
        }
    }

    @Test func noConnectionIsLostWhenEndpointsChange() throws {
        try withService { lab, cluster, servers in
            let ipv4Route = try lab.command(on: "c", ["ip", "-4", "route", "show", "172.30.9.1"]).run()
            #expect(ipv4Route.contains("proto 71"), "c has a route to the IPv4 address of the service: \(ipv4Route)")
            let probe = try ConnectionProbe(from: "c", of: lab, to: Self.vip, port: 80)
            // As in Kubernetes, a terminating pod still serves while other nodes change their routes.
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "t"), ("s2", "r")]))
            try eventually("c prefers s2 while the endpoint on s1 terminates") { try lab.announcers() == ["s2"] }
            try eventually("c has one next hop to the VIP") { try lab.nextHopCount(from: "c", to: Self.vip) == 1 }
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s2", "r")]))
            servers["s1"]?.signal(SIGSTOP)
            try eventually("the VIP is removed from lo of s1") {
                try !lab.command(on: "s1", ["ip", "address", "show", "dev", "lo"]).run().contains("\(Self.vip)")
            }
            servers["s1"]?.signal(SIGCONT)
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "r"), ("s2", "r")]))
            try eventually("s1 and s2 announce the VIP again") { try lab.announcers() == ["s1", "s2"] }

            try cluster.server.apply(
                Objects.node(
                    "s2", annotations: ["kubermesh.io/drain": "true"], podCIDRs: ["2001:db8:52::/120", "10.52.0.0/24"]))
            try eventually("c routes to s1 only while s2 is drained") { try lab.announcers() == ["s1"] }
            #expect(try lab.status(of: "s2").drained)
            try cluster.server.apply(Objects.node("s2", podCIDRs: ["2001:db8:52::/120", "10.52.0.0/24"]))
            try eventually("c routes to s1 and s2 again") { try lab.announcers() == ["s1", "s2"] }

            let result = probe.end()
            #expect(result.lostPings == 0 && result.answers.count == 2, "\(result)")
            // A connection that is being opened while the routes change may be reset, because its packets reach both pods: at
            // most one in each of the four changes. No connection is refused or times out.
            let resets = result.failures.count { $0.hasSuffix("Connection reset by peer.") }
            #expect(resets == result.failures.count && resets <= 4, "\(result)")
        }
    }

    @Test func routesStayWhileTheAPIServerIsUnreachable() throws {
        try withService { lab, cluster, _ in
            let monitors = try KernelMonitors(of: lab, ["k", "s1", "s2", "c"])
            // Set $KUBERMESH_AWAY_SECONDS to test a longer outage, such as an hour.
            let seconds = UInt32(ProcessInfo.processInfo.environment["KUBERMESH_AWAY_SECONDS"] ?? "") ?? 6
            let probe = try ConnectionProbe(
                from: "c", of: lab, to: Self.vip, port: 80, every: .milliseconds(seconds > 60 ? 50 : 1))
            try eventually("s1 and s2 have saved their objects") {
                ["s1", "s2"].allSatisfy { node in
                    let file = LabCluster.file("\(node)/cluster/endpointslices.json")
                    return (try? String(contentsOfFile: file, encoding: .utf8))?.contains("web-2") == true
                }
            }
            cluster.server.changeBehavior { $0.wrongResponse = .closeConnections }
            cluster.server.closeConnections()
            try eventually("all agents report that the API server is unreachable") {
                try ["k", "s1", "s2", "c"].allSatisfy { try lab.status(of: $0).cluster?.connected == false }
            }
            try cluster.makeUnreachable(lab)
            // This change reaches the agents only after the outage.
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s2", "r")]))
            sleep(seconds)
            #expect(probe.current.failures.isEmpty, "\(probe.current)")

            // An agent that crashes and one that is replaced use what they have saved, and the routes of other nodes stay.
            try lab.stop("s1", kill: true)
            try lab.start(["s1"])
            let agent = try #require(lab.process(of: "s2"))
            kill(agent, SIGTERM)
            try eventually("the agent of s2 has ended") { !lab.isRunning("s2") }
            try lab.start(["s2"])
            try eventually("s1 and s2 are ready again without the API server") {
                ["s1", "s2"].allSatisfy {
                    guard let status = try? lab.status(of: $0) else { return false }
                    return status.ready && status.cluster?.connected == false
                        && status.cluster?.objects["services"] == 1
                }
            }
            #expect(try lab.announcers() == ["s1", "s2"])
            let result = probe.end()
            #expect(result.isLossless, "\(result)")
            let changes = try monitors.changes()
            #expect(changes == [:], "no route, next hop or address changes during the outage: \(changes)")

            cluster.server.changeBehavior { $0.wrongResponse = nil }
            try cluster.makeReachable(lab)
            try eventually("the change made during the outage takes effect") { try lab.announcers() == ["s2"] }
        }
    }

    /// With `node.onStop: stay` a stop leaves everything in place, unless the Node is cordoned.
    @Test func aCordonedNodeDrainsWhenItStops() throws {
        try withService { lab, cluster, _ in
            try cluster.server.apply(
                Objects.node("s1", podCIDRs: ["2001:db8:51::/120", "10.51.0.0/24"], isCordoned: true))
            usleep(300_000)
            #expect(try lab.announcers() == ["s1", "s2"], "a cordon alone changes nothing")
            let agent = try #require(lab.process(of: "s1"))
            kill(agent, SIGTERM)
            try eventually("c routes to s2 only") { try lab.announcers() == ["s2"] }
        }
    }

    @Test func aFlappingAddressBecomesLastResort() throws {
        try withCluster(Self.square) { lab, cluster in
            try cluster.server.apply(Objects.service("web", ingress: ["\(Self.vip)"], policy: "Local"))
            func metric() throws -> Int? { try lab.list(VIP.self, of: "s1").first?.metric }
            for _ in 0..<4 {
                try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "r"), ("s2", "r")]))
                try eventually("s1 announces the VIP at metric 0") { try metric() == 0 }
                try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "t"), ("s2", "r")]))
                try eventually("s1 announces the VIP as last resort") { try metric() == 65534 }
            }
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "r"), ("s2", "r")]))
            try eventually("s1 reports the VIP as flapping") {
                try lab.list(VIP.self, of: "s1").first?.state == .flapping
            }
            #expect(try metric() == 65534)
            try eventually("c prefers s2") { try lab.announcers() == ["s2"] }
            try eventually("c routes to s1 and s2 again after the VIP was stable") {
                try lab.announcers() == ["s1", "s2"]
            }
        }
    }

    /// `kubernetes.proxyCheck`: no service is announced before the proxy is ready, and all are last resort while it fails
    /// later.
    @Test func servicesAreAnnouncedOnceTheProxyIsReady() throws {
        let flag = LabCluster.file("rules-are-there")
        let check = "proxyCheck: { exec: { command: [ test, -e, \(flag) ] }, interval: 100ms, rise: 1, fall: 1 }"
        let nodes = [
            Topology.Node("k", config: LabCluster.configuration),
            Topology.Node("s1", config: LabCluster.configuration.replacing(" }", with: ", \(check) }")),
        ]
        try withCluster(Topology(name: "pair", nodes: nodes, links: [Topology.Link("k", "s1")])) { lab, cluster in
            try cluster.server.apply(Objects.service("web", ingress: ["\(Self.vip)"], policy: "Local"))
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "r")]))
            try eventually("s1 knows of the service") { try lab.list(VIP.self, of: "s1").count == 1 }
            usleep(500_000)
            #expect(try lab.list(VIP.self, of: "s1").first?.announced == false)
            #expect(try lab.route(from: "k") == nil, "k has no route to the VIP before the proxy is ready")
            try "".write(toFile: flag, atomically: true, encoding: .utf8)
            try eventually("k has a route to the VIP once the proxy is ready") {
                try lab.route(from: "k")?.metric == 10
            }
            try FileManager.default.removeItem(atPath: flag)
            try eventually("s1 announces the VIP as last resort while the proxy check fails") {
                try (lab.route(from: "k")?.metric ?? 0) > 65000
            }
            #expect(try lab.status(of: "s1").cluster?.problems.contains { $0.contains("not delivered") } == true)
        }
    }

    @Test func addressesOfNodesAreNotPlacedForAService() throws {
        try withCluster(Self.square) { lab, cluster in
            let nodeAddresses = ["k", "s2"].map { lab.addresses.address(of: $0) }
            // `nil` while the agent starts and does not answer yet.
            func problems(of node: String) -> [String]? { try? lab.status(of: node).cluster?.problems }
            let external = nodeAddresses.map(\.description) + ["\(Self.vip)"]
            try cluster.server.apply(Objects.service("thief", external: external))
            try cluster.server.apply(Objects.slice("thief-1", of: "thief", [("s1", "r")]))
            for node in ["s1", "s2", "c"] {
                try eventually("\(node) announces only the address that is of no node") {
                    try lab.list(VIP.self, of: node).map(\.address) == ["\(Self.vip)"]
                }
            }
            // An agent that starts with saved objects does not place them either, although it knows no other node of the mesh
            // yet.
            try eventually("s1 has saved its objects") {
                let file = LabCluster.file("s1/cluster/services.json")
                return (try? String(contentsOfFile: file, encoding: .utf8))?.contains("thief") == true
            }
            try lab.stop("s1", kill: true)
            try lab.start(["s1"])
            for node in ["s1", "s2", "c"] {
                try eventually("\(node) reports the addresses of nodes") {
                    problems(of: node)?.count { $0.contains("is the address of a node") } == nodeAddresses.count
                }
            }
            for address in nodeAddresses {
                #expect(try lab.nextHopCount(from: "c", to: address) > 0)
                #expect(
                    !(try lab.command(on: "s1", ["ip", "address", "show", "dev", "lo"]).run().contains("\(address)/")))
            }
            try cluster.server.delete("/api/v1/namespaces/default/services/thief")
            for node in ["s1", "s2", "c"] {
                try eventually("\(node) reports no problem after the service is deleted") {
                    problems(of: node)?.isEmpty == true
                }
            }
        }
    }

    /// On a LAN that is not part of the mesh, `s1` is 10.70.0.1, and `k` with the API server is 10.70.0.2, by which the server
    /// is reached. A service has the addresses of all Nodes, as from `servicelb` of k3s.
    @Test func addressesOfMachinesOnALANAreNotPlacedForAService() throws {
        let nodes = ["k", "s1"].map { Topology.Node($0, config: LabCluster.configuration) }
        let pair = Topology(name: "pair", nodes: nodes, links: [Topology.Link("k", "s1")])
        var cluster: LabCluster?
        defer { try? cluster?.server.close().wait() }
        try withLab(
            pair,
            beforeStart: { lab in
                cluster = try LabCluster(lab, on: "k")
                try cluster!.useLAN(in: lab, of: "s1", at: "10.70.0.1", serverAt: "10.70.0.2")
            }
        ) { lab in
            let server = cluster!.server
            try lab.waitForRoutes(limit: .seconds(20))
            // `far` is the address of a Node without a machine in the lab; `printer` that of a machine that is no Node, which
            // is in the neighbor table of `s1`.
            let (far, printer) = ("10.70.0.9", "10.70.0.7")
            try lab.command(
                on: "s1",
                ["ip", "neigh", "add", printer, "lladdr", "02:00:00:00:00:07", "dev", "lan0", "nud", "permanent"]
            ).run()
            try server.apply(Objects.node("far", addresses: [far]))
            let nodeAddresses = ["10.70.0.1", "10.70.0.2", far]
            try server.apply(Objects.service("thief", ingress: nodeAddresses + ["172.30.9.1"]))
            try server.apply(Objects.slice("thief-1", of: "thief", family: "IPv4", [("s1", "r"), ("k", "r")]))
            try server.apply(Objects.service("print", ingress: [printer], policy: "Local"))
            try server.apply(Objects.slice("print-1", of: "print", family: "IPv4", [("s1", "r")]))

            func placesOnlyAllowedAddresses(_ node: String) throws -> Bool {
                guard let status = try? lab.status(of: node), status.cluster?.connected == true else { return false }
                let problems = status.cluster?.problems ?? []
                let areReported = nodeAddresses.allSatisfy { address in
                    problems.contains { $0.hasPrefix("default/thief: \(address) is the address of a node") }
                }
                let loopback = try lab.command(on: node, ["ip", "-4", "address", "show", "dev", "lo"]).run()
                return areReported && loopback.contains("172.30.9.1/") && !loopback.contains("10.70.0.")
            }
            func isPrinterReported() throws -> Bool {
                try lab.status(of: "s1").problems?.contains {
                    $0.subject == printer && $0.problem.contains("another machine has it: 02:00:00:00:00:07 on lan0")
                } == true
            }
            for node in ["k", "s1"] {
                try eventually("\(node) places only the allowed address, and reports the others") {
                    try placesOnlyAllowedAddresses(node)
                }
            }
            try eventually("s1 reports that the printer has the address") { try isPrinterReported() }
            // The same holds for an agent that starts with saved objects.
            try eventually("s1 has saved its objects") {
                let file = LabCluster.file("s1/cluster/services.json")
                return (try? String(contentsOfFile: file, encoding: .utf8))?.contains("print") == true
            }
            try lab.stop("s1", kill: true)
            try lab.start(["s1"])
            try eventually("s1 places and reports the same after a restart") {
                try placesOnlyAllowedAddresses("s1") && isPrinterReported()
            }

            // The printer is removed, so its service may have the address.
            try lab.command(on: "s1", ["ip", "neigh", "del", printer, "dev", "lan0"]).run()
            try eventually("s1 places the address after the printer is removed") {
                try lab.command(on: "s1", ["ip", "address", "show", "dev", "lo"]).run().contains("\(printer)/")
            }
            // The API server is still reached: agents learn that the services are deleted.
            for service in ["thief", "print"] { try server.delete("/api/v1/namespaces/default/services/\(service)") }
            for node in ["k", "s1"] {
                try eventually("\(node) reports no problem after the services are deleted") {
                    try lab.status(of: node).cluster?.problems.isEmpty == true
                }
            }
        }
    }

    /// For each address that is removed the kernel scans all routes, but hellos are not delayed beyond the dead interval.
    @Test func removingThousandsOfAddressesKeepsAllNeighbors() throws {
        try withCluster(Self.square) { lab, cluster in
            let nodes = ["k", "s1", "s2", "c"]
            let addresses = (1...3000).map { "2001:db8:aa::\(String($0, radix: 16))" }
            try cluster.server.apply(Objects.slice(Self.webSlice, of: "web", [("s1", "r")]))
            try cluster.server.apply(Objects.service("web", ingress: addresses))
            for node in nodes {
                try eventually("\(node) announces all addresses") {
                    try lab.list(VIP.self, of: node).count == addresses.count
                }
            }
            let start = ContinuousClock.now
            try cluster.server.delete("/api/v1/namespaces/default/services/web")
            for node in nodes {
                try eventually("\(node) has removed all addresses from lo") {
                    try !lab.command(on: node, ["ip", "address", "show", "dev", "lo"]).run().contains("2001:db8:aa::")
                }
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            for node in nodes {
                let youngest = try lab.list(Neighbor.self, of: node).map(\.age).min() ?? 0
                #expect(youngest > seconds, "\(node) keeps all its neighbors")
            }
        }
    }

    /// `kubernetes.offerPodCIDRs`, which only s1 has.
    @Test func aNodeWithoutPodCIDRsGetsItsPodPrefixWhereConfigured() throws {
        func node(_ name: String, _ cluster: String) -> Topology.Node {
            let file = LabCluster.file("\(name)/net.d/10-kubermesh.conflist")
            return Topology.Node(name, config: "cni: { file: \"\(file)\" }\n\(cluster)")
        }
        let nodes = [
            node("k", LabCluster.configuration),
            node("s1", LabCluster.configuration.replacing(" }", with: ", offerPodCIDRs: on }")),
        ]
        try withCluster(Topology(name: "pair", nodes: nodes, links: [Topology.Link("k", "s1")])) { lab, cluster in
            let podPrefix = lab.addresses.podPrefix(of: "s1").description
            try eventually("s1 writes its pod prefix to its Node") {
                cluster.server.object("/api/v1/nodes/s1")?["spec"]?["podCIDRs"] == [.string(podPrefix)]
            }
            try eventually("s1 reports its pod prefix as podCIDRs") {
                try lab.status(of: "s1").cluster?.podCIDRs == [podPrefix]
            }
            #expect(cluster.server.object("/api/v1/nodes/k")?["spec"]?["podCIDRs"] == nil, "k offers nothing")
        }
    }
}

extension LabCluster {
    /// Connects the server's node and another node by a LAN, which is no link of the mesh, and gives both Nodes their addresses
    /// on it. The kubeconfig then names the server's address on the LAN.
    fileprivate func useLAN(in lab: Lab, of node: String, at address: String, serverAt serverAddress: String) throws {
        let peer = lab.namespace(of: node).name
        try lab.command(on: host, ["ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan0", "netns", peer])
            .run()
        for (name, own) in [(host, serverAddress), (node, address)] {
            try lab.command(on: name, ["ip", "address", "add", "\(own)/24", "dev", "lan0"]).run()
            try lab.command(on: name, ["ip", "link", "set", "lan0", "up"]).run()
            try server.apply(Objects.node(name, addresses: [own]))
        }
        // TLS is not verified, because the server's certificate is for its address in the mesh.
        try """
        current-context: lab
        contexts: [{name: lab, context: {cluster: lab, user: lab}}]
        users: [{name: lab, user: {token: t}}]
        clusters: [{name: lab, cluster: {server: "https://\(serverAddress):6443", insecure-skip-tls-verify: true}}]
        """.write(toFile: "\(lab.directory)/kubeconfig", atomically: true, encoding: .utf8)
    }
}

/// Records changes of routes, next hops and addresses in the kernels of some nodes.
struct KernelMonitors {
    private var monitors: [String: RunningCommand] = [:]

    init(of lab: Lab, _ nodes: [String]) throws {
        for node in nodes {
            monitors[node] = try lab.command(on: node, ["ip", "monitor", "route", "nexthop", "address"]).spawn()
        }
    }

    /// Stops, and returns the notifications of each node that had any; without next hops for forwarding tables, which no route can
    /// use: an agent that starts tries with them what the kernel has.
    func changes() throws -> [String: String] {
        for monitor in monitors.values { monitor.signal(SIGTERM) }
        return try monitors.mapValues { monitor in
            try monitor.finish().text.split(separator: "\n").filter { !$0.contains("proto 71 fdb") }.joined(
                separator: "\n")
        }.filter { !$0.value.isEmpty }
    }
}

extension Lab {
    /// The announcers to which `c` routes the VIP.
    fileprivate func announcers() throws -> [String] {
        try list(Route.self, of: "c").first { $0.prefix.hasPrefix("2001:db8:aa::1/") }?.nodes.sorted() ?? []
    }

    /// A node's route to the VIP; `nil` if it has none.
    fileprivate func route(from node: String) throws -> Route? {
        try list(Route.self, of: node).first { $0.prefix.hasPrefix("2001:db8:aa::1/") }
    }

    /// Connects to port 80 of an address from a node. Returns the answer.
    fileprivate func dial(_ address: IPv6Address, from node: String) throws -> String {
        try command(on: node, [Binaries.path(of: "meshlab"), "dial", "\(address)", "80"]).run()
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The number of next hops to an address in the kernel of a node.
    fileprivate func nextHopCount(from node: String, to address: IPv6Address) throws -> Int {
        try kernelNextHops(of: node)[IPv6Prefix(host: address)]?.count ?? 0
    }
}
