import Addressing
import OSPF
import Testing
import Timing

/// Neighbors that do not answer, as something other than hellos tells (RFC 5882).
@Suite struct UnresponsiveNeighborTests {
    private static let prefix = AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::1/128"))

    /// Routers 0 and 1 on a link.
    private func bench(_ kind: InterfaceConfiguration.Kind) -> Bench {
        var bench = Bench()
        bench.addRouters(2)
        bench.handle(.advertise([Self.prefix]), on: 1)
        bench.connect([0, 1], kind: kind)
        bench.run(for: .seconds(20))
        return bench
    }

    private func state(_ bench: Bench, _ router: Int) -> NeighborState? {
        bench.routers[router].neighborSnapshots.first?.state
    }

    private func tell(_ bench: inout Bench, _ router: Int, isAlive: Bool) {
        let address = bench.routers[router].neighborSnapshots[0].address
        bench.handle(.neighborLiveness(interface: 1, address: address, isAlive: isAlive), on: router)
    }

    @Test(arguments: [InterfaceConfiguration.Kind.pointToPoint, .broadcast])
    func aNeighborThatDoesNotAnswerIsOutOfUseAtOnceForBoth(kind: InterfaceConfiguration.Kind) {
        var bench = bench(kind)
        #expect(state(bench, 0) == .full && bench.nextHops(of: "2001:db8::1/128", on: 0) != [])
        tell(&bench, 0, isAlive: false)
        #expect(state(bench, 0) == .initial)
        bench.run(for: .milliseconds(50))
        #expect(bench.nextHops(of: "2001:db8::1/128", on: 0) == [])
        #expect(state(bench, 1) == .initial, "a hello that does not list it says so at once")
        // Its hellos are heard, and change nothing.
        bench.run(for: .seconds(60))
        #expect(state(bench, 0) == .initial && state(bench, 1) == .initial)
        tell(&bench, 0, isAlive: true)
        bench.run(for: .seconds(kind == .broadcast ? 5 : 1))
        #expect(state(bench, 0) == .full && state(bench, 1) == .full)
        #expect(bench.nextHops(of: "2001:db8::1/128", on: 0) != [])
    }

    /// One that learns of its failure otherwise stays listed, so that it begins an exchange; nothing of that is taken until it answers.
    @Test(arguments: [InterfaceConfiguration.Kind.pointToPoint, .broadcast])
    func aNeighborThatIsListedIsOutOfUseAllTheSame(kind: InterfaceConfiguration.Kind) {
        var bench = bench(kind)
        let address = bench.routers[0].neighborSnapshots[0].address
        func tell(isAlive: Bool, isListed: Bool) {
            bench.handle(
                .neighborLiveness(interface: 1, address: address, isAlive: isAlive, isListed: isListed), on: 0)
        }
        tell(isAlive: false, isListed: true)
        bench.run(for: .seconds(60))
        #expect(state(bench, 0) == .initial && state(bench, 1) ?? .down > .initial)
        #expect(bench.nextHops(of: "2001:db8::1/128", on: 0) == [])
        // Another detector, after which it is not listed, and again the first one alone.
        tell(isAlive: false, isListed: false)
        bench.run(for: .seconds(2))
        #expect(state(bench, 0) == .initial && state(bench, 1) == .initial)
        tell(isAlive: false, isListed: true)
        bench.run(for: .seconds(2))
        #expect(state(bench, 0) == .initial && state(bench, 1) ?? .down > .initial)
        tell(isAlive: true, isListed: true)
        bench.run(for: .seconds(10))
        #expect(state(bench, 0) == .full && state(bench, 1) == .full)
        #expect(bench.nextHops(of: "2001:db8::1/128", on: 0) != [])
    }

    /// Neither side lists the other, so hellos must not call for more hellos.
    @Test func twoThatDoNotAnswerEachOtherSendOrdinaryHellosOnly() {
        var bench = bench(.pointToPoint)
        tell(&bench, 0, isAlive: false)
        tell(&bench, 1, isAlive: false)
        bench.run(for: .seconds(2))
        let before = bench.sent.count
        bench.run(for: .seconds(60))
        #expect((100...140).contains(bench.sent.count - before))
        tell(&bench, 1, isAlive: true)
        bench.run(for: .seconds(5))
        #expect(state(bench, 0) == .initial && state(bench, 1) ?? .full < .full)
        tell(&bench, 0, isAlive: true)
        bench.run(for: .seconds(6))
        #expect(state(bench, 0) == .full && state(bench, 1) == .full)
    }

    /// Only the answers are missing: its hellos list us although we have been without an answer for longer than the dead
    /// interval.
    @Test func aNeighborThatHearsUsIsReported() {
        var bench = bench(.pointToPoint)
        func isReported() -> Bool {
            bench.notices[0].contains { if case .unresponsiveNeighborHearsUs = $0 { true } else { false } }
        }
        tell(&bench, 0, isAlive: false)
        bench.run(for: .milliseconds(4_900))
        #expect(!isReported())
        bench.run(for: .seconds(2))
        #expect(isReported())
    }

    /// Only the answers are missing, of both. Each stops listing the other, and would never learn that the other hears it.
    @Test func oneOfTwoThatDoNotAnswerEachOtherIsReported() {
        var bench = bench(.pointToPoint)
        func isReported(by router: Int) -> Bool {
            bench.notices[router].contains { if case .unresponsiveNeighborHearsUs = $0 { true } else { false } }
        }
        tell(&bench, 0, isAlive: false)
        tell(&bench, 1, isAlive: false)
        bench.run(for: .seconds(4))
        #expect(!isReported(by: 0) && !isReported(by: 1))
        bench.run(for: .seconds(8))
        #expect(isReported(by: 0) || isReported(by: 1))
        tell(&bench, isReported(by: 0) ? 0 : 1, isAlive: true)
        bench.run(for: .seconds(8))
        #expect(isReported(by: 0) && isReported(by: 1))
    }

    /// On a cable that carries packets from the other side only, the other side does not hear us.
    @Test func aNeighborThatDoesNotHearUsIsNotReported() {
        var bench = bench(.pointToPoint)
        bench.filter = { from, _ in from.router != 0 }
        tell(&bench, 0, isAlive: false)
        bench.run(for: .seconds(60))
        #expect(state(bench, 0) == .initial, "its hellos arrive")
        #expect(bench.routers[1].neighborSnapshots.isEmpty)
        #expect(!bench.notices[0].contains { if case .unresponsiveNeighborHearsUs = $0 { true } else { false } })
    }

    /// Its database descriptions show that it hears us, and yet no adjacency begins.
    @Test func descriptionsOfANeighborThatDoesNotAnswerAreIgnored() {
        var bench = bench(.pointToPoint)
        tell(&bench, 0, isAlive: false)
        // A new process there knows nothing of it.
        let address = bench.routers[1].neighborSnapshots[0].address
        bench.handle(.neighborLiveness(interface: 1, address: address, isAlive: true), on: 1)
        bench.run(for: .seconds(30))
        #expect(state(bench, 0) == .initial)
    }

    @Test func unknownNeighborsAndRepetitionsChangeNothing() {
        var bench = bench(.pointToPoint)
        for (interface, address) in [(1, "fe80::dead"), (9, "fe80::1")] as [(UInt32, String)] {
            bench.handle(
                .neighborLiveness(interface: interface, address: IPv6Address(address)!, isAlive: false), on: 0)
        }
        tell(&bench, 0, isAlive: true)
        bench.run(for: .seconds(5))
        #expect(state(bench, 0) == .full && bench.lost[0].isEmpty)
    }
}
