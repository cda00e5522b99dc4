import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// A router is replaced by its next process, whose kernel has kept the routes. The mesh shall not notice.
@Suite struct ReplacementTests {
    /// What the others hold: it must stay as it is, to the number of calculations.
    private struct View: Equatable {
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

    /// Nodes 0 to 3, each with a prefix, in a row or a square. Node 1 is the one that is replaced.
    private static let row = [[0, 1], [1, 2], [2, 3]]
    private static let square = [[0, 1], [0, 2], [1, 3], [2, 3]]

    private static func prefix(_ router: Int) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32, low: UInt64(router)))
    }

    private static func mesh(
        _ links: [[Int]], kind: InterfaceConfiguration.Kind = .pointToPoint
    ) -> Bench {
        var bench = Bench()
        for router in 0..<4 {
            _ = bench.addRouter(
                RouterConfiguration(
                    routerID: RouterID(UInt32(router + 1)), routerIDIsDerived: true, hostname: "n\(router + 1)",
                    hardwareFingerprint: [UInt8](repeating: UInt8(router), count: 32), seed: UInt64(router)))
        }
        for link in links { bench.connect(link, kind: kind) }
        for router in 0..<4 {
            bench.handle(.advertise([AdvertisedPrefix(prefix: prefix(router))]), on: router)
        }
        bench.run(for: .seconds(20))
        return bench
    }

    private static func views(_ bench: Bench, without replaced: Set<Int> = [1]) -> [View] {
        bench.routers.indices.filter { !replaced.contains($0) }.map { View(of: bench.routers[$0], at: bench.now) }
    }

    /// The number of links that a router tells, as another has it.
    private static func linkCount(of router: Int, asSeenBy other: Int, _ bench: Bench) -> Int {
        bench.routers[other].databaseSnapshot(at: bench.now).map(\.lsa).filter {
            $0.key.type == .router && $0.key.advertisingRouter == RouterID(UInt32(router + 1))
                && $0.age < LSAHeader.maxAge
        }.reduce(0) { count, lsa in
            guard case .router(let body)? = try? lsa.body() else { return count }
            return count + body.links.count
        }
    }

    @Test(arguments: [row, square], [0, 1, 300, 2900])
    func aReplacedRouterIsNotNoticed(links: [[Int]], pause: Int) {
        var bench = Self.mesh(links)
        let before = Self.views(bench)
        let routes = View(of: bench.routers[1], at: bench.now)
        bench.replace(1, after: .milliseconds(pause))
        #expect(!bench.routers[1].isSynchronized)
        bench.run(for: .milliseconds(100))
        #expect(bench.routers[1].isSynchronized && !bench.routers[1].isResuming)
        bench.run(for: .seconds(20))
        #expect(Self.views(bench) == before)
        let after = View(of: bench.routers[1], at: bench.now)
        #expect(after.lsas == routes.lsas)
        #expect(bench.routers[1].routeTable.routes.count == 3)
        for other in [0, 2, 3] {
            let prefix = Self.prefix(other).description
            #expect(!bench.nextHops(of: prefix, on: 1).isEmpty)
        }
        #expect(bench.routers.allSatisfy { $0.isQuiet })
        #expect(!bench.notices.joined().contains { if case .duplicateRouterID = $0 { true } else { false } })
    }

    @Test func automaticCablesAreHeldToo() {
        var bench = Self.mesh(Self.row, kind: .auto)
        let before = Self.views(bench)
        bench.replace(1, after: .milliseconds(100))
        bench.run(for: .seconds(10))
        #expect(Self.views(bench) == before)
    }

    @Test(arguments: [1, 3, 10, 40]) func twiceInARowIsNotNoticedEither(distance: Int) {
        var bench = Self.mesh(Self.row)
        let before = Self.views(bench)
        bench.replace(1, after: .milliseconds(20))
        bench.run(for: .milliseconds(distance))
        bench.replace(1, after: .milliseconds(distance))
        bench.run(for: .seconds(20))
        #expect(Self.views(bench) == before)
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// Two neighbors find each other first, and neither knows anything of its earlier life yet.
    @Test(arguments: [row, square]) func neighborsReplacedAtOnceAreNotNoticed(links: [[Int]]) {
        var bench = Self.mesh(links)
        let replaced: Set = [1, links == Self.row ? 2 : 3]
        let before = Self.views(bench, without: replaced)
        for router in replaced.sorted() { bench.replace(router, after: .zero) }
        bench.filter = { port, octets in replaced.contains(port.router) || octets[1] == 1 }
        bench.run(for: .milliseconds(50))
        bench.filter = { _, _ in true }
        bench.run(for: .seconds(20))
        #expect(Self.views(bench, without: replaced) == before)
    }

    @Test func onlyWhatIsDifferentIsTold() {
        var bench = Self.mesh(Self.row)
        let before = Self.views(bench)
        let fullRuns = bench.routers[3].calculationStatistics.fullRuns
        bench.replace(1, after: .milliseconds(20), prefixes: [IPv6Prefix("2001:db8:1::/64")])
        bench.run(for: .seconds(20))
        for (old, new) in zip(before, Self.views(bench)) {
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

    /// Prefixes that came and went are in LSAs that a router which starts with the rest of them would fill in another way.
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
        let before = Self.views(bench)
        #expect(before[0].lsas.count { $0.key.type == .intraAreaPrefix && $0.key.advertisingRouter == RouterID(2) } > 5)
        bench.replace(1, after: .milliseconds(100), prefixes: prefixes(200..<900), externals: externals(3..<9))
        bench.run(for: .seconds(20))
        #expect(Self.views(bench) == before)
    }

    @Test func whatAnEarlierLifeSaidAndNobodyWantsIsFlushed() {
        var bench = Self.mesh(Self.row)
        bench.handle(.advertiseExternal([ExternalPrefix(prefix: .default, metric: 1)]), on: 1)
        bench.run(for: .seconds(5))
        #expect(!bench.nextHops(of: "::/0", on: 3).isEmpty)
        bench.replace(1, after: .milliseconds(20))
        bench.run(for: .seconds(5))
        #expect(bench.nextHops(of: "::/0", on: 3).isEmpty)
        #expect(!bench.routers[3].databaseSnapshot(at: bench.now).contains { $0.lsa.key.type == .asExternal })
    }

    /// While nobody is there a cable is pulled; its port does not come up, and so is not waited for.
    @Test func aCableLostMeanwhileIsNotWaitedFor() {
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

    /// A neighbor has died meanwhile: what it cannot do any more is found out by silence, as always.
    @Test func aNeighborThatDiedMeanwhileIsWaitedForUntilTheDeadline() {
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

    /// Away for longer than the dead interval: the links are gone, and nobody is waited for.
    @Test func whoWasAwayTooLongBeginsAnewAtOnce() {
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

    /// Also the LSAs of links, which are told from the beginning, have higher numbers by then.
    @Test func whatHasBeenRefreshedIsTakenUp() {
        var bench = Self.mesh(Self.row)
        bench.run(for: .seconds(2000))
        let before = Self.views(bench)
        bench.replace(1, after: .seconds(1))
        bench.run(for: .seconds(20))
        #expect(Self.views(bench) == before)
    }

    @Test func lsasDueForRefreshAreRefreshed() {
        var bench = Self.mesh(Self.row)
        bench.run(for: .seconds(1777))
        let routes = Self.views(bench).map(\.routes)
        let originations = bench.routers[1].databaseSnapshot(at: bench.now).filter(\.isOwn)
        #expect(originations.allSatisfy { $0.lsa.age < LSAHeader.refreshTime })
        bench.replace(1, after: .seconds(3))
        bench.run(for: .seconds(5))
        #expect(Self.views(bench).map(\.routes) == routes)
        for router in bench.routers {
            let lsas = router.databaseSnapshot(at: bench.now).map(\.lsa)
            for lsa in lsas where lsa.key.advertisingRouter == RouterID(2) && lsa.key.type == .router {
                #expect(lsa.age < 10)
            }
        }
    }

    @Test func whoTakesLeaveWhileResumingLeavesNothingBehind() {
        var bench = Self.mesh(Self.square)
        // One neighbor is deaf, so that the resumption lasts.
        bench.cut.insert(0)
        bench.replace(1, after: .milliseconds(100))
        bench.run(for: .milliseconds(500))
        #expect(bench.routers[1].isResuming)
        bench.handle(.shutdown, on: 1)
        bench.run(for: .milliseconds(10))
        #expect(Self.linkCount(of: 1, asSeenBy: 0, bench) == 0)
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 0).isEmpty)
    }

    /// After a goodbye there is nothing to resume, though the routes are still there.
    @Test(arguments: [false, true]) func whoHasSaidGoodbyeIsBackAtOnce(oneIsDeaf: Bool) {
        var bench = Self.mesh(Self.square)
        bench.handle(.shutdown, on: 1)
        bench.run(for: .milliseconds(500))
        if oneIsDeaf { bench.filter = { port, octets in port.router != 1 || port.interface != 1 } }
        bench.replace(1, after: .zero)
        bench.run(for: oneIsDeaf ? .milliseconds(2100) : .milliseconds(50))
        #expect(!bench.routers[1].isResuming)
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 2).count == (oneIsDeaf ? 1 : 2))
    }

    // MARK: - The neighbor's side

    /// The goodbye looks like the first word of a new process; but what it leaves has been flushed.
    @Test func aGoodbyeIsFollowedAtOnce() {
        var bench = Self.mesh(Self.row)
        bench.handle(.shutdown, on: 1)
        bench.run(for: .microseconds(150))
        #expect(Self.linkCount(of: 0, asSeenBy: 0, bench) == 0)
        #expect(bench.nextHops(of: Self.prefix(1).description, on: 0).isEmpty)
    }

    @Test func anExchangeThatDoesNotEndIsNotWaitedForLong() {
        var bench = Self.mesh(Self.row)
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

    /// One direction of a cable fails. Its other end says so to whoever can hear it, and in the end by its hello alone.
    @Test(arguments: [row, square]) func aCableThatWorksOneWayIsGivenUp(links: [[Int]]) {
        var bench = Self.mesh(links)
        // Node 1 hears node 0 no more.
        bench.filter = { port, _ in port != Bench.Port(router: 0, interface: 1) }
        while bench.routers[1].neighborSnapshots.contains(where: { $0.routerID == RouterID(1) }) {
            bench.run(for: .milliseconds(1))
        }
        // Its next hello is at most a second away. In the row only that tells, and the link is held for one more.
        let hasAnotherWay = links == Self.square
        bench.run(for: .milliseconds(hasAnotherWay ? 10 : 2010))
        if hasAnotherWay {
            #expect(bench.nextHops(of: Self.prefix(1).description, on: 0) == [.init(router: 2, interface: 2)])
            bench.run(for: .seconds(1))
        }
        #expect(Self.linkCount(of: 0, asSeenBy: 0, bench) == (hasAnotherWay ? 1 : 0))
    }

    /// A machine that comes back with other interface numbers has no routes of an earlier life.
    @Test func anotherMachineIsNotTakenForTheOldOne() {
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
    /// Ends a router's process without a word and, after a while, starts another that resumes its life.
    fileprivate mutating func replace(
        _ router: Int, after pause: Duration, interfaces: [InterfaceConfiguration]? = nil,
        prefixes: [IPv6Prefix]? = nil, externals: [ExternalPrefix] = []
    ) {
        let old = routers[router]
        let interfaces = interfaces ?? old.interfaceSnapshots.map(\.configuration)
        var configuration = old.configuration
        configuration.seed &+= 100
        configuration.resumptionLimit = .seconds(4)
        // A process that is gone neither speaks nor takes anything in.
        routers[router] = Router(configuration: configuration, at: now)
        run(for: pause)
        routers[router] = Router(configuration: configuration, at: now)
        let own = IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32, low: UInt64(router)))
        handle(.advertise((prefixes ?? [own]).map { AdvertisedPrefix(prefix: $0) }), on: router)
        if !externals.isEmpty { handle(.advertiseExternal(externals), on: router) }
        for interface in interfaces { handle(.interfaceUp(interface), on: router) }
    }
}
