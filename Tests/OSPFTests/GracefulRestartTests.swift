import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// Restarts that a router announces with grace-LSAs (RFC 3623, RFC 5187), and neighbors that help. Routers 0 to 2 are in a row, and
/// 1 restarts.
@Suite struct GracefulRestartTests {
    private static func prefix(_ router: Int) -> String { "2001:db8::\(router + 1)/128" }

    private static func mesh(_ options: GracefulRestartOptions = GracefulRestartOptions()) -> Bench {
        var bench = Bench()
        for router in 0..<4 {
            _ = bench.addRouter(
                RouterConfiguration(
                    routerID: RouterID(UInt32(router + 1)), hostname: "n\(router + 1)", seed: UInt64(router),
                    gracefulRestart: options))
        }
        for link in [[0, 1], [1, 2], [2, 3]] { bench.connect(link) }
        for router in 0..<4 {
            bench.handle(.advertise([AdvertisedPrefix(prefix: IPv6Prefix(prefix(router))!)]), on: router)
        }
        bench.run(for: .seconds(20))
        return bench
    }

    /// The process of router 1 ends. Returns its interfaces.
    private static func end(_ bench: inout Bench) -> [InterfaceConfiguration] {
        let interfaces = bench.routers[1].interfaceSnapshots.map(\.configuration)
        bench.routers[1] = Router(configuration: bench.routers[1].configuration, at: bench.now)
        return interfaces
    }

    /// The next process of router 1 starts.
    private static func start(_ interfaces: [InterfaceConfiguration], _ bench: inout Bench) {
        var configuration = bench.routers[1].configuration
        configuration.seed &+= 100
        configuration.resumptionLimit = .seconds(4)
        bench.routers[1] = Router(configuration: configuration, at: bench.now)
        bench.handle(.advertise([AdvertisedPrefix(prefix: IPv6Prefix(prefix(1))!)]), on: 1)
        for interface in interfaces { bench.handle(.interfaceUp(interface), on: 1) }
    }

    private static func exits(_ bench: Bench, of router: Int = 0) -> [HelperExit: UInt64] {
        bench.routers[router].statistics.helperExits
    }

    /// The process is away for longer than the dead interval, and no other router notices.
    @Test func anAnnouncedRestartOfThirtySecondsChangesNothing() {
        var bench = Self.mesh()
        let calculations = [0, 2, 3].map { bench.routers[$0].statistics.routeCalculations }
        bench.handle(.announceRestart(.softwareRestart), on: 1)
        #expect(!bench.routers[1].isRestartAcknowledged)
        bench.run(for: .milliseconds(30))
        #expect(bench.routers[1].isRestartAcknowledged)
        #expect(bench.routers[0].neighborSnapshots[0].restart?.reason == .softwareRestart)
        let interfaces = Self.end(&bench)
        bench.run(for: .seconds(30))
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.initial])
        #expect(bench.nextHops(of: Self.prefix(3), on: 0).count == 1)
        Self.start(interfaces, &bench)
        bench.run(for: .seconds(10))
        #expect(bench.routers[0].neighborSnapshots.map(\.state) == [.full])
        #expect([0, 2, 3].map { bench.routers[$0].statistics.routeCalculations } == calculations)
        #expect(Self.exits(bench) == [.completed: 1] && Self.exits(bench, of: 2) == [.completed: 1])
        #expect(bench.routers.allSatisfy { $0.isQuiet })
        #expect(bench.lost.joined().isEmpty)
    }

    /// Some seconds after a change of its prefixes, a router puts them in fewer LSAs. That changes no route.
    @Test func prefixesThatMoveToAnotherLSADoNotEndHelp() {
        var bench = Self.mesh()
        func prefixLSAs() -> Int {
            bench.routers[0].databaseSnapshot(at: bench.now).count {
                $0.lsa.key.type == .intraAreaPrefix && $0.lsa.key.advertisingRouter == RouterID(4)
                    && $0.lsa.age < LSAHeader.maxAge
            }
        }
        let prefixes = [Self.prefix(3), "2001:db8::98/128", "2001:db8::99/128"].map {
            AdvertisedPrefix(prefix: IPv6Prefix($0)!)
        }
        // An LSA that has just changed cannot change again so soon, so the last prefix is in another.
        for count in 2...3 {
            bench.handle(.advertise(Array(prefixes.prefix(count))), on: 3)
            bench.run(for: .milliseconds(500))
        }
        #expect(prefixLSAs() == 2)
        bench.handle(.announceRestart(.softwareRestart), on: 1)
        bench.run(for: .milliseconds(30))
        let interfaces = Self.end(&bench)
        bench.run(for: .seconds(30))
        // Behind the router that restarts nothing is heard of it. There the prefixes have moved.
        #expect(bench.routers[2].databaseSnapshot(at: bench.now).count { $0.lsa.key.type == .intraAreaPrefix } == 4)
        #expect(Self.exits(bench) == [:] && Self.exits(bench, of: 2) == [:])
        Self.start(interfaces, &bench)
        bench.run(for: .seconds(10))
        #expect(prefixLSAs() == 1)
        #expect(Self.exits(bench) == [.completed: 1] && Self.exits(bench, of: 2) == [.completed: 1])

        // A prefix that goes does end it.
        bench.handle(.announceRestart(.softwareRestart), on: 1)
        bench.run(for: .milliseconds(30))
        _ = Self.end(&bench)
        bench.handle(.advertise([prefixes[0]]), on: 3)
        bench.run(for: .seconds(1))
        #expect(Self.exits(bench, of: 2)[.topologyChanged] == 1)
    }

    @Test func aRouterThatDoesNotReturnIsGoneAfterTheGracePeriod() {
        var options = GracefulRestartOptions()
        options.period = .seconds(20)
        var bench = Self.mesh(options)
        bench.handle(.announceRestart(.softwareReload), on: 1)
        bench.run(for: .milliseconds(30))
        _ = Self.end(&bench)
        bench.run(for: .milliseconds(18_500))
        #expect(bench.nextHops(of: Self.prefix(3), on: 0).count == 1)
        bench.run(for: .seconds(2))
        #expect(bench.nextHops(of: Self.prefix(3), on: 0).isEmpty)
        #expect(bench.routers[0].neighborSnapshots.isEmpty)
        #expect(Self.exits(bench) == [.expired: 1])
    }

    /// Whatever the neighbor forwards by, it does not know the change: router 3 has another prefix.
    @Test(arguments: [true, false]) func aChangedLSAEndsHelpIfLSAsAreCheckedStrictly(isStrict: Bool) {
        var options = GracefulRestartOptions()
        options.checksLSAsStrictly = isStrict
        var bench = Self.mesh(options)
        bench.handle(.announceRestart(.softwareRestart), on: 1)
        bench.run(for: .milliseconds(30))
        _ = Self.end(&bench)
        bench.run(for: .seconds(10))
        bench.handle(.advertise([]), on: 3)
        bench.run(for: .seconds(1))
        #expect(Self.exits(bench, of: 2) == (isStrict ? [.topologyChanged: 1] : [:]))
        #expect(bench.nextHops(of: Self.prefix(0), on: 2).isEmpty == isStrict)
    }

    /// The cable breaks while the neighbor restarts: echo requests tell, and no grace period counts.
    @Test func aNeighborThatDoesNotAnswerIsOutOfUseAtOnce() {
        var bench = Self.mesh()
        bench.handle(.announceRestart(.softwareRestart), on: 1)
        bench.run(for: .milliseconds(30))
        _ = Self.end(&bench)
        bench.run(for: .seconds(10))
        let address = bench.routers[0].neighborSnapshots[0].address
        bench.handle(.neighborLiveness(interface: 1, address: address, isAlive: false), on: 0)
        bench.run(for: .milliseconds(10))
        #expect(bench.nextHops(of: Self.prefix(3), on: 0).isEmpty)
        #expect(Self.exits(bench) == [.unresponsive: 1])
    }

    /// Without an announcement of the earlier process, the next one asks before its first hello, so that other implementations
    /// help, too.
    @Test func aRouterThatResumesSendsAGraceLSABeforeItsFirstHello() throws {
        var bench = Self.mesh()
        let interfaces = Self.end(&bench)
        bench.run(for: .seconds(1))
        bench.sent = []
        Self.start(interfaces, &bench)
        let first = bench.sent.filter { $0.from.router == 1 && $0.from.interface == interfaces[0].index }
        let types = first.prefix(2).map { $0.octets[1] }
        #expect(types == [4, 1])
        bench.run(for: .seconds(10))
        #expect(Self.exits(bench) == [.completed: 1])
        #expect(bench.routers.allSatisfy { $0.isQuiet })
    }

    /// Grace-LSAs that nobody should follow: each has a counter, and no link is held.
    @Test func wrongGraceLSAsAreCountedAndHaveNoEffect() {
        var bench = Self.mesh()
        var number = LSAHeader.initialSequenceNumber
        func send(_ body: GraceLSA, age: UInt16 = 1, by router: UInt32 = 2) {
            number += 1
            let key = LSAKey(type: .grace, linkStateID: 1, advertisingRouter: RouterID(router))
            let lsa = LSA(key: key, age: age, sequenceNumber: number, body: .grace(body))
            let source = Bench.address(.init(router: 1, interface: 1))
            let octets = Packet(
                header: PacketHeader(routerID: RouterID(2), areaID: .backbone, instanceID: 0),
                body: .linkStateUpdate(LinkStateUpdate(lsas: [lsa]))
            ).encode(source: source, destination: .allSPFRouters)
            bench.handle(
                .packet(interface: 1, source: source, destination: .allSPFRouters, octets: octets), on: 0)
            bench.run(for: .seconds(2))
        }
        let reason = GraceLSA.TLV.reason(1)
        send(GraceLSA(values: [.period(0), reason]))
        send(GraceLSA(values: [.period(60)]))
        send(GraceLSA(values: [.period(60), .reason(4)]))
        send(GraceLSA(values: [reason, .unknown(type: 7, value: [1, 2, 3])]))
        send(GraceLSA(values: [.period(60), reason]), age: 60)
        send(GraceLSA(values: [.period(60), reason]), by: 77)
        #expect(
            bench.routers[0].statistics.graceRefusals == [.malformed: 4, .expired: 1, .unknownNeighbor: 1])
        #expect(bench.routers[0].neighborSnapshots.allSatisfy { $0.restart == nil })
        // The longest period is bounded, and unknown TLVs are skipped.
        send(GraceLSA(values: [.unknown(type: 3, value: [10, 0, 0, 1]), .period(.max), reason]))
        let restart = bench.routers[0].neighborSnapshots[0].restart
        #expect(restart.map { $0.until - bench.now <= .seconds(1800) } == true)
    }

    @Test func aRouterThatDoesNotHelpRefuses() {
        var options = GracefulRestartOptions()
        options.helps = false
        var bench = Self.mesh(options)
        bench.handle(.announceRestart(.softwareRestart), on: 1)
        bench.run(for: .milliseconds(30))
        #expect(bench.routers[1].isRestartAcknowledged)
        _ = Self.end(&bench)
        bench.run(for: .seconds(5))
        #expect(bench.nextHops(of: Self.prefix(3), on: 0).isEmpty)
        #expect(bench.routers[0].statistics.graceRefusals == [.disabled: 1])
    }
}
