import Addressing
import ControlAPI
import Glibc
import Lab
import Testing

extension Interoperability {
    /// A cable between the agent and FRR or BIRD.
    @Suite struct PointToPoint {
        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.frr, .bird])
        func anAdjacencyFormsAndNodesReachEachOther(other: Topology.RouterKind) throws {
            try withLab(.pair(.quick("n1", .meshd), .quick("n2", other))) { lab in
                try lab.waitUntilConverged()
                #expect(try lab.neighbors(of: "n1").map(\.state) == ["Full"])
                #expect(try lab.neighbors(of: "n2").map(\.state) == ["Full"])
                #expect(try lab.canReach(from: "n1", to: lab.addresses.address(of: "n2")))
                #expect(try lab.canReach(from: "n2", to: lab.addresses.address(of: "n1")))
            }
        }

        /// With the type `auto`, the default, the agent detects that the link is point-to-point.
        @Test(.timeLimit(.minutes(2))) func automaticTypeDetectsPointToPoint() throws {
            let automatic = Topology.Node("n1", ospf: .init(type: "auto"))
            try withLab(.pair(automatic, .quick("n2", .frr))) { lab in
                try lab.waitUntilConverged()
                #expect(try lab.list(Interface.self, of: "n1").map(\.type) == ["p2p"])
            }
        }

        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.frr, .bird])
        func routesReturnAfterEitherSideRestarts(other: Topology.RouterKind) throws {
            try withLab(.pair(.quick("n1", .meshd), .quick("n2", other))) { lab in
                try lab.waitUntilConverged()
                for (node, kill) in [("n1", false), ("n1", true), ("n2", false), ("n2", true)] {
                    try lab.stop(node, kill: kill)
                    try lab.start([node])
                    try lab.waitUntilConverged()
                }
            }
        }

        @Test(.timeLimit(.minutes(2)), arguments: [Topology.RouterKind.frr, .bird])
        func routesOfAKilledNeighborAgeOut(other: Topology.RouterKind) throws {
            try withLab(.pair(.quick("n1", .meshd), .quick("n2", other))) { lab in
                try lab.waitUntilConverged()
                let prefix = IPv6Prefix(host: lab.addresses.address(of: "n2")).description
                try lab.stop("n2", kill: true)
                let killed = ContinuousClock.now
                #expect(
                    try lab.nextHops(at: "n1", prefix) != nil,
                    "n1 keeps its routes to a silent neighbor until the dead interval ends")
                try eventually(.seconds(8)) {
                    try lab.nextHops(at: "n1", prefix) == nil ? nil : "n1 still has a route to \(prefix)"
                }
                #expect(
                    ContinuousClock.now - killed < .seconds(6),
                    "the route is removed soon after the dead interval of 4 s")
            }
        }
    }

    /// A shared segment with a designated router.
    @Suite struct Broadcast {
        @Test(
            .timeLimit(.minutes(2)),
            arguments: [Topology.RouterKind.frr, .bird], [true, false])
        func eitherSideIsDesignated(other: Topology.RouterKind, agentIsDesignated: Bool) throws {
            let nodes: [Topology.Node] = [
                .quick("n1", .meshd, .broadcast(agentIsDesignated ? 20 : 5)), .quick("n2", other, .broadcast(10)),
                .quick("n3", other, .broadcast(0)),
            ]
            try withLab(.segment(nodes)) { lab in
                try lab.waitUntilConverged()
                let port = try #require(try lab.list(Interface.self, of: "n1").first)
                #expect(port.type == "broadcast")
                #expect(port.state == (agentIsDesignated ? "DR" : "Backup"))
                // There is one network-LSA, that of the designated router.
                let networks = try lab.database(of: "n3").filter { $0.type == 0x2002 }
                #expect(networks.count == 1)
                #expect(try lab.canReach(from: "n3", to: lab.addresses.address(of: "n1")))
            }
        }

        @Test(.timeLimit(.minutes(2))) func theBackupReplacesAKilledDesignatedRouterForAllKinds() throws {
            let nodes: [Topology.Node] = [
                .quick("n1", .meshd, .broadcast(10)), .quick("n2", .frr, .broadcast(20)),
                .quick("n3", .bird, .broadcast(5)),
                .quick("n4", .meshd, .broadcast(1)),
            ]
            try withLab(.segment(nodes)) { lab in
                try lab.waitUntilConverged()
                try lab.stop("n2", kill: true)
                try eventually(.seconds(30)) {
                    let state = try lab.list(Interface.self, of: "n1").first?.state
                    return state == "DR" ? nil : "n1, the backup, is \(state ?? "nothing")"
                }
                try eventually(.seconds(30)) { try lab.nextHopProblem() }
                // n2 returns with the highest priority, but the designated router stays (RFC 2328 §9.4).
                try lab.start(["n2"])
                try lab.waitUntilConverged()
                #expect(try lab.list(Interface.self, of: "n1").first?.state == "DR")
            }
        }
    }

    /// The square of the first kubermesh, with the agent, FRR and BIRD.
    @Suite struct MixedSquare {
        /// Agents at opposite corners, with FRR and BIRD in transit; then the reverse; then agents at adjacent corners.
        @Test(
            .timeLimit(.minutes(2)),
            arguments: [
                [Topology.RouterKind.meshd, .frr, .bird, .meshd], [.frr, .meshd, .meshd, .bird],
                [.bird, .meshd, .frr, .meshd],
            ])
        func pathsOfEqualCostAreAllUsed(routers: [Topology.RouterKind]) throws {
            try withLab(.square(routers)) { lab in
                try lab.waitUntilConverged()
                let across = IPv6Prefix(host: lab.addresses.address(of: "n4"))
                #expect(
                    try lab.kernelNextHops(of: "n1")[across]?.count == 2, "n1 uses both paths of equal cost to n4")
                #expect(try lab.canReach(from: "n1", to: lab.addresses.address(of: "n4")))
                #expect(try lab.canReach(from: "n2", to: lab.addresses.address(of: "n3")))
            }
        }

        @Test(.timeLimit(.minutes(2))) func aPulledCableIsRoutedAround() throws {
            try withLab(.square([.meshd, .frr, .bird, .meshd])) { lab in
                try lab.waitUntilConverged()
                try lab.fail("n1-n2", .carrier)
                // Only the agents are checked: FRR 8.4 keeps next hops that the kernel has removed.
                try eventually { try lab.nextHopProblem(only: ["n1", "n4"]) }
                #expect(try lab.canReach(from: "n1", to: lab.addresses.address(of: "n4")))
                try lab.heal("n1-n2")
                try eventually { try lab.nextHopProblem(only: ["n1", "n4"]) ?? lab.databaseProblem() }
            }
        }
    }
}
