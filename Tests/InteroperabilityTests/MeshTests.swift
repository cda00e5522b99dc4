import Addressing
import ControlAPI
import Glibc
import Lab
import Testing

extension Interoperability {
    /// Meshes of agents only.
    @Suite struct Mesh {
        private func mesh(_ name: String) throws -> Topology { try #require(try Topology.named(name)) }

        @Test(.timeLimit(.minutes(2)), arguments: ["square4", "ring:6", "lan:4", "ha:3+3"])
        func everyNodeHasAllRoutesAndChangesNone(name: String) throws {
            try withLab(mesh(name)) { lab in
                try lab.waitUntilSettled(limit: .seconds(20))
                let monitors = try lab.topology.routers.map {
                    try lab.command(on: $0.name, ["ip", "monitor", "route", "nexthop"]).spawn()
                }
                for node in lab.topology.routers {
                    for other in lab.topology.routers where other.name != node.name {
                        #expect(try lab.canReach(from: node.name, to: lab.addresses.address(of: other.name)))
                    }
                }
                for monitor in monitors {
                    monitor.signal(SIGTERM)
                    let changes = try monitor.finish().text.split(separator: "\n").filter { $0.contains("proto 71") }
                    #expect(changes.isEmpty, "\(changes.prefix(5))")
                }
                #expect(try lab.nextHopProblem() == nil)
            }
        }

        @Test(.timeLimit(.minutes(3))) func aGridOf25ConvergesAndHeals() throws {
            try withLab(mesh("grid:5x5")) { lab in
                try lab.waitForRoutes(limit: .seconds(40))
                try eventually(.seconds(40)) { try lab.nextHopProblem() }
                for link in ["n12-n13", "n13-n18", "n8-n13"] { try lab.fail(link, .carrier) }
                try eventually(.seconds(40)) { try lab.nextHopProblem() }
                for link in ["n12-n13", "n13-n18", "n8-n13"] { try lab.heal(link) }
                try eventually(.seconds(40)) { try lab.nextHopProblem() ?? lab.databaseProblem() }
            }
        }

        @Test(.timeLimit(.minutes(2))) func aPulledCableLosesFewPackets() throws {
            try withLab(mesh("square4")) { lab in
                try lab.waitForRoutes()
                let ping = try BackgroundPing(lab, from: "n1", to: "n4")
                let link = try #require(try lab.linkInUse(from: "n1", to: "n4"))
                try lab.fail(link, .carrier)
                try eventually { try lab.nextHopProblem() }
                try lab.heal(link)
                try eventually { try lab.nextHopProblem() ?? lab.databaseProblem() }
                // With a ping every 2 ms, 50 are an outage of 100 ms. It is much shorter, except on a busy machine.
                #expect(try ping.lost() <= 50)
            }
        }

        @Test(.timeLimit(.minutes(2))) func aSilentLinkIsNotUsedAfterTheDeadInterval() throws {
            try withLab(mesh("square4")) { lab in
                try lab.waitForRoutes()
                let failed = ContinuousClock.now
                try lab.fail("n1-n2", .silent)
                try eventually { try lab.nextHopProblem() }
                #expect(
                    ContinuousClock.now - failed < .seconds(6), "the routes change soon after the dead interval of 4 s")
                #expect(try lab.canReach(from: "n1", to: lab.addresses.address(of: "n2")))
                try lab.heal("n1-n2")
                try eventually { try lab.nextHopProblem() ?? lab.databaseProblem() }
            }
        }

        /// The kernel removes the next-hop objects of a port that loses carrier from their groups without a notification. After
        /// several flaps all groups must be complete again.
        @Test(.timeLimit(.minutes(2))) func groupsAreCompleteAfterManyFlaps() throws {
            try withLab(mesh("square4")) { lab in
                try lab.waitForRoutes()
                for round in 0..<10 {
                    let link = ["n1-n2", "n2-n4", "n3-n4", "n1-n3"][round % 4]
                    try lab.fail(link, .carrier)
                    usleep(UInt32(round) * 20_000)
                    try lab.heal(link)
                }
                try eventually { try lab.nextHopProblem() ?? lab.databaseProblem() }
            }
        }

        /// An agent that is stopped or killed and started again adopts its routes in the kernel and changes none.
        @Test(.timeLimit(.minutes(2)), arguments: [true, false]) func routesStayWhileTheirAgentRestarts(killed: Bool)
            throws
        {
            try withLab(mesh("square4")) { lab in
                try lab.waitForRoutes()
                try eventually { try lab.nextHopProblem() }
                let before = Set(try lab.kernelRoutes(of: "n1"))
                #expect(before.count >= 6)
                let monitor = try lab.command(on: "n1", ["ip", "-6", "monitor", "route"]).spawn()
                try lab.stop("n1", kill: killed)
                #expect(Set(try lab.kernelRoutes(of: "n1")) == before)
                try lab.start(["n1"])
                try lab.waitForRoutes()
                try eventually { try lab.adjacencyProblem() ?? lab.nextHopProblem() }
                usleep(500_000)
                #expect(Set(try lab.kernelRoutes(of: "n1").map(\.prefix)) == Set(before.map(\.prefix)))
                monitor.signal(SIGTERM)
                let changes = try monitor.finish().text.split(separator: "\n").filter { $0.contains("proto 71") }
                #expect(changes.isEmpty, "\(changes.prefix(5))")
            }
        }

        @Test(.timeLimit(.minutes(2))) func deletedRoutesAreRestored() throws {
            try withLab(mesh("square4")) { lab in
                try lab.waitForRoutes()
                try lab.command(on: "n1", ["ip", "-6", "route", "flush", "proto", "71"]).run()
                try eventually { try lab.nextHopProblem() }
            }
        }

        @Test(.timeLimit(.minutes(2))) func theOwnAddressIsThePreferredSource() throws {
            try withLab(mesh("square4")) { lab in
                try lab.waitForRoutes()
                let own = lab.addresses.address(of: "n1")
                #expect(try lab.kernelRoutes(of: "n1").allSatisfy { $0.preferredSource == own })
            }
        }

        /// Three control plane nodes announce one VIP. When the API server of one fails, it withdraws the VIP, and a worker is
        /// answered by the others; when its server is back, it announces the VIP again.
        @Test(.timeLimit(.minutes(2))) func aNodeWithoutItsServerWithdrawsTheVIP() throws {
            try withLab(mesh("ha:3+3")) { lab in
                try lab.waitForRoutes()
                let vip = IPv6Prefix(host: try #require(IPv6Address(Topology.controlPlaneVIP.address)))
                func announcers() throws -> [String] {
                    try lab.list(Route.self, of: "w1").first { $0.prefix == vip.description }?.nodes ?? []
                }
                try eventually {
                    let others = try lab.list(VIP.self, of: "cp1").first?.others ?? []
                    return others.count == 2 ? nil : "cp1 knows only the other announcers \(others)"
                }
                #expect(Set(try (0..<20).map { _ in try dial(lab, from: "w1") }).isSubset(of: ["cp1", "cp2", "cp3"]))

                try lab.stopServices(of: "cp1")
                try eventually {
                    let isAnnounced = try lab.list(VIP.self, of: "cp1").first?.announced
                    return isAnnounced == false ? nil : "cp1 still announces the VIP, although its server has stopped"
                }
                try eventually { try announcers().contains("cp1") ? "w1 still routes the VIP to \(announcers())" : nil }
                for _ in 0..<20 { #expect(["cp2", "cp3"].contains(try dial(lab, from: "w1"))) }
                #expect(
                    try lab.command(on: "cp1", ["ip", "-6", "address", "show", "dev", "lo"]).run().contains("6443")
                        == false)

                try lab.start(["cp1"])
                try eventually {
                    try lab.list(VIP.self, of: "cp1").first?.announced == true
                        ? nil : "cp1 does not announce the VIP again"
                }
            }
        }

        /// Connects to the VIP from a node. Returns the name of the node that answers.
        private func dial(_ lab: Lab, from node: String) throws -> String {
            let vip = Topology.controlPlaneVIP
            let arguments = [try Binaries.path(of: "meshlab"), "dial", vip.address, "\(vip.port)"]
            return try lab.command(on: node, arguments).run().split(separator: "\n").first.map(String.init) ?? ""
        }
    }
}
