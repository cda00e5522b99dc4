import Addressing
import ControlAPI
import Lab
import Testing

extension Interoperability {
    /// Mistakes in the configuration of links and routers, and how the agent reports them.
    @Suite struct Mismatches {
        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.frr, .bird, .meshd])
        func aNeighborWithADifferentMTUIsReportedAndNotFull(other: Topology.RouterKind) throws {
            try withLab(.pair(.quick("n1", .meshd), .quick("n2", other)), start: false) { lab in
                try lab.command(on: "n2", ["ip", "link", "set", "cluster0", "mtu", "1400"]).run()
                try lab.startRouters()
                try eventually {
                    let neighbor = try? lab.list(Neighbor.self, of: "n1").first
                    return neighbor?.problem?.contains("MTU") == true
                        ? nil : "n1 reports no MTU problem; its neighbor is \(neighbor.map { "\($0)" } ?? "nothing")"
                }
                let neighbor = try #require(try lab.list(Neighbor.self, of: "n1").first)
                #expect(neighbor.state != "Full")
                #expect(neighbor.problem?.contains("1400") == true)
                try lab.command(on: "n2", ["ip", "link", "set", "cluster0", "mtu", "1500"]).run()
                try lab.waitUntilConverged()
                #expect(try lab.list(Neighbor.self, of: "n1").allSatisfy { $0.problem == nil })
            }
        }

        /// The router with the same ID is the neighbor or, with `isFarAway`, known by its LSAs only. About 20 s then pass until
        /// the agent is sure that these LSAs are not those of its own earlier run.
        @Test(.timeLimit(.minutes(2)), arguments: [(Topology.RouterKind.frr, false), (.bird, false), (.frr, true)])
        func aDuplicateDerivedRouterIDIsReplaced(other: Topology.RouterKind, isFarAway: Bool) throws {
            // The router ID that n1 derives, from a lab in which it is alone.
            var derived = ""
            let agent = Topology.Node("n1", ospf: .init(type: "p2p", retransmit: 1))
            try withLab(.pair(agent, Topology.Node("n2", router: .none))) { lab in
                try eventually {
                    derived = (try? lab.status(of: "n1").routerID) ?? "0.0.0.0"
                    return derived == "0.0.0.0" ? "n1 has no router ID" : nil
                }
            }
            let settings = Topology.OSPFOptions(type: "p2p", retransmit: 1, routerID: derived)
            var topology = Topology.pair(agent, .quick("n2", isFarAway ? .meshd : other, isFarAway ? .quick : settings))
            if isFarAway {
                topology.nodes.append(.quick("n3", other, settings))
                topology.links.append(Topology.Link("n2", "n3"))
            }
            try withLab(topology) { lab in
                try lab.waitUntilConverged()
                let status = try lab.status(of: "n1")
                #expect(status.routerID != derived)
                #expect(status.events.contains { $0.message.contains(derived) }, "\(status.events.map(\.message))")
            }
        }

        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.meshd, .frr, .bird])
        func aDuplicateConfiguredRouterIDIsReportedAndKept(other: Topology.RouterKind) throws {
            let settings = Topology.OSPFOptions(type: "p2p", retransmit: 1, routerID: "10.9.9.9")
            try withLab(.pair(.quick("n1", .meshd, settings), .quick("n2", other, settings))) { lab in
                for node in other == .meshd ? ["n1", "n2"] : ["n1"] {
                    try eventually {
                        let events = (try? lab.status(of: node).events.map(\.message)) ?? []
                        return events.contains { $0.contains("10.9.9.9") }
                            ? nil : "\(node) does not report the router ID; its events are \(events)"
                    }
                    #expect(try lab.status(of: node).routerID == "10.9.9.9")
                }
            }
        }

        @Test(.timeLimit(.minutes(2))) func differentTimersAreReportedAndPreventTheAdjacency() throws {
            let slow = Topology.OSPFOptions(type: "p2p", hello: 2, dead: 8)
            try withLab(.pair(.quick("n1", .meshd), .quick("n2", .frr, slow))) { lab in
                try eventually {
                    let events = (try? lab.status(of: "n1").events.map(\.message)) ?? []
                    return events.contains { $0.lowercased().contains("hello") }
                        ? nil : "n1 does not report the hello interval; its events are \(events)"
                }
                #expect(try lab.neighbors(of: "n1").allSatisfy { $0.state != "Full" })
            }
        }
    }
}
