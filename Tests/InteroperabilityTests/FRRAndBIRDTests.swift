import Lab
import Testing

extension Interoperability {
    /// A control experiment: the checks of the lab must pass with FRR and BIRD alone, without an agent.
    @Suite struct FRRAndBIRD {
        @Test(.timeLimit(.minutes(2))) func frrAndBIRDAgreeInASquare() throws {
            try withLab(.square([.frr, .frr, .bird, .bird])) { lab in
                try lab.waitForRoutes()
                try eventually { try lab.adjacencyProblem() ?? lab.databaseProblem() ?? lab.nextHopProblem() }
                let database = try lab.database(of: "n1")
                #expect(database.filter { $0.type == 0x2001 }.count == 4)
                #expect(database.filter { $0.type == 0x2009 }.count == 4)

                // `vtysh` and `birdc` in the namespace reach its router.
                let exec = [try Binaries.path(of: "meshlab"), "exec", "--name", lab.name]
                let frr = try Command(exec + ["n1", "--", "vtysh", "-c", "show ipv6 ospf6 neighbor"]).run()
                #expect(frr.contains("Full"))
                #expect(try Command(exec + ["n3", "--", "birdc", "show", "ospf", "neighbors"]).run().contains("Full"))
            }
        }

        @Test(.timeLimit(.minutes(2))) func frrAndBIRDAgreeOnASegment() throws {
            let nodes: [Topology.Node] = [.quick("n1", .frr, .broadcast(10)), .quick("n2", .bird, .broadcast(5))]
            try withLab(.segment(nodes)) { lab in
                try lab.waitForRoutes()
                try eventually { try lab.databaseProblem() ?? lab.nextHopProblem() }
                #expect(try lab.database(of: "n2").filter { $0.type == 0x2002 }.count == 1)
            }
        }
    }
}
