import Addressing
import OSPFPacket
import Testing
import Timing

@testable import OSPF

struct HostileDatabaseTests {
    /// LSAs that decode and make no sense: links of a router to itself, repeated links, networks of routers that do not exist;
    /// also in the name of the root (router 1). They must neither stop the calculation nor leave anything behind.
    @Test func meaninglessLSAsDoNotStopTheCalculationAndLeaveNoState() {
        var random = SplitMix64(seed: 5)
        func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        func router() -> RouterID { RouterID(UInt32(below(6))) }
        func number() -> UInt32 { [0, 1, 1, .max][below(4)] }
        func prefix() -> LSAPrefix {
            LSAPrefix(
                prefix: IPv6Prefix(
                    IPv6Address(high: UInt64(number()) << 60, low: 0), length: [0, 1, 64, 128][below(4)]),
                options: PrefixOptions(rawValue: UInt8(below(4))), metric: UInt16(truncatingIfNeeded: number()))
        }
        func link() -> RouterLSA.Link {
            RouterLSA.Link(
                type: [.pointToPoint, .transit, .virtual][below(3)], metric: UInt16(truncatingIfNeeded: number()),
                interfaceID: number(), neighborInterfaceID: number(), neighborRouterID: router())
        }
        func body() -> (LSAType, LSABody) {
            let metric = [0, 0xff_fffe, 0xff_ffff][below(3)] as UInt32
            switch below(6) {
            case 0:
                let options = below(4) == 0 ? OSPFOptions(rawValue: UInt32(below(32))) : [.v6, .r]
                return (
                    .router,
                    .router(
                        RouterLSA(
                            flags: .init(rawValue: UInt8(below(4))), options: options,
                            links: (0..<below(12)).map { _ in link() }))
                )
            case 1:
                return (
                    .network, .network(NetworkLSA(options: .v6, attachedRouters: (0..<below(8)).map { _ in router() }))
                )
            case 2:
                return (
                    .intraAreaPrefix,
                    .intraAreaPrefix(
                        IntraAreaPrefixLSA(
                            referencedType: [.router, .network, .link][below(3)], referencedLinkStateID: number(),
                            referencedAdvertisingRouter: router(), prefixes: (0..<below(5)).map { _ in prefix() }))
                )
            case 3: return (.interAreaPrefix, .interAreaPrefix(InterAreaPrefixLSA(metric: metric, prefix: prefix())))
            case 4:
                return (
                    .interAreaRouter,
                    .interAreaRouter(InterAreaRouterLSA(options: .v6, metric: metric, destination: router()))
                )
            default:
                return (
                    .asExternal,
                    .asExternal(
                        ASExternalLSA(
                            isType2: below(2) == 0, metric: metric, prefix: prefix(),
                            forwardingAddress: below(2) == 0 ? prefix().prefix.address : nil))
                )
            }
        }
        let neighbors = (0..<40).map { _ in neighbor(number(), router(), number()) }
        var area = Area()
        var routesSeen = 0
        for step in 0..<4000 {
            let (type, body) = body()
            let key = LSAKey(type: type, linkStateID: number(), advertisingRouter: router())
            area.set(key, below(3) == 0 ? nil : body)
            guard step % 3 == 0 else { continue }
            area.run(1, neighbors, maximumPaths: 1 + below(3))
            routesSeen += area.table.routes.count
            for prefix in area.table.routes.keys {
                #expect(area.calculation.candidates(for: prefix).first?.isBest == true)
            }
        }
        // Some of the nonsense must have led to routes, or nothing was tested.
        #expect(routesSeen > 300)
        #expect(!area.calculation.nodes().isEmpty)
        for key in area.bodies.keys { area.set(key, nil) }
        area.run(1, neighbors)
        #expect(area.table.routes.isEmpty && area.table.destinations.isEmpty)
        #expect(area.calculation.topology.vertexCount == 0 && area.calculation.prefixes.isEmpty)
    }

    /// An LSA whose body does not decode counts as the removal of the good instance that it replaces.
    @Test func anLSAWhoseBodyDoesNotDecodeCountsAsAbsent() {
        var calculation = RouteCalculation()
        let key = LSAKey(type: .router, linkStateID: 0, advertisingRouter: 2)
        let good = LSA(key: key, sequenceNumber: 1, body: .router(RouterLSA(options: [.v6, .r], links: [])))
        calculation.databaseChanged(key, to: good)
        #expect(calculation.nodes().count == 1)
        calculation.databaseChanged(
            key, to: LSA(key: key, sequenceNumber: 2, body: .unknown([0, 0, 0, 0, 9, 9, 9, 9])))
        #expect(calculation.nodes().isEmpty)
    }

    /// Two routers with about as many cables as fit one router-LSA (4000 of 16 octets), all of which are set four times, each
    /// time at another cost, and one router with as many links to routers that do not exist. If the work grew with the square
    /// of the number of links, the time limit would be exceeded.
    @Test(.timeLimit(.minutes(10))) func theWorkForThousandsOfLinksIsProportional() {
        var area = Area()
        let count = 4000 as UInt32
        area.router(1, [cable(1, to: 2, 1)])
        for round in 0..<4 as Range<UInt16> {
            area.router(2, (1...count).map { cable($0, to: $0 == 1 ? 1 : 3, $0, cost: round) })
            area.router(3, (2...count).map { cable($0, to: 2, $0, cost: round) })
            area.router(4, (1...count).map { cable($0, to: RouterID($0 + 100), $0) })
            area.prefixes(3, (0..<2000).map { LSAPrefix(IPv6Prefix(host: IPv6Address(high: 1, low: $0)), round) })
            area.run(1, [neighbor(1, 2, 1)])
            #expect(area.table.routes.count == 2000 && area.table.destinations.count == 1)
        }
    }

    /// One prefix 8000 times in each of 20 LSAs, and 20,000 router-LSAs of one router: the work must be proportional to their
    /// size. The lowest metric, 1, counts.
    @Test(.timeLimit(.minutes(10))) func theWorkForRepeatedPrefixesIsProportional() {
        var area = Area()
        area.router(1, [cable(1, to: 2, 1)])
        area.router(2, [cable(1, to: 1, 1)])
        let prefix = "2001:db8::/32" as IPv6Prefix
        for part in 0..<20 as Range<UInt32> {
            area.prefixes(
                2, (1...8000).reversed().map { LSAPrefix(prefix, UInt16($0) + UInt16(part)) }, linkStateID: part)
        }
        for part in 1...20_000 as ClosedRange<UInt32> {
            area.router(2, [cable(part + 1, to: 3, part)], linkStateID: part)
        }
        area.run(1, [neighbor(1, 2, 1)])
        #expect(area.route(prefix)?.metric == 11)
        #expect(area.calculation.candidates(for: prefix).count == 20)
        for part in 1...20_000 as ClosedRange<UInt32> {
            area.set(LSAKey(type: .router, linkStateID: part, advertisingRouter: 2), nil)
        }
        area.run(1, [neighbor(1, 2, 1)])
        #expect(area.route(prefix)?.metric == 11)
    }

    /// 8000 routers, each on a network of its own with router 2, announce one prefix, and each an external prefix whose
    /// forwarding address is in that one prefix.
    @Test(.timeLimit(.minutes(10))) func theWorkForManyReferencesToOnePrefixOrRouterIsProportional() {
        var area = Area()
        let count = 8000 as UInt32
        let prefix = "2001:db8::/32" as IPv6Prefix
        area.router(1, [cable(1, to: 2, 1)])
        area.router(2, [cable(1, to: 1, 1)])
        for part in 0..<8 as Range<UInt32> {
            let links = (0..<count / 8).map {
                transit(10 + part * 1000 + $0, designated: RouterID(100 + part * 1000 + $0), 1)
            }
            area.router(2, links, linkStateID: part + 1)
        }
        for number in 0..<count {
            let router = RouterID(100 + number)
            area.router(router, [transit(1, designated: router, 1)])
            area.network(router, interface: 1, [2, router])
            area.prefixes(router, [LSAPrefix(prefix)])
            area.external(
                router, IPv6Prefix(host: IPv6Address(high: 7, low: UInt64(number))), metric: 1,
                forwarding: IPv6Address("2001:db8::1"))
            if number % 1000 == 0 { area.run(1, [neighbor(1, 2, 1)]) }
        }
        area.run(1, [neighbor(1, 2, 1)])
        #expect(area.route(prefix)?.announcers.count == RouterLimits().announcersPerPrefix)
        #expect(area.route(prefix)?.metric == 20)
        for number in 0..<count {
            area.remove(.network, RouterID(100 + number), linkStateID: 1)
            area.remove(.intraAreaPrefix, RouterID(100 + number))
        }
        area.run(1, [neighbor(1, 2, 1)])
        #expect(area.table.routes.isEmpty && area.calculation.prefixes.hasRefused == false)
    }

    /// ``RouterLimits/announcements`` bounds the announcements of all prefixes together: here 5 of 3 × 3.
    @Test func allAnnouncementsTogetherAreBounded() {
        var area = Area(limits: RouterLimits(announcements: 5))
        let prefixes = (0..<3).map { IPv6Prefix(host: IPv6Address(high: 1, low: $0)) }
        let neighbors = (2...4).map { neighbor(UInt32($0), RouterID(UInt32($0)), 1) }
        area.router(1, (2...4).map { cable($0, to: RouterID($0), 1) })
        for router in 2...4 as ClosedRange<UInt32> {
            area.router(RouterID(router), [cable(1, to: 1, router)])
            area.prefixes(RouterID(router), prefixes.map { LSAPrefix($0) })
        }
        area.run(1, neighbors)
        #expect(prefixes.map { area.route($0)?.announcers.count ?? 0 }.reduce(0, +) == 5)
        #expect(area.calculation.prefixes.hasRefused)
        area.prefixes(2, [])
        area.prefixes(3, [])
        area.run(1, neighbors)
        #expect(prefixes.allSatisfy { area.route($0)?.announcers == [4] })
        #expect(!area.calculation.prefixes.hasRefused)
    }

    /// What exceeds a limit, here 4 prefixes and 3 announcers per prefix, is refused, and is added as soon as there is room.
    @Test func refusedPrefixesAreAddedWhenThereIsRoom() {
        var area = Area(limits: RouterLimits(prefixes: 4, announcersPerPrefix: 3))
        let prefixes = (0..<6).map { IPv6Prefix(host: IPv6Address(high: 1, low: $0)) }
        let neighbors = [neighbor(1, 2, 1)]
        area.router(1, [cable(1, to: 2, 1)])
        area.router(2, [cable(1, to: 1, 1)] + (3...8 as ClosedRange<UInt32>).map { cable($0, to: RouterID($0), 2) })
        for router in 3...8 as ClosedRange<UInt32> {
            area.router(RouterID(router), [cable(2, to: 2, router)])
        }
        area.prefixes(2, prefixes.map { LSAPrefix($0) })
        area.run(1, neighbors)
        #expect(Set(area.table.routes.keys) == Set(prefixes.prefix(4)))
        #expect(area.calculation.prefixes.hasRefused)
        // A refused announcement can be withdrawn like any other.
        area.prefixes(2, prefixes[0..<5].map { LSAPrefix($0) })
        area.run(1, neighbors)
        #expect(Set(area.table.routes.keys) == Set(prefixes.prefix(4)))
        area.prefixes(2, prefixes[3..<5].map { LSAPrefix($0) })
        area.run(1, neighbors)
        #expect(Set(area.table.routes.keys) == Set(prefixes[3..<5]))
        #expect(!area.calculation.prefixes.hasRefused)

        area.prefixes(2, [])
        for router in 3...8 as ClosedRange<UInt32> { area.prefixes(RouterID(router), [LSAPrefix(prefixes[0])]) }
        area.run(1, neighbors)
        #expect(area.route(prefixes[0])?.announcers == [3, 4, 5])
        for router in 3...6 as ClosedRange<UInt32> { area.prefixes(RouterID(router), []) }
        area.run(1, neighbors)
        #expect(area.route(prefixes[0])?.announcers == [7, 8])
    }
}
