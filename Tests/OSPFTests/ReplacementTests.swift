import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// A router's process is replaced by another, while the kernel keeps the routes. No other router may notice.
@Suite struct ReplacementTests {
    /// What a router holds. If the router notices nothing, all of it stays equal, even the number of route calculations.
    private struct RouterState: Equatable {
        var lsas: [DatabaseKeyAndOctets]
        var routes: PrefixMap<DestinationID>
        var destinations: [DestinationID: Destination]
        var calculations: UInt64

        struct DatabaseKeyAndOctets: Equatable {
            var interface: UInt32?
            var key: LSAKey
            var sequenceNumber: Int32
            var body: [UInt8]
        }

        init(of router: Router, at now: Instant) {
            lsas = router.databaseSnapshot(at: now).map {
                DatabaseKeyAndOctets(
                    interface: $0.interface, key: $0.lsa.key, sequenceNumber: $0.lsa.header.sequenceNumber,
                    body: Array($0.lsa.bodyOctets))
            }
            routes = router.routeTable.routes
            destinations = router.routeTable.destinations
            calculations = router.statistics.routeCalculations
        }
    }

    /// Routers 0 to 3, each with a prefix, in a row or a square. Most tests replace router 1.
    private static let row = [[0, 1], [1, 2], [2, 3]]
    private static let square = [[0, 1], [0, 2], [1, 3], [2, 3]]

    private static func prefix(_ router: Int) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32, low: UInt64(router)))
    }

    /// Four routers, 20 s after their start: all is at rest.
    private static func mesh(
        _ links: [[Int]], kind: InterfaceConfiguration.Kind = .pointToPoint,
        restart: GracefulRestartOptions = GracefulRestartOptions()
    ) -> Bench {
        var bench = Bench()
        for router in 0..<4 {
            _ = bench.addRouter(
                RouterConfiguration(
                    routerID: RouterID(UInt32(router + 1)), routerIDIsDerived: true, hostname: "n\(router + 1)",
                    hardwareFingerprint: [UInt8](repeating: UInt8(router), count: 32), seed: UInt64(router),
                    gracefulRestart: restart))
        }
        for link in links { bench.connect(link, kind: kind) }
        for router in 0..<4 {
            bench.handle(.advertise([AdvertisedPrefix(prefix: prefix(router))]), on: router)
        }
        bench.run(for: .seconds(20))
        return bench
    }

    /// What the routers that are not replaced hold.
    private static func states(_ bench: Bench, without replaced: Set<Int> = [1]) -> [RouterState] {
        bench.routers.indices.filter { !replaced.contains($0) }.map {
            RouterState(of: bench.routers[$0], at: bench.now)
        }
    }

    /// The number of links in the router-LSAs of a router, as another has them in its database.
    private static func linkCount(of router: Int, asSeenBy other: Int, _ bench: Bench) -> Int {
        bench.routers[other].databaseSnapshot(at: bench.now).map(\.lsa).filter {
            $0.key.type == .router && $0.key.advertisingRouter == RouterID(UInt32(router + 1))
                && $0.age < LSAHeader.maxAge
        }.reduce(0) { count, lsa in
            guard case .router(let body)? = try? lsa.body() else { return count }
            return count + body.links.count
        }
    }

    /// For pauses of up to 2.9 s: the dead interval is 4 s, and the last hello was sent up to 1 s before the process ended.
    @Test(arguments: [row, square], [0, 1, 300, 2900])
    func aReplacedProcessChangesNothingInOtherRouters(links: [[Int]], pause: Int) {
        var bench = Self.mesh(links)
        let before = Self.states(bench)
        let old = RouterState(of: bench.routers[1], at: bench.now)
        bench.replace(1, after: .milliseconds(pause))
        #expect(!bench.routers[1].isSynchronized)
        bench.run(for: .milliseconds(100))
        #expect(bench.routers[1].isSynchronized && !bench.routers[1].isResuming)
        bench.run(for: .seconds(20))
        #expect(Self.states(bench) == before)
        let new = RouterState(of: bench.routers[1], at: bench.now)
        #expect(new.lsas == old.lsas)
        #expect(bench.routers[1].routeTable.routes.count == 3)
        for other in [0, 2, 3] {
            let prefix = Self.prefix(other).description
            #expect(!bench.nextHops(of: prefix, on: 1).isEmpty)
        }
        #expect(bench.routers.allSatisfy { $0.isQuiet })
        #expect(!bench.notices.joined().contains { if case .duplicateRouterID = $0 { true } else { false } })
    }

    /// Links of kind `auto` that are point-to-point are held like those that are configured so.
    @Test func automaticPointToPointLinksAreHeld() {
        var bench = Self.mesh(Self.row, kind: .auto)
        let before = Self.states(bench)
        bench.replace(1, after: .milliseconds(100))
        bench.run(for: .seconds(10))
        #expect(Self.states(bench) == before)
    }

    /// The second process is replaced milliseconds after its start, maybe before its adjacencies are Full.
    @Test(arguments: [1, 3, 10, 40]) func twoReplacementsInARowChangeNothingInOtherRouters(distance: Int) {
        var bench = Self.mesh(Self.row)
        let before = Self.states(bench)
        bench.replace(1, after: .milliseconds(20))
        bench.run(for: .milliseconds(distance))
        bench.replace(1, after: .milliseconds(distance))
        bench.run(for: .seconds(20))
        #expect(Self.states(bench) == before)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// Two adjacent routers are replaced at the same time. For 50 ms the others send them only hellos, so the two become Full
    /// while neither has LSAs of its earlier run.
    @Test(arguments: [row, square]) func twoNeighborsReplacedTogetherChangeNothingInOtherRouters(links: [[Int]]) {
        var bench = Self.mesh(links)
        let replaced: Set = [1, links == Self.row ? 2 : 3]
        let before = Self.states(bench, without: replaced)
        for router in replaced.sorted() { bench.replace(router, after: .zero) }
        bench.filter = { port, octets in replaced.contains(port.router) || octets[1] == 1 }
        bench.run(for: .milliseconds(50))
        bench.filter = { _, _ in true }
        bench.run(for: .seconds(20))
        #expect(Self.states(bench, without: replaced) == before)
    }

    /// The new process announces another prefix: only the LSA with that prefix changes.
    @Test func onlyTheLSAOfAChangedPrefixIsFloodedAfterAReplacement() {
        var bench = Self.mesh(Self.row)
        let before = Self.states(bench)
        let fullRuns = bench.routers[3].calculationStatistics.fullRuns
        bench.replace(1, after: .milliseconds(20), prefixes: [IPv6Prefix("2001:db8:1::/64")])
        bench.run(for: .seconds(20))
        for (old, new) in zip(before, Self.states(bench)) {
            let changes = new.lsas.difference(from: old.lsas)
            #expect(changes.insertions.count == 1 && changes.removals.count == 1)
            for case .insert(_, let lsa, _) in changes {
                #expect(lsa.key.type == .intraAreaPrefix && lsa.key.advertisingRouter == RouterID(2))
            }
        }
        #expect(bench.routers[3].calculationStatistics.fullRuns == fullRuns)
        #expect(bench.nextHops(of: "2001:db8:1::/64", on: 3) == [.init(router: 2, interface: 3)])
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 3) == [])
    }

    /// After prefixes have come and gone, their distribution over LSAs is not that of a router that starts with those that are
    /// left. The new process must keep it.
    @Test func prefixesStayInTheLSAsOfTheEarlierRun() {
        var bench = Self.mesh(Self.row)
        func prefixes(_ numbers: Range<UInt64>) -> [IPv6Prefix] {
            numbers.map { IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32, low: 1 << 32 | $0)) }
                + numbers.map { IPv6Prefix(host: IPv6Address(IPv4Address(rawValue: 0x0a00_0000 | UInt32($0)))) }
        }
        func externals(_ numbers: Range<UInt64>) -> [ExternalPrefix] {
            numbers.map { ExternalPrefix(prefix: IPv6Prefix("2001:db8:\($0)::/48")!, metric: 1) }
        }
        for last in [500, 900] as [UInt64] {
            bench.handle(.advertise(prefixes(0..<last).map { AdvertisedPrefix(prefix: $0) }), on: 1)
            bench.handle(.advertiseExternal(externals(0..<last / 100)), on: 1)
            bench.run(for: .seconds(10))
        }
        bench.handle(.advertise(prefixes(200..<900).map { AdvertisedPrefix(prefix: $0) }), on: 1)
        bench.handle(.advertiseExternal(externals(3..<9)), on: 1)
        bench.run(for: .seconds(20))
        let before = Self.states(bench)
        #expect(before[0].lsas.count { $0.key.type == .intraAreaPrefix && $0.key.advertisingRouter == RouterID(2) } > 5)
        bench.replace(1, after: .milliseconds(100), prefixes: prefixes(200..<900), externals: externals(3..<9))
        bench.run(for: .seconds(20))
        #expect(Self.states(bench) == before)
    }

    /// The earlier run announced a default route, and the new one does not.
    @Test func unwantedLSAsOfAnEarlierRunAreFlushed() {
        var bench = Self.mesh(Self.row)
        bench.handle(.advertiseExternal([ExternalPrefix(prefix: .default, metric: 1)]), on: 1)
        bench.run(for: .seconds(5))
        #expect(!bench.nextHops(of: "::/0", on: 3).isEmpty)
        bench.replace(1, after: .milliseconds(20))
        bench.run(for: .seconds(5))
        #expect(bench.nextHops(of: "::/0", on: 3).isEmpty)
        #expect(!bench.routers[3].databaseSnapshot(at: bench.now).contains { $0.lsa.key.type == .asExternal })
    }

    /// A cable is pulled while no process runs. Its port is down when the next starts, so the resumption does not wait for its
    /// neighbor.
    @Test func aResumptionDoesNotWaitForTheNeighborOnAnInterfaceThatIsDown() {
        var bench = Self.mesh(Self.square)
        let interfaces = bench.routers[1].interfaceSnapshots.map(\.configuration)
        bench.cut.insert(0)
        bench.handle(.interfaceDown(index: 1), on: 0)
        bench.replace(1, after: .seconds(1), interfaces: [interfaces[1]])
        bench.run(for: .milliseconds(100))
        #expect(!bench.routers[1].isResuming)
        #expect(Self.linkCount(of: 1, asSeenBy: 0, bench) == 1)
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 0) == [.init(router: 2, interface: 2)])
        #expect(bench.nextHops(of: Self.prefix(0).description, on: 1) == [.init(router: 3, interface: 3)])
    }

    /// The cable to a neighbor fails silently while no process runs. The resumption waits for that neighbor until its deadline
    /// of 4 s (`RouterConfiguration.resumptionLimit`); then the router announces only its other link.
    @Test func aResumptionWaitsForASilentNeighborUntilItsDeadline() {
        var bench = Self.mesh(Self.square)
        bench.cut.insert(0)
        bench.replace(1, after: .seconds(1))
        bench.run(for: .seconds(2))
        #expect(bench.routers[1].isResuming)
        bench.run(for: .seconds(4))
        #expect(!bench.routers[1].isResuming)
        #expect(Self.linkCount(of: 1, asSeenBy: 3, bench) == 1)
        #expect(bench.nextHops(of: Self.prefix(0).description, on: 1) == [.init(router: 3, interface: 3)])
    }

    /// After more than the dead interval (4 s), the neighbors have removed their links to the router, so the resumption waits
    /// for nobody.
    @Test func aResumptionAfterMoreThanTheDeadIntervalEndsAtOnce() {
        var bench = Self.mesh(Self.square)
        bench.cut = [0, 2]
        bench.run(for: .seconds(6))
        bench.cut = [0]
        bench.replace(1, after: .zero)
        bench.run(for: .milliseconds(100))
        #expect(!bench.routers[1].isResuming)
        #expect(Self.linkCount(of: 1, asSeenBy: 3, bench) == 1)
        #expect(bench.nextHops(of: Self.prefix(0).description, on: 1) == [.init(router: 3, interface: 3)])
    }

    /// After a refresh (1800 s) all LSAs have higher sequence numbers than a new process starts with, also the link-LSAs, which
    /// it originates at once.
    @Test func refreshedLSAsOfTheEarlierRunAreKept() {
        var bench = Self.mesh(Self.row)
        bench.run(for: .seconds(2000))
        let before = Self.states(bench)
        bench.replace(1, after: .seconds(1))
        bench.run(for: .seconds(20))
        #expect(Self.states(bench) == before)
    }

    /// The LSAs are about 1797 s old when the process ends, and due for refresh (1800 s) when the next starts.
    @Test func aRouterLSADueForRefreshIsRefreshed() {
        var bench = Self.mesh(Self.row)
        bench.run(for: .seconds(1777))
        let routes = Self.states(bench).map(\.routes)
        let ownLSAs = bench.routers[1].databaseSnapshot(at: bench.now).filter(\.isOwn)
        #expect(ownLSAs.allSatisfy { $0.lsa.age < LSAHeader.refreshTime })
        bench.replace(1, after: .seconds(3))
        bench.run(for: .seconds(5))
        #expect(Self.states(bench).map(\.routes) == routes)
        for router in bench.routers {
            let lsas = router.databaseSnapshot(at: bench.now).map(\.lsa)
            for lsa in lsas where lsa.key.advertisingRouter == RouterID(2) && lsa.key.type == .router {
                #expect(lsa.age < 10)
            }
        }
    }

    /// A router that shuts down during its resumption flushes the LSAs of the earlier run.
    @Test func aShutdownDuringAResumptionFlushesTheLSAsOfTheEarlierRun() {
        var bench = Self.mesh(Self.square)
        // One neighbor cannot be reached, so that the resumption lasts.
        bench.cut.insert(0)
        bench.replace(1, after: .milliseconds(100))
        bench.run(for: .milliseconds(500))
        #expect(bench.routers[1].isResuming)
        bench.handle(.shutdown, on: 1)
        bench.run(for: .milliseconds(10))
        #expect(Self.linkCount(of: 1, asSeenBy: 0, bench) == 0)
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 0).isEmpty)
    }

    /// After a shutdown the LSAs are flushed, so there is nothing to resume, although the kernel still has the routes. If one
    /// neighbor receives nothing, the resumption ends 1 s after that neighbor's first hello, which comes within 1 s.
    @Test(arguments: [false, true]) func aResumptionAfterAShutdownEndsEarly(oneNeighborReceivesNothing: Bool) {
        var bench = Self.mesh(Self.square)
        bench.handle(.shutdown, on: 1)
        bench.run(for: .milliseconds(500))
        if oneNeighborReceivesNothing { bench.filter = { port, octets in port.router != 1 || port.interface != 1 } }
        bench.replace(1, after: .zero)
        bench.run(for: oneNeighborReceivesNothing ? .milliseconds(2100) : .milliseconds(50))
        #expect(!bench.routers[1].isResuming)
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 2).count == (oneNeighborReceivesNothing ? 1 : 2))
    }

    // MARK: - The neighbor's side

    /// The last hello of a router that shuts down lists nobody, like the first of a new process. But its LSAs have been flushed
    /// before, so the link is not held. 150 µs are enough for one link.
    @Test func theLinkToARouterThatShutsDownIsRemovedAtOnce() {
        var bench = Self.mesh(Self.row)
        bench.handle(.shutdown, on: 1)
        bench.run(for: .microseconds(150))
        #expect(Self.linkCount(of: 0, asSeenBy: 0, bench) == 0)
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 0).isEmpty)
    }

    /// Database descriptions (type 2) of the new process are lost, and it has announced nothing, so its neighbor holds the link for
    /// 1 s (`Router.linkHold`) and not longer.
    @Test func aLinkIsHeldForOneSecondIfTheExchangeDoesNotEnd() {
        var silent = GracefulRestartOptions()
        silent.period = nil
        var bench = Self.mesh(Self.row, restart: silent)
        bench.filter = { port, octets in port.router != 1 || octets[1] != 2 }
        bench.replace(1, after: .milliseconds(100))
        bench.run(for: .milliseconds(900))
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.exStart])
        #expect(Self.linkCount(of: 0, asSeenBy: 0, bench) == 1)
        bench.run(for: .milliseconds(200))
        #expect(Self.linkCount(of: 0, asSeenBy: 0, bench) == 0)
        #expect(bench.routers[0].routeTable.routes.isEmpty)
        bench.filter = { _, _ in true }
        bench.run(for: .seconds(5))
        #expect(bench.nextHops(of: Self.prefix(3).description, on: 0).count == 1)
    }

    /// One direction of a cable fails: router 1 receives nothing from router 0. In the square, the router-LSA of router 1
    /// without the link reaches router 0 over the other routers. In the row, only the hellos of router 1 show the failure: they
    /// no longer list router 0.
    @Test(arguments: [row, square]) func aLinkThatWorksInOneDirectionIsRemoved(links: [[Int]]) {
        var bench = Self.mesh(links)
        bench.filter = { port, _ in port != Bench.Port(router: 0, interface: 1) }
        while bench.routers[1].neighborSnapshots.contains(where: { $0.routerID == RouterID(1) }) {
            bench.run(for: .milliseconds(1))
        }
        // The next hello of router 1 comes within 1 s. In the row, router 0 holds the link for another second.
        let hasAnotherPath = links == Self.square
        bench.run(for: .milliseconds(hasAnotherPath ? 10 : 2010))
        if hasAnotherPath {
            #expect(bench.nextHops(of: Self.prefix(1).description, on: 0) == [.init(router: 2, interface: 2)])
            bench.run(for: .seconds(1))
        }
        #expect(Self.linkCount(of: 0, asSeenBy: 0, bench) == (hasAnotherPath ? 1 : 0))
    }

    /// A neighbor with another interface ID is another machine, or has booted again: it has no routes of an earlier run, so the
    /// link is not held.
    @Test func theLinkToANeighborWithAnotherInterfaceIDIsNotHeld() {
        var bench = Self.mesh(Self.row)
        bench.handle(.advertise([]), on: 3)
        bench.run(for: .seconds(1))
        bench.links[0][1] = .init(router: 1, interface: 9)
        bench.routers[1] = Router(
            configuration: RouterConfiguration(routerID: RouterID(2), seed: 99), at: bench.now)
        var interface = bench.routers[0].interfaceSnapshots[0].configuration
        interface.index = 9
        interface.linkLocalAddress = Bench.address(.init(router: 1, interface: 1))
        bench.filter = { _, octets in octets[1] == 1 }
        bench.handle(.interfaceUp(interface), on: 1)
        bench.run(for: .milliseconds(1))
        #expect(Self.linkCount(of: 0, asSeenBy: 0, bench) == 0)
    }
}

extension Bench {
    /// Ends a router's process without a shutdown and, after `pause`, starts another, with a resumption limit of 4 s.
    /// `interfaces` are those that are up when it starts, by default the same as before; `prefixes` and `externals` are what
    /// the new process announces, by default the router's own prefix alone.
    fileprivate mutating func replace(
        _ router: Int, after pause: Duration, interfaces: [InterfaceConfiguration]? = nil,
        prefixes: [IPv6Prefix]? = nil, externals: [ExternalPrefix] = []
    ) {
        let old = routers[router]
        let interfaces = interfaces ?? old.interfaceSnapshots.map(\.configuration)
        var configuration = old.configuration
        configuration.seed &+= 100
        configuration.resumptionLimit = .seconds(4)
        // A router without interfaces stands for no process: it neither sends nor receives anything.
        routers[router] = Router(configuration: configuration, at: now)
        run(for: pause)
        routers[router] = Router(configuration: configuration, at: now)
        let own = IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32, low: UInt64(router)))
        handle(.advertise((prefixes ?? [own]).map { AdvertisedPrefix(prefix: $0) }), on: router)
        if !externals.isEmpty { handle(.advertiseExternal(externals), on: router) }
        for interface in interfaces { handle(.interfaceUp(interface), on: router) }
    }
}
