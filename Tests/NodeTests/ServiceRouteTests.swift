import Addressing
import Links
import MeshConfiguration
import OSPF
import Routing
import Services
import Testing
import Timing

@testable import Node

/// Where the node wants service routes. The machine has no default route unless a test gives it one.
@Suite struct ServiceRouteTests {
    private static let ranges = ["10.96.0.0/12", "fd00:10:96::/112"].map { IPv6Prefix($0)! }
    private static let server = IPv6Address("10.96.0.1")!

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.kubernetes.serviceRanges = ranges
        return configuration
    }

    private static func view(_ ranges: [IPv6Prefix]) -> ClusterView {
        var view = ClusterView(origin: "a test", node: NodeConditions(name: "n1"))
        view.serviceRanges = ranges
        return view
    }

    /// The prefixes of the service routes in the bench's kernel, as text.
    private func routes(_ bench: NodeBench) -> [String] {
        bench.node.serviceRouteList.compactMap { $0.state == .installed ? $0.prefix.description : nil }
    }

    private func route(_ family: IPFamily) -> DefaultRoute { DefaultRoute(interface: 9, family: family) }

    @Test func rangesOfTheConfigurationNeedNoCluster() {
        var bench = NodeBench(Self.configuration)
        bench.start()
        bench.run(for: .seconds(1))
        #expect(routes(bench) == ["10.96.0.0/12", "fd00:10:96::/112"])
        #expect(bench.log.contains { $0.contains("service routes added") && $0.contains("10.96.0.0/12") })
        // Service routes are not announced.
        #expect(!bench.node.announced.contains { Self.ranges.contains($0.prefix) })
    }

    @Test func aNodeWithoutAClusterWantsNone() {
        var bench = NodeBench()
        bench.start()
        bench.run(for: .seconds(1))
        #expect(routes(bench).isEmpty && !bench.log.contains { $0.contains("service routes") })
    }

    /// Until the cluster tells its ranges, the agent must reach it.
    @Test func theAPIServerIsReachedBeforeTheRangesAreKnown() {
        var bench = NodeBench(hasCluster: true, apiServer: Self.server)
        bench.start()
        bench.run(for: .seconds(1))
        #expect(routes(bench) == ["10.96.0.1/32"])
        bench.handle(.cluster(ClusterReport(view: Self.view(Self.ranges))))
        #expect(routes(bench) == ["10.96.0.0/12", "10.96.0.1/32", "fd00:10:96::/112"])
        bench.handle(.cluster(ClusterReport(view: Self.view([Self.ranges[1]]))))
        #expect(routes(bench) == ["10.96.0.1/32", "fd00:10:96::/112"])
    }

    /// Ranges of the configuration replace those of the cluster.
    @Test func theConfigurationHasPrecedence() {
        var bench = NodeBench(Self.configuration, hasCluster: true)
        bench.start()
        bench.handle(.cluster(ClusterReport(view: Self.view([IPv6Prefix("10.200.0.0/16")!]))))
        bench.run(for: .seconds(1))
        #expect(routes(bench) == ["10.96.0.0/12", "fd00:10:96::/112"])
    }

    /// With a default route of the family, and only then, the routes are not needed.
    @Test func defaultRoutesOfOthersAreFollowedAtOnce() {
        var bench = NodeBench(Self.configuration)
        bench.start(defaults: [route(.ipv4)])
        bench.run(for: .seconds(1))
        #expect(routes(bench) == ["fd00:10:96::/112"])
        bench.handle(.kernel([.defaultRoute(route(.ipv6))]))
        #expect(routes(bench).isEmpty)
        // Two default routes: one of them is enough.
        bench.handle(.kernel([.defaultRoute(DefaultRoute(interface: 8, family: .ipv6))]))
        bench.handle(.kernel([.defaultRouteRemoved(route(.ipv6)), .defaultRouteRemoved(route(.ipv4))]))
        #expect(routes(bench) == ["10.96.0.0/12"])
        // The kernel notifies no removal of IPv4 routes with their interface; the monitor's event of the link stands for it.
        bench.handle(.kernel([.linkRemoved(Link(index: 8, name: "lan0"))]))
        #expect(routes(bench) == ["10.96.0.0/12", "fd00:10:96::/112"])
    }

    /// An API server in the machine's LAN, or in the mesh, is reached by other routes.
    @Test func connectedSubnetsAndAddressesOfTheMeshNeedNone() {
        var bench = NodeBench(hasCluster: true, apiServer: IPv6Address("192.0.2.10")!)
        bench.start()
        bench.run(for: .seconds(1))
        #expect(routes(bench) == ["192.0.2.10/32"])
        let lan = InterfaceAddress(interface: 7, address: IPv6Address("192.0.2.1")!, prefixLength: 96 + 24)
        bench.handle(.kernel([.address(lan)]))
        #expect(routes(bench).isEmpty)
        bench.handle(.kernel([.addressRemoved(lan)]))
        #expect(routes(bench) == ["192.0.2.10/32"])

        var inMesh = NodeBench(hasCluster: true, apiServer: Configuration().addressing.plan.base.address)
        inMesh.start()
        inMesh.run(for: .seconds(1))
        #expect(routes(inMesh).isEmpty)
    }

    @Test func aRouteThatAnotherProgramRemovesIsPutBackAndCounted() {
        var bench = NodeBench(Self.configuration)
        bench.start()
        bench.run(for: .seconds(1))
        bench.changes = []
        bench.handle(.routes([.serviceRouteDeleted(Self.ranges[0])]))
        #expect(bench.changes == [.addServiceRoute(Self.ranges[0])])
        #expect(bench.node.installer.counters.foreignRouteDeletions == 1)
        #expect(bench.log.contains { $0.contains("removed or replaced our route to 10.96.0.0/12") })
    }

    @Test func aRefusalIsAProblemUntilItEnds() {
        var bench = NodeBench(Self.configuration)
        bench.refusedChanges = [.addServiceRoute(Self.ranges[1])]
        bench.start()
        bench.run(for: .seconds(10))
        #expect(routes(bench) == ["10.96.0.0/12"])
        #expect(bench.problems(.refusedRoutes).map(\.subject) == ["service fd00:10:96::/112"])
        #expect(bench.node.notReady(at: bench.now).contains { $0.contains("fd00:10:96::/112") })
        bench.refusedChanges = []
        bench.run(for: .seconds(40))
        #expect(routes(bench) == ["10.96.0.0/12", "fd00:10:96::/112"] && bench.problems(.refusedRoutes).isEmpty)
    }

    /// Like all routes, they stay for the next run, unless everything is to be removed.
    @Test func theRoutesStayOnStop() {
        var bench = NodeBench(Self.configuration)
        bench.start()
        bench.run(for: .seconds(1))
        bench.changes = []
        bench.handle(.command(.stop(removingEverything: false)))
        bench.handle(.kernel([.defaultRoute(route(.ipv4))]))
        #expect(bench.changes.isEmpty)
    }
}
