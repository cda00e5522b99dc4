import Addressing
import Node
import OSPF
import Services
import Simulation
import Testing
import Timing

/// Machines and routes that are not of the mesh, which nodes know only from their kernels.
@Suite("Other machines in the simulator")
struct OtherMachinesTests {
    private static let address = IPv6Address("2001:db8:aa::1")!

    /// After ``Action/healAll``, and before a node assigns itself an address.
    private static let beforeAssignment = Instant.zero + .milliseconds(1)

    private static func prefix(_ text: String) -> IPv6Prefix { IPv6Prefix(IPv4Prefix(text)!) }

    /// Three nodes in a ring, with this pool for their IPv4 addresses.
    private func ring(pool: PrefixPool? = nil) -> Network {
        var plan = NetworkPlan(topology: .ring(3))
        for node in plan.nodes.indices { plan.nodes[node].ipv4Pool = pool }
        var network = Network(plan: plan, seed: 5)
        network.schedule(.healAll, at: .zero)
        return network
    }

    /// The texts of a node's problems.
    private func problems(of node: Int, _ network: Network) -> [String] {
        network.nodes[node].process?.currentProblems(at: network.now).map(\.text) ?? []
    }

    @Test("a service does not get an address while another machine has it")
    func aServiceDoesNotGetAnAddressThatAnotherMachineHas() {
        var network = ring()
        network.run(for: .seconds(20))
        network.schedule(.addressesOfOthers(node: 0, [Self.address]), at: network.now)
        network.schedule(.demandService(node: 0, Self.address, .announce), at: network.now)
        network.run(for: .seconds(10))
        #expect(network.nodes[0].kernel.addresses[Self.address] == nil)
        #expect(network.nodes[1].router?.candidates(for: IPv6Prefix(host: Self.address)).isEmpty == true)
        #expect(problems(of: 0, network).contains { $0.contains("\(Self.address)") && $0.contains("another machine") })
        network.schedule(.addressesOfOthers(node: 0, []), at: network.now)
        network.run(for: .seconds(40))
        #expect(network.nodes[0].kernel.addresses[Self.address] == true)
        #expect(network.check() == [])
    }

    @Test("a node adds an address that its neighbor table has if another node announces the address")
    func anAddressInTheNeighborTableIsAddedIfAnotherNodeAnnouncesIt() {
        var network = ring()
        network.run(for: .seconds(20))
        network.schedule(.demandService(node: 1, Self.address, .announce), at: network.now)
        network.run(for: .seconds(5))
        network.schedule(.addressesOfOthers(node: 0, [Self.address]), at: network.now)
        network.schedule(.demandService(node: 0, Self.address, .announce), at: network.now)
        network.run(for: .seconds(5))
        #expect(network.nodes[0].kernel.addresses[Self.address] == true)
        #expect(network.check() == [])
    }

    @Test("a node takes no address to which a route that is not of the mesh leads")
    func noAddressWithAForeignRouteIsTakenFromAPool() throws {
        let pool = try #require(PrefixPool(base: IPv4Prefix("10.9.0.0/29")!, length: 32))
        var network = ring(pool: pool)
        // The pool has six addresses. This route leaves .1, .2 and .3.
        network.schedule(.foreignRoutes(node: 0, [Self.prefix("10.9.0.4/30")]), at: Self.beforeAssignment)
        network.schedule(.foreignRoutes(node: 1, [Self.prefix("10.9.0.0/16")]), at: Self.beforeAssignment)
        network.run(for: .seconds(20))
        let taken = try #require(network.nodes[0].process?.ipv4.address)
        #expect(["10.9.0.1", "10.9.0.2", "10.9.0.3"].contains(taken.description))
        #expect(network.nodes[1].process?.ipv4.address == nil)
        #expect(
            problems(of: 1, network).contains { $0.contains("10.9.0.0/29 lies in 10.9.0.0/16, to which this machine") })
        network.schedule(.foreignRoutes(node: 1, []), at: network.now)
        network.run(for: .seconds(60))
        #expect(network.nodes[1].process?.ipv4.address != nil)
        #expect(network.check() == [])
    }

    @Test("a route to half of all addresses counts as a default route and reserves nothing")
    func aRouteToHalfOfAllAddressesReservesNothing() throws {
        let pool = try #require(PrefixPool(base: IPv4Prefix("10.9.0.0/29")!, length: 32))
        var network = ring(pool: pool)
        network.schedule(.foreignRoutes(node: 0, [Self.prefix("0.0.0.0/1")]), at: Self.beforeAssignment)
        network.run(for: .seconds(20))
        #expect(network.check() == [])
    }
}
