import Addressing
import ControlAPI
import Glibc
import Lab
import Testing

extension Interoperability {
    /// Authentication trailers (RFC 7166) between agents, FRR and BIRD.
    @Suite struct AuthenticationTrailers {
        typealias Key = (id: Int, algorithm: String, secret: String)

        static let algorithms = ["hmac-sha-1", "hmac-sha-256", "hmac-sha-384", "hmac-sha-512"]
        static let secret = "correct-horse"

        private static func keyFile(_ node: String) -> String { "/tmp/kubermesh-\(getpid())-\(node).keys" }

        /// An agent whose keys are in a file of its own.
        private static func agent(_ name: String, required: Bool = true) -> Topology.Node {
            .quick(name, .meshd, config: "auth: { keys: \(keyFile(name)), required: \(required) }")
        }

        /// Replaces a node's key file at once, as an editor does.
        private static func write(_ keys: [Key], for node: String, isForFRR: Bool = false) throws {
            var text = "keys:\n"
            for key in keys {
                text += "- { id: \(key.id), algorithm: \(key.algorithm), secret: \"\(key.secret)\", "
                text += "compatibility: \(isForFRR ? "frr" : "rfc7166") }\n"
            }
            let path = keyFile(node)
            unlink(path + ".new")
            let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_EXCL, 0o600)
            try #require(descriptor >= 0)
            #expect(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
            close(descriptor)
            try #require(rename(path + ".new", path) == 0)
        }

        private static func peer(_ kind: Topology.RouterKind, _ key: Key) -> Topology.Node {
            guard kind == .bird else {
                return .quick(
                    "n2", .frr,
                    config: """
                        exit
                        interface cluster0
                         ipv6 ospf6 authentication key-id \(key.id) hash-algo \(key.algorithm) key \(key.secret)
                        """)
            }
            let algorithm = "hmac sha" + key.algorithm.dropFirst("hmac-sha-".count)
            return Topology.Node(
                "n2", router: .bird,
                config: """
                    log stderr all;
                    router id 10.9.9.2;
                    protocol device { scan time 1; }
                    protocol kernel { ipv6 { export where source = RTS_OSPF; }; }
                    protocol ospf v3 mesh {
                        ipv6 { import all; export none; };
                        area 0 {
                            interface "cluster*" {
                                type ptp; hello 1; dead 4; retransmit 2; authentication cryptographic;
                                password "\(key.secret)" { id \(key.id); algorithm \(algorithm); };
                            };
                            interface "node0" { stub yes; cost 1; };
                        };
                    }
                    """, configIsWhole: true)
        }

        private func withKeys(
            _ nodes: [String], _ keys: [Key], _ topology: Topology, _ body: (inout Lab) throws -> Void
        ) throws {
            let isForFRR = topology.nodes.contains { $0.router == .frr }
            for node in nodes { try Self.write(keys, for: node, isForFRR: isForFRR) }
            defer { for node in nodes { unlink(Self.keyFile(node)) } }
            try withLab(topology, body)
        }

        private func auth(_ lab: Lab, of node: String) throws -> [Authentication] {
            try lab.list(Authentication.self, of: node)
        }

        /// Debian's FRR has SHA-256 alone.
        @Test(
            .timeLimit(.minutes(2)),
            arguments: [(Topology.RouterKind.frr, "hmac-sha-256")] + algorithms.map { (.bird, $0) })
        func everyCommonAlgorithmWorks(other: Topology.RouterKind, algorithm: String) throws {
            let key = (id: 7, algorithm: algorithm, secret: Self.secret)
            try withKeys(["n1"], [key], .pair(Self.agent("n1"), Self.peer(other, key))) { lab in
                try lab.waitUntilConverged()
                #expect(try lab.canReach(from: "n1", to: lab.addresses.address(of: "n2")))
                let neighbor = try #require(try auth(lab, of: "n1").first { $0.kind == "neighbor" })
                #expect(neighbor.key == 7 && neighbor.state == "authentic")
                // A restart uses larger sequence numbers: the other end does not have to forget this one first.
                try lab.stop("n1", kill: true)
                try lab.start(["n1"])
                try lab.waitUntilConverged()
                #expect(try auth(lab, of: "n1").allSatisfy { $0.kind != "refused" })
            }
        }

        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.frr, .bird])
        func aWrongSecretKeepsARouterOut(other: Topology.RouterKind) throws {
            let key = (id: 7, algorithm: "hmac-sha-256", secret: Self.secret)
            let wrong = (id: 7, algorithm: "hmac-sha-256", secret: "wrong")
            try withKeys(["n1"], [key], .pair(Self.agent("n1"), Self.peer(other, wrong))) { lab in
                try eventually {
                    let refused = try auth(lab, of: "n1").filter { $0.kind == "refused" }
                    let isTold = refused.map(\.state) == ["digest"] && refused.map(\.key) == [7]
                    return isTold && (refused[0].packets ?? 0) > 5 ? nil : "\(refused)"
                }
                #expect(try lab.neighbors(of: "n1").isEmpty)
                // Once the secret is right, it joins.
                try Self.write([wrong], for: "n1", isForFRR: other == .frr)
                kill(try #require(lab.process(of: "n1")), SIGHUP)
                try lab.waitUntilConverged()
            }
        }

        /// Three agents in a ring get a new key, one node after the other, in the three steps of the manual. No adjacency is lost.
        @Test(.timeLimit(.minutes(2))) func keysRollOverWithoutLosingAnAdjacency() throws {
            let names = ["n1", "n2", "n3"]
            let old = (id: 1, algorithm: "hmac-sha-1", secret: "old")
            let new = (id: 2, algorithm: "hmac-sha-512", secret: "new")
            let ring = Topology(
                name: "ring", nodes: names.map { Self.agent($0) },
                links: [Topology.Link("n1", "n2"), Topology.Link("n2", "n3"), Topology.Link("n3", "n1")])
            try withKeys(names, [old], ring) { lab in
                try lab.waitUntilConverged()
                let changes = try names.map { try lab.list(Neighbor.self, of: $0).map(\.stateChanges) }
                for keys in [[old, new], [new, old], [new]] {
                    for name in names {
                        try Self.write(keys, for: name)
                        kill(try #require(lab.process(of: name)), SIGHUP)
                        try eventually {
                            let list = try auth(lab, of: name).filter { $0.kind == "key" }
                            return list.compactMap(\.key) == keys.map(\.id) ? nil : "\(list)"
                        }
                    }
                }
                try eventually {
                    let neighbors = try names.flatMap { try auth(lab, of: $0).filter { $0.kind == "neighbor" } }
                    return neighbors.count == 6 && neighbors.allSatisfy { $0.key == 2 } ? nil : "\(neighbors)"
                }
                #expect(try names.map { try lab.list(Neighbor.self, of: $0).map(\.stateChanges) } == changes)
                for name in names {
                    let list = try auth(lab, of: name)
                    #expect(list.allSatisfy { $0.kind != "refused" })
                    #expect(list[0].kind == "policy" && list[0].state == "required")
                    #expect(list[0].file == Self.keyFile(name))
                }
            }
        }

        /// With `required: false`, a router without keys is a neighbor, and a problem names it; when it has the key, the problem ends.
        @Test(.timeLimit(.minutes(2))) func optionalAuthenticationSaysWhoComesWithout() throws {
            let key = (id: 7, algorithm: "hmac-sha-256", secret: Self.secret)
            let nodes = [Self.agent("n1", required: false), Topology.Node.quick("n2", .meshd), Self.agent("n3")]
            let line = Topology(
                name: "line", nodes: nodes, links: [Topology.Link("n1", "n2"), Topology.Link("n2", "n3")])
            try withKeys(["n1", "n3"], [key], line) { lab in
                func problems(_ node: String) throws -> [String] {
                    (try lab.status(of: node).problems ?? []).filter { $0.kind == "unauthenticRouter" }.map(\.problem)
                }
                try eventually {
                    let full = try lab.neighbors(of: "n1").map(\.state)
                    let accepted = try problems("n1"), refused = try problems("n3")
                    let isTold = accepted.count == 1 && accepted[0].hasPrefix("n2 (") && refused.count == 1
                    return full == ["Full"] && isTold ? nil : "\(full) \(accepted) \(refused)"
                }
                #expect(try lab.neighbors(of: "n3").isEmpty)
                #expect(try problems("n3")[0].hasPrefix("a router without our key on cluster0 is refused: fe80::"))
            }
        }
    }
}
