import Addressing
import ControlAPI
import Glibc
import Lab
import Testing

extension Interoperability {
    /// Sessions of BFD between agents, with FRR's bfdd and with BIRD. Hellos are missed only after a minute and nobody is asked by echo
    /// requests, so whatever is noticed is noticed by BFD.
    @Suite struct BFDSessions {
        /// The configuration of an agent.
        private static func agent(_ bfd: String = "on", dead: Int = 60, more: String = "") -> String {
            "interfaces: [ \(rule(bfd, dead: dead)) ]\n\(more)"
        }

        private static func rule(_ bfd: String, dead: Int, on ports: String = "cluster*") -> String {
            "{ match: \"\(ports)\", type: p2p, hello: 1s, dead: \(dead)s, retransmit: 1s, liveness: off, bfd: \(bfd) }"
        }

        private static func options(dead: Int) -> Topology.OSPFOptions {
            Topology.OSPFOptions(type: "p2p", hello: 1, dead: dead, retransmit: 1)
        }

        /// A router with sessions every 100 ms; BIRD, every `interval` ms. It is dead for the other end after `multiplier` of these.
        private static func router(
            _ name: String, _ kind: Topology.RouterKind, dead: Int = 60, multiplier: Int = 3, interval: Int = 100,
            password: String = ""
        ) -> Topology.Node {
            switch kind {
            case .frr:
                return .quick(
                    name, .frr, options(dead: dead),
                    config: """
                         graceful-restart helper enable
                        exit
                        interface cluster0
                         ipv6 ospf6 bfd
                         ipv6 ospf6 bfd profile mesh
                        bfd
                         profile mesh
                          receive-interval 100
                          transmit-interval 100
                          detect-multiplier \(multiplier)
                        """)
            case .bird:
                return Topology.Node(
                    name, router: .bird,
                    config: """
                        log stderr all;
                        router id 10.9.9.\(name.dropFirst());
                        protocol device { scan time 1; }
                        protocol kernel { ipv6 { export where source = RTS_OSPF; }; }
                        protocol bfd { interface "cluster*" { interval \(interval) ms; multiplier \(multiplier); \(password) }; }
                        protocol ospf v3 mesh {
                            ipv6 { import all; export none; };
                            area 0 {
                                interface "cluster*" { type ptp; hello 1; dead \(dead); retransmit 2; bfd yes; };
                                interface "node0" { stub yes; cost 1; };
                            };
                        }
                        """, configIsWhole: true)
            default:
                let bfd = multiplier == 3 ? "on" : "{ multiplier: \(multiplier) }"
                return Topology.Node(name, config: agent(bfd, dead: dead))
            }
        }

        private func withCable(
            _ first: String = agent(), _ second: Topology.Node, _ body: (inout Lab) throws -> Void
        ) throws {
            try withLab(.pair(Topology.Node("n1", config: first), second)) { lab in
                try lab.waitUntilConverged()
                try body(&lab)
            }
        }

        private func session(_ lab: Lab, of node: String = "n1", on port: String = "cluster0") throws -> BFDSession? {
            try lab.list(Neighbor.self, of: node).first { $0.interface == port }?.bfd
        }

        private func waitUntilUp(_ lab: Lab, of node: String = "n1") throws {
            try eventually {
                let session = try session(lab, of: node)
                let isUp = session?.state == "Up" && session?.remoteState == "Up" && session?.polling == false
                return isUp ? nil : "\(node) has \(String(describing: session))"
            }
        }

        private func state(_ lab: Lab, of node: String = "n1") throws -> String? {
            try lab.list(Neighbor.self, of: node).first?.state
        }

        /// Waits until the neighbor is, or is not, Full. Returns how long that took.
        @discardableResult private func waitUntil(
            isFull: Bool, _ lab: Lab, of node: String = "n1", _ limit: Duration = .seconds(20)
        ) throws -> Duration {
            let start = ContinuousClock.now
            try eventually(limit) {
                let state = try state(lab, of: node)
                return (state == "Full") == isFull ? nil : "\(node) has a neighbor in \(state ?? "no state")"
            }
            return ContinuousClock.now - start
        }

        /// Does something to what a node receives on a cable and what matches.
        private func filter(_ rule: String, at node: String, port: String = "cluster0", of lab: Lab) throws {
            let rules =
                "table netdev lie { chain in { type filter hook ingress device \(port) priority 0; \(rule); }; }"
            try lab.command(on: node, ["nft", "-f", "-"], input: rules).run()
        }

        private func endFilter(at node: String, of lab: Lab) throws {
            try lab.command(on: node, ["nft", "delete", "table", "netdev", "lie"]).run()
        }

        private func hasLogged(_ lab: Lab, _ text: String) throws -> Bool {
            try lab.status(of: "n1").events.contains { $0.message.contains(text) }
        }

        /// The other end's own view of its session.
        private func isUp(_ lab: Lab, at other: Topology.RouterKind) throws -> Bool {
            switch other {
            case .frr: try lab.vtysh("n2", "show bfd peers").contains("Status: up")
            case .bird: try lab.birdc("n2", "show bfd sessions").contains(" Up ")
            default: try session(lab, of: "n2")?.state == "Up"
            }
        }

        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.meshd, .frr, .bird])
        func aCableThatPassesNothingOrOneWayIsFoundByBFDAlone(other: Topology.RouterKind) throws {
            try withCable(Self.agent(), Self.router("n2", other)) { lab in
                // On a busy machine FRR may be late, and the session fail and return by itself just when the cable dies.
                var isFound = false
                for _ in 0..<3 where !isFound {
                    try eventually {
                        let session = try session(lab)
                        let isAsConfigured = session?.transmitInterval == 0.1 && session?.detectionTime == 0.3
                        return try session?.state == "Up" && isAsConfigured && isUp(lab, at: other)
                            ? nil : "n1 has \(String(describing: session))"
                    }
                    let known = try #require(try session(lab))
                    #expect(known.discriminator != 0 && known.remoteDiscriminator != 0)
                    try lab.fail("n1-n2", .silent)
                    let time = try waitUntil(isFull: false, lab)
                    print("BFD with \(other) found a dead cable after \(time)")
                    try eventually {
                        let hops = try lab.nextHops(at: "n1", "\(lab.addresses.address(of: "n2"))/128")
                        return hops == nil ? nil : "n1 has a route"
                    }
                    let failed = try #require(try session(lab))
                    // Whichever end finds it first.
                    let diagnostics = ["control detection time expired", "neighbor signaled session down"]
                    isFound =
                        try diagnostics.contains(failed.diagnostic) && failed.failures > known.failures
                        && diagnostics.contains { try hasLogged(lab, "Up to Down: \($0)") }
                        && lab.status(of: "n1").problems?.contains { $0.kind == "bfd" } == true
                    try lab.heal("n1-n2")
                    try waitUntilUp(lab)
                    try lab.waitUntilConverged()
                }
                #expect(isFound)
                #expect(try lab.status(of: "n1").problems?.contains { $0.kind == "bfd" } == false)

                // The agent hears everything, and the other end hears no BFD: it says so. On a busy machine the other end may be
                // late just then, and the agent be the first to find it.
                var hasSignaled = false
                for _ in 0..<3 where !hasSignaled {
                    try filter("udp dport 3784 drop", at: "n2", of: lab)
                    try waitUntil(isFull: false, lab)
                    hasSignaled = try hasLogged(
                        lab, "neighbor signaled session down (control detection time expired)")
                    try endFilter(at: "n2", of: lab)
                    try waitUntilUp(lab)
                    try lab.waitUntilConverged()
                }
                #expect(hasSignaled)
            }
        }

        /// The end of a session on purpose is no failure, at either end. A planned restart costs nothing, except beside FRR 8.4: it takes
        /// AdminDown for a failure (RFC 5882 §3.2: it must not), and finds the agent again afterwards. A process that dies is dead for BFD,
        /// and found at once.
        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.meshd, .frr, .bird])
        func aPlannedRestartLosesNoAdjacencyAndACrashIsFoundAtOnce(other: Topology.RouterKind) throws {
            var second = Self.router("n2", other)
            if other == .meshd {
                second.config = Self.agent(more: "ospf: { gracefulRestart: { strictLSAChecking: off } }")
            }
            try withCable(Self.agent(more: "node: { onStop: stay }"), second) { lab in
                try waitUntilUp(lab)
                try lab.stop("n1")
                let stopped = ContinuousClock.now
                var routes = true
                // Longer than the detection time, before and after the session has ended at the other end.
                while ContinuousClock.now < stopped + .seconds(4) {
                    if try lab.nextHops(at: "n2", "\(lab.addresses.address(of: "n1"))/128") == nil { routes = false }
                    usleep(50_000)
                }
                #expect(routes || other == .frr, "the other end keeps its route to n1")
                try lab.start(["n1"])
                try waitUntilUp(lab)
                try lab.waitUntilConverged()
                #expect(try isUp(lab, at: other))

                try lab.stop("n1", kill: true)
                try eventually {
                    try lab.nextHops(at: "n2", "\(lab.addresses.address(of: "n1"))/128") == nil ? nil : "n2 has a route"
                }
                try lab.start(["n1"])
                try waitUntilUp(lab)
                try lab.waitUntilConverged()
            }
        }

        /// What the agent does when the other end's BFD ends on purpose, and when it just dies while routing goes on.
        @Test(.timeLimit(.minutes(2))) func theEndOfBFDAtTheOtherEnd() throws {
            try withCable(Self.agent(dead: 3), Self.router("n2", .frr, dead: 3)) { lab in
                try waitUntilUp(lab)
                func pid() throws -> Int32 {
                    let text = try lab.command(on: "n2", ["cat", "\(lab.directory(of: "n2"))/frr/bfdd.pid"]).run()
                    return try #require(Int32(text.split(whereSeparator: \.isWhitespace).first ?? ""))
                }
                kill(try pid(), SIGKILL)
                try waitUntil(isFull: false, lab)
                // Its hellos list us all the time, so it is used again without BFD.
                try waitUntil(isFull: true, lab, .seconds(40))
                #expect(try hasLogged(lab, "hears us, and its BFD session stays down"))
                #expect(try lab.status(of: "n1").problems?.contains { $0.kind == "bfd" } == true)
            }
            // An agent whose configuration is changed ends its sessions on purpose.
            try withCable(Self.agent(), Self.router("n2", .meshd)) { lab in
                try waitUntilUp(lab)
                let file = "\(lab.directory(of: "n2"))/kubermesh.yaml"
                let whole = try lab.command(on: "n2", ["cat", file]).run()
                func set(_ bfd: String) throws {
                    let text = whole.replacing("bfd: 'on'", with: bfd).replacing("bfd: on", with: bfd)
                    try lab.command(on: "n2", ["tee", file], input: text).run()
                    kill(try #require(lab.process(of: "n2")), SIGHUP)
                }
                try set("bfd: off")
                try eventually { try session(lab)?.state == "Down" ? nil : "the session is Up" }
                #expect(try session(lab)?.remoteState == "AdminDown" && state(lab) == "Full")
                #expect(try hasLogged(lab, "the neighbor has ended it (AdminDown), which is no failure"))
                try set("bfd: on")
                try waitUntilUp(lab)
                #expect(try state(lab) == "Full")
            }
        }

        /// Sessions every 10 ms with BIRD, which is suspended, ends its sessions without a word (as it does when it is told to), dies,
        /// and comes back each time.
        @Test(.timeLimit(.minutes(2))) func fastSessionsWithBIRDEndAndComeBack() throws {
            let other = Self.router("n2", .bird, multiplier: 10, interval: 10)
            try withCable(Self.agent("{ interval: 10ms, multiplier: 10 }"), other) { lab in
                try waitUntilUp(lab)
                let known = try #require(try session(lab))
                #expect(known.transmitInterval == 0.01 && known.detectionTime == 0.1)

                let process = try #require(lab.process(of: "n2"))
                kill(process, SIGSTOP)
                // A stopped process does not end with the lab.
                defer { kill(process, SIGCONT) }
                print("BFD every 10 ms found that BIRD was suspended after \(try waitUntil(isFull: false, lab))")
                #expect(try hasLogged(lab, "Up to Down: control detection time expired"))
                kill(process, SIGCONT)
                try waitUntilUp(lab)
                try waitUntil(isFull: true, lab)

                _ = try lab.birdc("n2", "disable bfd1")
                try eventually { try session(lab)?.state == "Down" ? nil : "the session is Up" }
                _ = try lab.birdc("n2", "enable bfd1")
                try waitUntilUp(lab)
                try waitUntil(isFull: true, lab)

                try lab.stop("n2", kill: true)
                try waitUntil(isFull: false, lab)
                try lab.start(["n2"])
                try waitUntilUp(lab)
                try lab.waitUntilConverged()
                #expect(try isUp(lab, at: .bird) && session(lab)?.detectionTime == 0.1)
            }
        }

        /// Changes of the configuration reach the other end without losing the session.
        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.meshd, .frr, .bird])
        func intervalsChangeWhileTheSessionIsUp(other: Topology.RouterKind) throws {
            let bfd = "{ interval: 100ms, multiplier: 10 }"
            try withCable(Self.agent(bfd), Self.router("n2", other, multiplier: 10)) { lab in
                try waitUntilUp(lab)
                let file = "\(lab.directory(of: "n1"))/kubermesh.yaml"
                let whole = try lab.command(on: "n1", ["cat", file]).run()
                try #require(whole.contains("interval: 100ms"))
                for interval in [300, 50, 1500, 60] {
                    let text = whole.replacing("interval: 100ms", with: "interval: \(interval)ms")
                    try lab.command(on: "n1", ["tee", file], input: text).run()
                    kill(try #require(lab.process(of: "n1")), SIGHUP)
                    try eventually {
                        let known = try session(lab)
                        let agreed = Double(max(interval, 100)) / 1000
                        let isRight =
                            known?.transmitInterval == agreed
                            && known?.detectionTime.map { abs($0 - 10 * agreed) < 1e-6 } == true
                            && known?.polling == false
                        return isRight ? nil : "\(String(describing: known))"
                    }
                }
                #expect(try session(lab)?.failures == 0 && session(lab)?.establishments == 1)
                #expect(try isUp(lab, at: other))
            }
        }

        /// An agent with a BIRD for each type. FRR has no authentication of BFD.
        @Test(.timeLimit(.minutes(2))) func everyTypeOfAuthenticationWorksWithBIRD() throws {
            let path = "/tmp/kubermesh-\(getpid())-bfd.key"
            func write(_ key: String) throws {
                unlink(path)
                let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
                try #require(descriptor >= 0)
                #expect(Glibc.write(descriptor, key, key.utf8.count) == key.utf8.count)
                close(descriptor)
            }
            try write("wrong\n")
            defer { unlink(path) }
            var rules: [String] = []
            var others: [Topology.Node] = []
            for (number, (type, name)) in Self.types.enumerated() {
                rules.append(
                    Self.rule(
                        "{ auth: { type: \(type), id: 5, keyFile: \(path) } }", dead: 4, on: "cluster\(number)"))
                others.append(
                    Self.router(
                        "n\(number + 2)", .bird, dead: 4,
                        password: "authentication \(name); password \"secret\" { id 5; };"))
            }
            let agent = Topology.Node("n1", config: "interfaces: [ \(rules.joined(separator: ", ")) ]")
            var topology = Topology(
                name: "star", nodes: [agent] + others, links: others.map { Topology.Link("n1", $0.name) })
            topology.shape = .free
            try withLab(topology) { lab in
                try lab.waitUntilConverged()
                func refused(_ reason: String) throws -> Int {
                    let metrics = try lab.command(on: "n1", ["curl", "-s", "http://[::1]:9179/metrics"]).run()
                    let line = metrics.split(separator: "\n").first {
                        $0.hasPrefix("kubermesh_bfd_packets_refused_total{reason=\"\(reason)\"}")
                    }
                    return line.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
                }
                func waitUntilAllAreUp() throws {
                    try eventually {
                        let states = try lab.list(Neighbor.self, of: "n1").map {
                            "\($0.interface) \($0.bfd?.state ?? "")"
                        }
                        let areUp = states.count == Self.types.count && states.allSatisfy { $0.hasSuffix(" Up") }
                        return areUp ? nil : "\(states)"
                    }
                }
                // Each BIRD sends one packet a second.
                let enough = 3 * Self.types.count
                try eventually { try refused("wrongDigest") > enough ? nil : "few packets are refused" }
                let neighbors = try lab.list(Neighbor.self, of: "n1")
                #expect(neighbors.count == Self.types.count)
                #expect(neighbors.allSatisfy { $0.state == "Full" && $0.bfd?.state == "Down" && $0.bfd?.received == 0 })
                try write("secret\n")
                kill(try #require(lab.process(of: "n1")), SIGHUP)
                try waitUntilAllAreUp()
                // A new agent's sequence numbers are accepted soon, where they must grow with each packet and where they need not.
                try lab.stop("n1", kill: true)
                try lab.start(["n1"])
                try waitUntilAllAreUp()
                #expect(try refused("wrongDigest") == 0)
            }
        }

        /// The types of authentication, each as the agent and as BIRD calls it.
        private static let types = [
            ("password", "simple"), ("md5", "keyed md5"), ("meticulous-md5", "meticulous keyed md5"),
            ("sha1", "keyed sha1"), ("meticulous-sha1", "meticulous keyed sha1"),
        ]

        @Test(.timeLimit(.minutes(2))) func aKeyFileThatOthersMayReadIsRefused() throws {
            let path = "/tmp/kubermesh-\(getpid())-open.key"
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            try #require(descriptor >= 0)
            #expect(write(descriptor, "secret", 6) == 6 && fchmod(descriptor, 0o644) == 0)
            close(descriptor)
            defer { unlink(path) }
            let bfd = "{ auth: { type: sha1, keyFile: \(path) } }"
            try withCable(Self.agent(bfd), Topology.Node("n2", config: Self.agent())) { lab in
                try eventually {
                    try hasLogged(lab, "other users may read or change it") ? nil : "the log does not say so"
                }
                #expect(try state(lab) == "Full" && session(lab) == nil)
                #expect(try lab.status(of: "n1").problems?.contains { $0.kind == "bfd" } == true)
                #expect(chmod(path, 0o600) == 0)
                try eventually(.seconds(30)) { try session(lab) == nil ? "there is no session" : nil }
            }
        }

        /// A packet from another link has a smaller hop limit. The other end is passive, and a session begins all the same.
        @Test(.timeLimit(.minutes(2))) func packetsFromOtherLinksAreRefused() throws {
            try withCable(Self.agent(), Topology.Node("n2", config: Self.agent("{ passive: true }"))) { lab in
                try waitUntilUp(lab)
                try filter("udp dport 3784 ip6 hoplimit set 254", at: "n1", of: lab)
                try waitUntil(isFull: false, lab)
                let metrics = try lab.command(on: "n1", ["curl", "-s", "http://[::1]:9179/metrics"]).run()
                #expect(metrics.contains("kubermesh_bfd_packets_refused_total{reason=\"hopLimit\"}"))
                #expect(!metrics.contains("kubermesh_bfd_packets_refused_total{reason=\"hopLimit\"} 0\n"))
                #expect(metrics.contains("kubermesh_bfd_session_up{interface=\"cluster0\",neighbor=\"n2\""))
                let wide = try lab.command(
                    on: "n1",
                    [
                        try Binaries.path(of: "meshctl"), "--socket", lab.controlSocket(of: "n1"), "neighbors", "-o",
                        "wide",
                    ]
                ).run()
                #expect(wide.contains(" BFD ") && wide.contains(" Down "))
                try endFilter(at: "n1", of: lab)
                try waitUntilUp(lab)
            }
        }

        /// Wireshark decodes all packets of an agent, with and without authentication, and has nothing to say about them.
        @Test(.timeLimit(.minutes(2)), arguments: ["on", "auth"]) func wiresharkReadsOurPackets(bfd: String) throws {
            let path = "/tmp/kubermesh-\(getpid())-capture.key"
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            #expect(write(descriptor, "secret", 6) == 6)
            close(descriptor)
            defer { unlink(path) }
            let rule = bfd == "on" ? "on" : "{ auth: { type: meticulous-sha1, keyFile: \(path) } }"
            let nodes = ["n1", "n2"].map { Topology.Node($0, config: Self.agent(rule)) }
            try withLab(.pair(nodes[0], nodes[1]), start: false) { lab in
                let file = "\(lab.directory)/capture.pcapng"
                let capture = try lab.command(
                    on: "n1", ["dumpcap", "-q", "-i", "cluster0", "-f", "udp", "-w", file]
                ).spawn()
                try eventually { (try? Command(["test", "-s", file]).run()) == nil ? "dumpcap does not write" : nil }
                try lab.startRouters()
                try lab.waitUntilConverged()
                try waitUntilUp(lab)
                try eventually { try session(lab)!.received > 20 ? nil : "few packets" }
                try lab.stop("n1")
                // The end of the session is told, and dumpcap writes with some delay.
                try eventually { try self.packets(in: file).contains { $0.state == "0x00" } ? nil : "no AdminDown" }
                capture.signal(SIGINT)
                _ = try capture.finish()
                let packets = try self.packets(in: file)
                #expect(packets.count > 40)
                let states = Set(packets.map(\.state))
                #expect(states.isSuperset(of: ["0x00", "0x01", "0x02", "0x03"]), "all states were sent: \(states)")
                #expect(packets.allSatisfy { $0.authentication == (bfd == "on" ? "" : "5") && $0.hopLimit == "255" })
                #expect(packets.allSatisfy { (49152...65535).contains(Int($0.sourcePort) ?? 0) })
                let bad = packets.filter { !$0.problems.isEmpty }
                #expect(bad.isEmpty, "\(bad.prefix(3))")
            }
        }

        /// The fields that tshark prints of a packet. `problems` are malformed parts and expert messages.
        private struct Packet {
            var state: String
            var authentication: String
            var hopLimit: String
            var sourcePort: String
            var problems: String
        }

        private func packets(in file: String) throws -> [Packet] {
            let text = try Command(
                [
                    "tshark", "-r", file, "-Y", "bfd", "-T", "fields", "-E", "separator=|", "-e", "bfd.sta", "-e",
                    "bfd.auth.type", "-e", "ipv6.hlim", "-e", "udp.srcport", "-e", "_ws.malformed", "-e",
                    "_ws.expert.message",
                ]
            ).run(limit: .seconds(60))
            return text.split(separator: "\n").map { line in
                let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                return Packet(
                    state: cells[0], authentication: cells[1], hopLimit: cells[2], sourcePort: cells[3],
                    problems: cells[4...].joined())
            }
        }

        /// Junk on the port of one cable harms no session on another.
        @Test(.timeLimit(.minutes(2))) func aFloodOnOnePortHarmsNoSessionOnAnother() throws {
            let names = ["n1", "n2", "n3"]
            var topology = Topology(
                name: "row", nodes: names.map { Topology.Node($0, config: Self.agent()) },
                links: [Topology.Link("n1", "n2"), Topology.Link("n1", "n3")])
            topology.shape = .free
            try withLab(topology) { lab in
                try lab.waitUntilConverged()
                try eventually {
                    let states = try lab.list(Neighbor.self, of: "n1").map { $0.bfd?.state }
                    return states == ["Up", "Up"] ? nil : "\(states)"
                }
                let target = lab.addresses.ports[1].first.linkLocalAddress
                let script = """
                    import socket, sys, time
                    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
                    to = ("\(target)", 3784, 0, socket.if_nametoindex("cluster0"))
                    end, sent = time.monotonic() + 2, 0
                    while time.monotonic() < end:
                        for _ in range(500):
                            s.sendto(bytes([32, 192, 3, 24, 0, 0, 0, 9, 1, 2, 3, 4]) + bytes(12), to)
                            sent += 1
                        time.sleep(0.005)
                    print(sent)
                    """
                let before = try #require(try session(lab))
                let sent = try lab.command(on: "n3", ["python3", "-c", script]).run(limit: .seconds(30))
                let after = try #require(try session(lab))
                print("junk packets of BFD in 2 s: \(sent)")
                #expect((Int(sent.split(separator: "\n").first ?? "") ?? 0) > 20_000)
                #expect(after.failures == before.failures && after.state == "Up")
                #expect(after.received > before.received + 12)
                #expect(try session(lab, of: "n2")?.failures == 0)
            }
        }
    }
}
