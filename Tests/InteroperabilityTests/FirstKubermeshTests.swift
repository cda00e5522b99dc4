import Addressing
import ControlAPI
import Lab
import Testing

extension Interoperability {
    /// Nodes of the first kubermesh join with their configuration unchanged: `ospf6d` with its interfaces in area 0.0.0.0,
    /// default timers (10 s and 40 s), an address on `dummy0`, and connected and static routes redistributed.
    @Suite struct FirstKubermesh {
        private func node(_ name: String, type: String, id: String) -> Topology.Node {
            let ports = ["cluster0", "cluster1"]
            let types =
                type == "p2p" ? ports.map { "interface \($0)\n ipv6 ospf6 network point-to-point\n" }.joined() : ""
            let members = (ports + ["dummy0"]).map { "  interface \($0) area 0.0.0.0\n" }.joined()
            let config = """
                log stdout informational
                \(types)
                router ospf6
                 ospf6 router-id \(id)
                \(members)
                  redistribute connected
                  redistribute static

                """
            return Topology.Node(name, router: .frr, config: config, configIsWhole: true)
        }

        /// Two old nodes and two agents in the square. `ospf6d` by default treats even a cable as a broadcast network.
        @Test(.timeLimit(.minutes(4)), arguments: ["p2p", "broadcast"]) func nodesOfTheFirstKubermeshJoinUnchanged(
            type: String
        ) throws {
            let options = Topology.OSPFOptions(type: type, hello: 10, dead: 40)
            var square = Topology.square([.meshd, .frr, .frr, .meshd], ospf: options)
            square.nodes[1] = node("n2", type: type, id: "192.0.2.2")
            square.nodes[2] = node("n3", type: type, id: "192.0.2.3")
            try withLab(square, start: false) { lab in
                for old in ["n2", "n3"] {
                    try lab.command(
                        on: old, ["ip", "-batch", "-"],
                        input: """
                            link add dummy0 type veth peer name dummy0-peer
                            link set dummy0-peer up
                            link set dummy0 up
                            address add 2001:db8:0:d::\(old.dropFirst())/128 dev dummy0

                            """
                    ).run()
                }
                try lab.startRouters()
                try lab.waitForRoutes(limit: .seconds(120))
                try eventually(.seconds(60)) { try lab.nextHopProblem(only: ["n1", "n4"]) ?? lab.databaseProblem() }
                for old in ["n2", "n3"] {
                    #expect(
                        try lab.nextHops(at: "n1", "2001:db8:0:d::\(old.dropFirst())/128")
                            == lab.firstHops(from: "n1", to: old))
                    #expect(try lab.neighbors(of: old).filter { $0.state == "Full" }.count == 2)
                }
                #expect(try lab.canReach(from: "n1", to: lab.addresses.address(of: "n4")))
            }
        }
    }
}
