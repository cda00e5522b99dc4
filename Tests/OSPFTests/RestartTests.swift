import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct RestartTests {
    /// Found by the simulator: the neighbor had an LSA of our earlier run with exactly the body that we wanted to originate
    /// once the adjacency was Full. That counted as no change, and the route calculation never got our links.
    @Test func aRestartedRouterHasItsRoutesAgain() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1])
        bench.handle(.advertise([AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::/64"))]), on: 0)
        bench.run(for: .seconds(2))
        let interface = bench.routers[1].interfaceSnapshots[0].configuration
        bench.handle(.interfaceDown(index: 1), on: 0)
        bench.routers[1] = Router(configuration: bench.routers[1].configuration, at: bench.now)
        bench.run(for: .milliseconds(100))
        let other = InterfaceConfiguration(
            index: 1, name: "eth1", mtu: 1500, linkLocalAddress: Bench.address(.init(router: 0, interface: 1)),
            kind: .pointToPoint)
        bench.handle(.interfaceUp(other), on: 0)
        bench.handle(.interfaceUp(interface), on: 1)
        // Originations in a row, so that the next waits (`OriginationThrottle`) until the adjacency is Full.
        for isStub in [true, false, true, false] { bench.handle(.stubRouter(isStub), on: 1) }
        bench.run(for: .seconds(3))
        #expect(bench.nextHops(of: "2001:db8::/64", on: 1) == [.init(router: 0, interface: 1)])
    }

    /// A router shuts down and is back, after `pause` milliseconds, before the others have removed the LSAs that it flushed.
    @Test(arguments: [1, 5, 15, 30, 60, 100, 500]) func aRouterThatRestartsAtOnceIsReachableWithin100Milliseconds(
        pause: Int
    ) {
        var bench = Bench()
        bench.addRouters(4)
        for pair in [[0, 1], [0, 2], [1, 3], [2, 3]] { bench.connect(pair) }
        let prefix = IPv6Prefix("2001:db8::2/128")
        bench.handle(.advertise([AdvertisedPrefix(prefix: prefix)]), on: 1)
        bench.run(for: .seconds(20))
        #expect(bench.nextHops(of: "2001:db8::2/128", on: 0).count == 1)

        bench.handle(.shutdown, on: 1)
        bench.run(for: .milliseconds(pause))
        bench.routers[1] = Router(
            configuration: RouterConfiguration(routerID: RouterID(2), hostname: "n2", seed: 77), at: bench.now)
        bench.handle(.advertise([AdvertisedPrefix(prefix: prefix)]), on: 1)
        for (link, interface) in [(0, UInt32(1)), (2, 3)] {
            let port = bench.links[link].first { $0.router == 1 }!
            #expect(port.interface == interface)
            bench.handle(
                .interfaceUp(
                    InterfaceConfiguration(
                        index: interface, name: "eth\(interface)", mtu: 1500, linkLocalAddress: Bench.address(port),
                        kind: .pointToPoint)), on: 1)
        }
        bench.run(for: .milliseconds(100))
        #expect(bench.nextHops(of: "2001:db8::2/128", on: 0).count == 1)
        #expect(bench.nextHops(of: "2001:db8::2/128", on: 2).count == 2)
    }
}
