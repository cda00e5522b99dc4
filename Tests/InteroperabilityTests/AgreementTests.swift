import Addressing
import ControlAPI
import Lab
import Testing

extension Interoperability {
    /// The agent, FRR and BIRD side by side must come to the same results.
    @Suite struct Agreement {
        /// An agent, FRR and BIRD on one segment calculate equal routes to the rest of the mesh: with different costs, two
        /// equal paths, a prefix of two announcers of which one is farther, and an external default route.
        @Test(.timeLimit(.minutes(2)), arguments: [1, 2]) func theAgentFRRAndBIRDCalculateEqualRoutes(metricType: Int)
            throws
        {
            let defaultOriginate =
                "router ospf6\n default-information originate always metric 7 metric-type \(metricType)\n"
            let automatic = Topology.OSPFOptions(cost: 25, retransmit: 1)
            let near = "advertise: [{ prefix: \"2001:db8:9::/64\", metric: 5 }]"
            let far =
                "advertise: [{ prefix: \"2001:db8:9::/64\", metric: 6 }, { prefix: \"2001:db8:a::/64\", metric: 7 }]"
            var topology = Topology.segment([
                .quick("n1", .meshd, .broadcast(1)), .quick("n2", .frr, .broadcast(1)),
                .quick("n3", .bird, .broadcast(1)), .quick("n4", .meshd, automatic, config: near),
                .quick("n5", .meshd, automatic), .quick("n6", .frr, .broadcast(0), config: defaultOriginate),
            ])
            topology.nodes.append(.quick("n7", .meshd, automatic, config: far))
            topology.links += [Topology.Link("n4", "n7"), Topology.Link("n5", "n7")]
            topology.shape = .free
            try withLab(topology) { lab in
                try lab.waitUntilSettled()
                let own = Set(["n1", "n2", "n3"].flatMap { lab.addresses.announced(by: $0) })
                func routes(of node: String) throws -> Set<ComputedRoute> {
                    try lab.computedRoutes(of: node).filter { !own.contains($0.prefix) }
                }
                try eventually {
                    let reference = try routes(of: "n1")
                    for other in ["n2", "n3"] {
                        let found = try routes(of: other)
                        if found != reference {
                            return "routes of n1 alone: \(reference.subtracting(found)), \(other) alone: "
                                + "\(found.subtracting(reference))"
                        }
                    }
                    return nil
                }
                let table = try Dictionary(uniqueKeysWithValues: routes(of: "n1").map { ($0.prefix, $0) })
                // The addresses of n4 to n7, the pod ranges of the three agents among them, two prefixes and the default route.
                #expect(table.count == 10)
                #expect(table["2001:db8:a::/64"]?.cost == 10 + 25 + 7)
                #expect(table["2001:db8:a::/64"]?.nextHops.count == 2)
                #expect(table["2001:db8:9::/64"]?.cost == 10 + 5)
                #expect(table["::/0"]?.kind == "external-\(metricType)")
                #expect(table["::/0"]?.cost == (metricType == 1 ? 17 : 7))
            }
        }

        /// LSAs of a dead router age out everywhere at once: the router whose copy reaches MaxAge first floods it. So that this
        /// takes seconds and not an hour, FRR adds 3588 s (InfTransDelay) to the age of the LSAs that it sends to `n4`.
        /// `first`, the router of `n4`, is the agent and BIRD in turn.
        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.meshd, .bird])
        func lsasOfADeadRouterAgeOutEverywhere(first: Topology.RouterKind) throws {
            let dead = first == .meshd ? Topology.RouterKind.bird : .meshd
            let nodes: [Topology.Node] = [
                .quick("n1", dead), .quick("n2", .meshd), .quick("n3", .frr), .quick("n4", first),
            ]
            let links = [Topology.Link("n1", "n2"), Topology.Link("n2", "n3"), Topology.Link("n3", "n4")]
            try withLab(Topology(name: "chain", nodes: nodes, links: links), start: false) { lab in
                try lab.start(["n1", "n2", "n3"])
                // FRR does not read this setting from its configuration file.
                try eventually {
                    _ = try lab.vtysh(
                        "n3", "configure terminal", "interface cluster1", "ipv6 ospf6 transmit-delay 3588")
                    let output = try lab.vtysh("n3", "show ipv6 ospf6 interface cluster1")
                    return output.contains("Transmit Delay 3588") ? nil : "FRR has another delay: \(output)"
                }
                try lab.start(["n4"])
                try lab.waitForRoutes()
                // FRR takes the acknowledgment of a copy that is so much older for one of another instance (RFC 2328 §13.1,
                // MaxAgeDiff), so it would retransmit the LSAs, in the end with an age of MaxAge.
                _ = try lab.vtysh(
                    "n3", "configure terminal", "interface cluster1", "ipv6 ospf6 retransmit-interval 600")
                let routerID = dead == .meshd ? try lab.status(of: "n1").routerID : lab.addresses.routerID(of: "n1")
                func lsas(at node: String) throws -> [DatabaseEntry] {
                    try lab.database(of: node).filter { $0.advertisingRouter == Lab.number(dotted: routerID) }
                }
                func ages(at node: String) throws -> [Int] {
                    try lab.list(LSA.self, of: node).filter { $0.advertisingRouter == routerID }.map(\.age)
                }
                for node in ["n2", "n3", "n4"] { #expect(try lsas(at: node).count >= 2) }
                #expect(try ages(at: "n2").allSatisfy { $0 < 60 })
                if first == .meshd { #expect(try ages(at: "n4").allSatisfy { $0 >= 3588 }) }
                try lab.stop("n1", kill: true)
                for node in ["n2", "n3", "n4"] {
                    try eventually(.seconds(30)) {
                        let remaining = try lsas(at: node)
                        return remaining.isEmpty ? nil : "\(node) still has LSAs of the dead router: \(remaining)"
                    }
                }
                // The LSAs may be gone before the dead interval of their router is over.
                try eventually(.seconds(10)) {
                    let full = try lab.neighbors(of: "n2").filter { $0.state == "Full" }
                    return full.count == 1 ? nil : "n2 has other Full neighbors than n3: \(full)"
                }
            }
        }
    }
}

extension AddressBook {
    /// The prefixes that a node announces by the address plan: its address and its pod range.
    fileprivate func announced(by node: String) -> [String] {
        [IPv6Prefix(host: address(of: node)).description, podPrefix(of: node).description]
    }
}
