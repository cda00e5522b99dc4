import Addressing
import OSPF
import Testing
import Timing

@Suite struct DrainedRouterTests {
    /// Router 0 has a cable to each of routers 1 to 4, and 1, 2 and 3 have one to 4. Router 0 is drained and then loses its
    /// cables to 1, 2 and 3. Its routes must lead over 4, also after the LSAs are refreshed (1800 s). Either both ends notice
    /// the loss of carrier, or only router 0.
    @Test(arguments: [Duration.zero, .milliseconds(3)], [false, true])
    func aDrainedRouterThatLosesCablesKeepsItsRoutes(pause: Duration, bothEndsNotice: Bool) {
        var bench = Bench()
        bench.addRouters(5)
        let cables = (1...4).map { bench.connect([0, $0]) }
        for neighbor in 1...3 { bench.connect([neighbor, 4]) }
        for router in 1...4 {
            let prefix = AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::\(router)/128")!)
            bench.handle(.advertise([prefix]), on: router)
        }
        bench.run(for: .seconds(5))
        bench.handle(.stubRouter(true), on: 0)
        bench.run(for: .seconds(5))
        for cable in cables[..<3] {
            let index = UInt32(cable + 1)
            bench.cut.insert(cable)
            for port in bench.links[cable] where bothEndsNotice || port.router == 0 {
                bench.handle(.interfaceDown(index: index), on: port.router)
            }
            bench.run(for: pause)
        }
        for wait in [Duration.seconds(10), .seconds(1800)] {
            bench.run(for: wait)
            let last = Bench.Port(router: 4, interface: UInt32(cables[3] + 1))
            for router in 1...4 {
                #expect(
                    bench.nextHops(of: "2001:db8::\(router)/128", on: 0) == [last], "next hops toward router \(router)")
            }
        }
    }
}
