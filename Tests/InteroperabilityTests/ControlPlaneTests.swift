import Addressing
import ControlAPI
import Glibc
import Lab
import Testing

extension Interoperability {
    /// Three control plane nodes announce one VIP while their server passes an HTTPS check. Whichever of them fails, and
    /// however, a client that connects again is served.
    @Suite struct ControlPlaneTests {
        /// How a control plane node fails.
        enum Failure: String, CaseIterable, CustomTestStringConvertible {
            /// `ownServer`: the server fails, and the client runs on the same node.
            case power, server, ownServer, serverFrozen, agentStopped, agentKilled, cable, silence

            var testDescription: String { rawValue }

            /// The longest time that a client may be without service, in seconds. A silent machine whose ports stay up is
            /// detected after the dead interval, 4 s, and a silent server after two checks, 2 × (200 ms + 500 ms) = 1.4 s.
            var limit: Double { [.silence: 6, .serverFrozen: 2.5][self] ?? 1 }
            /// How long the failure lasts, in microseconds.
            var length: UInt32 { isSlow ? 7_000_000 : 2_000_000 }
            /// Whether others react to it only after the dead interval. Then only one node fails, to save time.
            var isSlow: Bool { [.silence, .agentKilled].contains(self) }
        }

        @Test(.timeLimit(.minutes(4)), arguments: Failure.allCases)
        func aClientIsServedAfterEveryKindOfFailure(how failure: Failure) throws {
            let controlPlane = try ControlPlane()
            try withLab(controlPlane.topology()) { lab in
                var servers: [String: Int32] = [:]
                let nodes = ["cp1", "cp2", "cp3"]
                for node in nodes { servers[node] = try controlPlane.serve(on: node, of: lab) }
                let failingNodes = failure.isSlow ? [nodes[1]] : nodes
                for (node, worker) in zip(failingNodes, failure == .ownServer ? nodes : workers(of: failingNodes)) {
                    try waitForAnnouncers(nodes, lab)
                    let client = try controlPlane.connect(from: worker, of: lab)
                    defer { client.signal(SIGKILL) }
                    try eventually { Service(client.text).answers.count > 30 ? nil : "\(worker) is not served" }
                    try fail(node, failure, worker, servers[node], &lab)
                    usleep(failure.length)
                    // In the end other nodes serve the client. How long it waited is checked below.
                    if failure != .cable {
                        try eventually {
                            let last = Service(client.text).answers.suffix(20).map(\.node)
                            return last.contains(node) ? "\(worker) is still served by \(node): \(last)" : nil
                        }
                    }
                    client.signal(SIGTERM)
                    let service = Service(try client.finish().text)
                    print(
                        "\(failure.rawValue) of \(node): \(worker) waited \(Int(service.longestGap * 1000)) ms at most")
                    #expect(service.longestGap < failure.limit)
                    let after = Set(service.answers.suffix(20).map(\.node))
                    #expect(failure == .cable || !after.contains(node), "\(after)")
                    servers[node] = try restore(node, failure, controlPlane, servers[node], &lab)
                }
            }
        }

        /// For each control plane node, a worker that has a cable to it.
        private func workers(of nodes: [String]) -> [String] { nodes.map { $0.replacing("cp", with: "w") } }

        /// Waits until all these nodes announce the VIP and know of each other.
        private func waitForAnnouncers(_ nodes: [String], _ lab: Lab) throws {
            try lab.waitUntilSettled(limit: .seconds(40))
            try eventually {
                for node in nodes {
                    let vip = try lab.list(VIP.self, of: node).first
                    guard vip?.announced == true, vip?.others.count == nodes.count - 1 else {
                        return
                            "\(node) announces the VIP: \(vip?.announced ?? false), \(vip?.lastError ?? ""); others \(vip?.others ?? [])"
                    }
                }
                return nil
            }
        }

        private func links(of node: String, _ lab: Lab) -> [String] {
            lab.topology.links.filter { $0.first == node || $0.second == node }.map(\.name)
        }

        private func fail(
            _ node: String, _ failure: Failure, _ worker: String, _ server: Int32?, _ lab: inout Lab
        ) throws {
            switch failure {
            case .power: try lab.powerOff(node)
            case .server, .ownServer: kill(try #require(server), SIGKILL)
            case .serverFrozen: Lab.suspend([try #require(server)])
            case .agentStopped: try lab.stop(node)
            case .agentKilled: try lab.stop(node, kill: true)
            case .cable: try lab.fail("\(node)-\(worker)", .carrier)
            case .silence: for link in links(of: node, lab) { try lab.fail(link, .silent) }
            }
        }

        /// Repairs a node. Returns the process ID of its server.
        private func restore(
            _ node: String, _ failure: Failure, _ controlPlane: ControlPlane, _ server: Int32?, _ lab: inout Lab
        ) throws -> Int32? {
            for link in lab.failedLinks { try lab.heal(link) }
            if failure == .serverFrozen { kill(try #require(server), SIGCONT) }
            try lab.start([node])
            return [.power, .server, .ownServer].contains(failure) ? try controlPlane.serve(on: node, of: lab) : server
        }
    }
}
