import Addressing
import OSPF
import OSPFPacket

/// Times what a change costs from LSA to route update, in an area of 10,000 routers with four cables each, every one
/// with a /128 and a /64 of its own, and one far away with 10,000 prefixes more.
@main
enum RouteBenchmark {
    static let routers: UInt32 = 10_000
    static let root = RouterID(1)
    static let holder = RouterID(routers / 2)

    static func main() {
        measure(findsAlternates: false)
        print()
        measure(findsAlternates: true)
    }

    private static func measure(findsAlternates: Bool) {
        let area = GridArea(side: 100)
        var calculation = RouteCalculation()
        let clock = ContinuousClock()
        func time(_ what: String, _ body: () -> RouteTableUpdate) {
            var update = RouteTableUpdate()
            let duration = clock.measure { update = body() } / .milliseconds(1)
            let (whole, rest) = (Int(duration), Int(duration * 100) % 100)
            print(
                "| \(what) | \(whole).\(rest < 10 ? "0" : "")\(rest) ms | \(update.destinations.count) "
                    + "| \(update.routes.count) |")
        }
        func run() -> RouteTableUpdate {
            calculation.run(root: root, neighbors: area.neighbors(of: root), maximumPaths: 64,
                findsAlternates: findsAlternates)
        }
        func tell(_ lsas: [LSA]) { for lsa in lsas { calculation.databaseChanged(lsa.key, to: lsa) } }

        print("| with\(findsAlternates ? "" : "out") alternates | time | destinations | routes |")
        print("|---|---|---|---|")
        let start = area.routerLSAs() + area.ownPrefixes()
        time("10,000 routers and 20,000 prefixes, from nothing") {
            tell(start)
            return run()
        }
        let many = area.prefixLSAs(of: holder, count: 10_000, metric: 0)
        time("10,000 prefixes of one router appear") {
            tell(many)
            return run()
        }
        let one = area.prefixLSAs(of: holder, count: 10_001, metric: 0)
        time("one more") {
            tell([one[one.count - 1]])
            return run()
        }
        // All cables of its four neighbors get dearer, so it is farther away.
        let detour = area.neighbors(of: holder).map { area.routerLSA(of: $0.routerID, cost: 50) }
        time("their router gets farther away") {
            tell(detour)
            return run()
        }
        let flap = area.routerLSA(of: RouterID(2), cost: 7)
        time("a neighbor's costs change") {
            tell([flap])
            return run()
        }
        time("the 10,001 go") {
            for lsa in one { calculation.databaseChanged(lsa.key, to: nil) }
            return run()
        }
        time("nothing") { run() }
    }
}
