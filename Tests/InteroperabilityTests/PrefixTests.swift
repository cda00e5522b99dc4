import Addressing
import ControlAPI
import Lab
import Testing

extension Interoperability {
    /// Anycast prefixes and external routes.
    @Suite struct Prefixes {
        /// FRR (n2) and an agent (n3) announce the same address. An agent (n1) and BIRD (n4) have routes to both. When n2 and
        /// then n3 stop announcing it, n1 has a route to the one that is left, and then none.
        @Test(.timeLimit(.minutes(2))) func anycastRoutesUseAnnouncersOfBothKinds() throws {
            let anycast = "2001:db8:0:a::1/128"
            var square = Topology.square([.meshd, .frr, .meshd, .bird])
            square.nodes[2].config = "advertise: [{ prefix: \"\(anycast)\", metric: 1 }]"
            try withLab(square) { lab in
                let address = ["ip", "address", "add", anycast, "dev", "lo"]
                try lab.command(on: "n2", address).run()
                try lab.command(on: "n3", address).run()
                try lab.waitForRoutes()
                func nextHops(_ node: String) throws -> Set<KernelRoute.NextHop> {
                    try lab.nextHops(at: node, anycast) ?? []
                }
                try eventually {
                    let counts = try [nextHops("n1").count, nextHops("n4").count]
                    return counts == [2, 2] ? nil : "n1 and n4 have \(counts) next hops to the anycast address"
                }
                #expect(
                    try nextHops("n1") == lab.firstHops(from: "n1", to: "n2").union(lab.firstHops(from: "n1", to: "n3"))
                )
                let route = try #require(try lab.list(Route.self, of: "n1").first { $0.prefix == anycast })
                #expect(route.nodes.count == 2)

                try lab.command(on: "n2", ["ip", "address", "delete", anycast, "dev", "lo"]).run()
                try eventually {
                    try nextHops("n1") == lab.firstHops(from: "n1", to: "n3")
                        ? nil : "n1 has the next hops \(nextHops("n1").sorted())"
                }
                try lab.stop("n3")
                try eventually(.seconds(10)) {
                    try nextHops("n1").isEmpty ? nil : "n1 still has the next hops \(nextHops("n1").sorted())"
                }
            }
        }

        /// FRR announces an external default route of either type, and withdraws it.
        @Test(.timeLimit(.minutes(2)), arguments: [1, 2]) func aDefaultRouteOfFRRIsUsedUntilItIsWithdrawn(
            metricType: Int
        ) throws {
            let defaultOriginate =
                "router ospf6\n default-information originate always metric 7 metric-type \(metricType)\n"
            var square = Topology.square([.frr, .meshd, .bird, .meshd])
            square.nodes[0].config += defaultOriginate
            try withLab(square) { lab in
                try lab.waitUntilConverged()
                try eventually {
                    try lab.nextHops(at: "n4", "::/0") == lab.firstHops(from: "n4", to: "n1")
                        ? nil : "n4 lacks the default route"
                }
                let route = try #require(try lab.list(Route.self, of: "n4").first { $0.prefix == "::/0" })
                #expect(route.kind == "external-\(metricType)")
                #expect(route.metric == (metricType == 1 ? 27 : 7))
                #expect(try lab.canReach(from: "n4", to: #require(IPv6Address("2001:db8::4:0:1:0"))))

                _ = try lab.vtysh("n1", "configure terminal", "router ospf6", "no default-information originate")
                try eventually {
                    try lab.nextHops(at: "n4", "::/0") == nil ? nil : "n4 keeps the withdrawn default route"
                }
            }
        }

        /// BIRD announces its static route in an AS-external-LSA.
        @Test(.timeLimit(.minutes(2))) func aStaticRouteOfBIRDIsUsed() throws {
            let staticRoutes = """
                protocol static { ipv6; route 2001:db8:5::/48 blackhole; }
                """
            let bird = Topology.Node.quick("n2", .bird, config: staticRoutes)
            try withLab(.pair(.quick("n1", .meshd), bird)) { lab in
                try eventually {
                    try lab.nextHops(at: "n1", "2001:db8:5::/48") == lab.firstHops(from: "n1", to: "n2")
                        ? nil : "n1 lacks BIRD's static route"
                }
            }
        }
    }
}
