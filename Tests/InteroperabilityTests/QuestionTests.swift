import Addressing
import ControlAPI
import Glibc
import Lab
import MeshModel
import OSPFPacket
import Testing

extension Interoperability {
    /// Ask first, then do it: what the model of one node says is what all kernels then have.
    @Suite struct Questions {
        /// A next hop of a kernel: the port, and the node behind it.
        private struct Hop: Hashable, Comparable {
            var device: String
            var node: String
            static func < (left: Hop, right: Hop) -> Bool { (left.device, left.node) < (right.device, right.node) }
        }

        /// A square of agents with FRR at one side and BIRD at another.
        private static var mixed: Topology {
            let nodes: [Topology.Node] =
                ["a", "b", "c", "d"].map { .quick($0, .meshd) } + [.quick("f", .frr), .quick("g", .bird)]
            let links = [
                ("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("b", "f"), ("f", "c"), ("d", "g"), ("g", "a"),
            ]
            return Topology(name: "mixed", nodes: nodes, links: links.map { Topology.Link($0.0, $0.1) })
        }

        @Test(.timeLimit(.minutes(3))) func everySingleFailureIsAsPredicted() throws {
            try withLab(Self.mixed) { lab in
                try lab.waitUntilConverged()
                for link in lab.topology.links.indices {
                    let (one, other) = (lab.addresses.ports[link].first, lab.addresses.ports[link].second)
                    let model = try Self.model(of: "a", in: lab)
                    let routers = try Self.routers(of: lab)
                    var asked = model
                    let failure = try asked.failure(parsing: "\(routers[one.node]!)-\(routers[other.node]!)")
                    let after = try model.applying([failure])
                    #expect(try model.impact(of: [failure]).cutsOff == false)
                    try lab.fail("\(one.node)-\(other.node)", .carrier)
                    try eventually(.seconds(30)) { try Self.difference(after, lab, routers) }
                    try lab.heal("\(one.node)-\(other.node)")
                    try eventually(.seconds(30)) { try Self.difference(model, lab, routers) }
                }
                // a tells what it was, of cables far from it, too: c-d changes a way of d only, others those of a.
                let convergences = try lab.list(Event.self, of: "a").compactMap(\.convergence)
                #expect(convergences.allSatisfy { $0.calculatedAfter >= 0 && $0.installedAfter >= $0.calculatedAfter })
                let causes = Set(convergences.flatMap(\.causes))
                for text in ["router-LSA of b: link to c gone", "router-LSA of b: link to 10.0.0.5 gone"] {
                    #expect(causes.contains(text), "\(causes)")
                }
            }
        }

        /// The same questions on the command line, of an agent and of a file, with their exit codes.
        @Test(.timeLimit(.minutes(2))) func questionsOnTheCommandLine() throws {
            var topology = Topology.pair(.quick("n1", .meshd), .quick("n2", .meshd))
            topology.nodes += [.quick("n3", .meshd), .quick("n4", .meshd)]
            topology.links += [("n2", "n3"), ("n3", "n1"), ("n3", "n4")].map { Topology.Link($0.0, $0.1) }
            topology.shape = .free
            try withLab(topology) { lab in
                try lab.waitUntilConverged()
                let file = "\(lab.directory(of: "n1"))/mesh.json"
                func ask(_ arguments: String...) throws -> Command.Output {
                    let program = [try Binaries.path(of: "meshctl"), "--socket", lab.controlSocket(of: "n1")]
                    return try lab.command(on: "n1", program + arguments).output()
                }
                let way = try ask("path", "n2", "n4")
                #expect(way.status == 0 && way.text.contains("n2 to n4: cost 20, 1 way"), "\(way)")
                let none = try ask("path", "2001:db8:dead::1")
                #expect(none.status == 1 && none.text.contains("n1 has no way to 2001:db8:dead::1"), "\(none)")
                let safe = try ask("whatif", "--fail", "n1-n3")
                #expect(safe.status == 0 && safe.text.contains("nobody is cut off"), "\(safe)")
                #expect(safe.text.contains("of 12 ways between nodes, 4 get longer and 0 shorter"), "\(safe)")
                let cut = try ask("whatif", "--fail", "n3")
                #expect(cut.status == 1 && cut.text.contains("n4: cut off from n1, n2"), "\(cut)")
                let all = try ask("whatif", "--all-single")
                #expect(all.status == 1 && all.text.contains("2 single points of failure"), "\(all)")
                #expect(all.text.contains("n3") && all.text.contains("cable n3-n4"), "\(all)")
                let added = try ask("whatif", "--add", "n1-n4", "--fail", "n3-n4")
                #expect(added.status == 0, "\(added)")
                // What is added may fail, too.
                #expect(try ask("whatif", "--add", "n1-n4", "--fail", "n3-n4", "--fail", "n1-n4").status == 1)
                #expect(try ask("topology").text.split(separator: "\n").count == 5)
                try lab.fail("n3-n4", .carrier)
                try eventually {
                    let events = try ask("events", "--kind", "convergence", "--since", "1h")
                    let text = "no route any more to n4; cause: router-LSA of n3: link to n4 gone"
                    return events.status == 0 && events.text.contains(text) ? nil : "\(events)"
                }
                #expect(try ask("events", "--kind", "log", "--no-headers").text.contains("adjacency with n3"))
                #expect(try ask("events", "--since", "0s").text.contains("No events."))
                #expect(try ask("events", "--since", "soon").status == 2)
                try lab.heal("n3-n4")
                try lab.waitUntilConverged()
                for format in ["dot", "mermaid", "json", "yaml"] {
                    let graph = try ask("topology", "-o", format)
                    #expect(graph.status == 0 && graph.text.contains("n4"), "\(graph)")
                }
                // The file answers like the agent, also when that is gone. Events are on disk within about a second, and outlive it.
                #expect(try ask("snapshot", "save", file).text.contains("4 nodes"))
                let events = "\(lab.directory(of: "n1"))/events"
                try eventually {
                    let output = try lab.command(on: "n1", ["grep", "-c", "no route any more to n4", events]).output()
                    return output.status == 0 ? nil : "the event is not on disk"
                }
                try lab.stop("n1", kill: true)
                let offline = try ask("whatif", "--snapshot", file, "--all-single")
                #expect(offline.status == 1 && offline.text == all.text)
                #expect(try ask("path", "--snapshot", file, "n2", "n4").text == way.text)
                #expect(try ask("whatif", "--all-single").status == 3)
                try lab.start(["n1"])
                try eventually {
                    let told = try ask("events", "--kind", "convergence")
                    return told.text.contains("no route any more to n4")
                        ? nil : "the events of the earlier run are gone"
                }
                // Mistakes are named.
                let mistakes = [
                    (["path", "n9"], 4), (["whatif"], 2), (["whatif", "--all-single", "--fail", "n1"], 2),
                    (["whatif", "--fail", "n1-n4"], 4), (["whatif", "--cost", "n1-n2=0"], 4),
                    (["whatif", "--fail", "n1:eth9"], 4), (["path", "--snapshot", "/dev/null", "n1"], 2),
                    (["path", "--snapshot", "/nowhere", "n1"], 4),
                ]
                for (arguments, status) in mistakes {
                    let snapshot =
                        arguments.contains("--snapshot") || arguments == ["whatif"] ? [] : ["--snapshot", file]
                    let program = [try Binaries.path(of: "meshctl")]
                    let output = try lab.command(on: "n1", program + arguments + snapshot).output()
                    #expect(output.status == status, "\(arguments): \(output)")
                }
            }
        }

        // MARK: - Helpers

        private static func model(of node: String, in lab: Lab) throws -> MeshModel {
            MeshModel(try lab.snapshot(of: node).octets.map { try OSPFPacket.LSA(octets: #require($0)) })
        }

        /// The router IDs of all nodes.
        private static func routers(of lab: Lab) throws -> [String: RouterID] {
            var result: [String: RouterID] = [:]
            for node in lab.topology.routers {
                let text =
                    node.router == .meshd
                    ? try lab.snapshot(of: node.name).routerID : lab.addresses.routerID(of: node.name).description
                result[node.name] = try #require(RouterID(text))
            }
            return result
        }

        /// A route of an agent that is not in its kernel as the model has it; `nil` if there is none.
        private static func difference(
            _ model: MeshModel, _ lab: Lab, _ routers: [String: RouterID]
        ) throws -> String? {
            var model = model
            let names = Dictionary(uniqueKeysWithValues: routers.map { ($1, $0) })
            var nodes: [IPv6Address: String] = [:]
            for ports in lab.addresses.ports {
                for port in [ports.first, ports.second] { nodes[port.linkLocalAddress] = port.node }
            }
            for node in lab.topology.routers where node.router == .meshd {
                let ports = try lab.snapshot(of: node.name).ports
                let devices = Dictionary(uniqueKeysWithValues: ports.map { (UInt32($0.interfaceID), $0.name) })
                let kernel = try lab.kernelNextHops(of: node.name)
                for (prefix, route) in model.routes(of: routers[node.name]!) {
                    let wanted = Set(
                        route.nextHops.map {
                            Hop(device: devices[$0.port.interfaceID] ?? "?", node: names[$0.next!.router] ?? "?")
                        })
                    let actual = Set(
                        (kernel[prefix] ?? []).map {
                            Hop(device: $0.device, node: $0.gateway.flatMap { nodes[$0] } ?? "-")
                        })
                    if wanted != actual {
                        return "\(node.name) has \(prefix) by \(actual.sorted()), and the model by \(wanted.sorted())"
                    }
                }
            }
            return nil
        }
    }
}
