import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct LateDescriptionTests {
    /// Found by the simulator: on a link with a round trip longer than our first retransmission delay (100 ms), copies of
    /// descriptions arrive after later ones. Each copy restarted the exchange, so the exchange of a large database never ended.
    @Test func lateCopiesOfDescriptionsDoNotRestartTheExchange() {
        var bench = Bench()
        bench.addRouters(2)
        for router in 0..<2 {
            let externals = (0..<300).map {
                ExternalPrefix(prefix: .init(.init(high: 0x2001 << 48 | UInt64(router * 300 + $0), low: 0), length: 64))
            }
            bench.handle(.advertiseExternal(externals), on: router)
        }
        bench.connect([0, 1])
        bench.run(for: .seconds(1))
        // Type 2 is database description.
        let descriptions = bench.sent.filter { $0.octets[1] == 2 }
        #expect(descriptions.count >= 8)
        for router in 0..<2 {
            let neighbor = bench.routers[router].neighborSnapshots[0]
            #expect(neighbor.state == .full)
            for copy in descriptions where copy.from.router != router {
                bench.handle(
                    .packet(
                        interface: copy.from.interface, source: neighbor.address,
                        destination: Bench.address(.init(router: router, interface: copy.from.interface)),
                        octets: copy.octets), on: router)
            }
            let after = bench.routers[router].neighborSnapshots[0]
            #expect(after.state == .full && after.stateChanges == neighbor.stateChanges)
        }
    }

    /// A description that starts a new exchange has another sequence number than the copies of the old one.
    @Test func aFirstDescriptionWithANewSequenceNumberRestartsTheExchange() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1])
        bench.run(for: .seconds(2))
        // Router 1 restarts without its state. Its hellos that list no neighbor (36 octets), which would show that, are lost.
        let interface = bench.routers[1].interfaceSnapshots[0].configuration
        bench.routers[1] = Router(
            configuration: RouterConfiguration(routerID: bench.routers[1].configuration.routerID, seed: 99),
            at: bench.now)
        bench.filter = { port, octets in port.router == 0 || octets[1] != 1 || octets.count > 36 }
        bench.handle(.interfaceUp(interface), on: 1)
        bench.run(for: .seconds(3))
        #expect(bench.routers.allSatisfy { $0.neighborSnapshots.map(\.state) == [.full] })
        #expect(bench.routers[0].databaseChecksum == bench.routers[1].databaseChecksum)
    }
}

extension LateDescriptionTests {
    /// Found by the simulator: a neighbor starts a new exchange, and the last answer of its old one arrives after that. Router
    /// 0 goes to Exchange, while the neighbor is in ExStart and repeats its first description. That must restart the exchange,
    /// but not before two retransmission intervals (2 s): until then it may be a late copy.
    @Test func aRepeatedFirstDescriptionRestartsTheExchangeAfterTwoRetransmissionIntervals() throws {
        var bench = Bench()
        _ = bench.addRouter(RouterConfiguration(routerID: RouterID(9), seed: 1))
        bench.connect([0])
        let neighbor = ForeignNeighbor()
        neighbor.sendHello(listing: [RouterID(9)], in: &bench)
        let ours = try #require(descriptions(in: &bench).last)
        #expect(bench.onlyState == .exStart && ours.flags.contains(.initialize))
        func describe(_ flags: DatabaseDescription.Flags, _ sequenceNumber: UInt32) {
            let description = DatabaseDescription(
                options: neighbor.options, interfaceMTU: 1500, flags: flags, sequenceNumber: sequenceNumber, headers: []
            )
            neighbor.sendPacket(.databaseDescription(description), in: &bench)
        }
        let theirFirstNumber = ours.sequenceNumber + 1
        describe([.initialize, .more, .master], theirFirstNumber)
        #expect(bench.onlyState == .exStart, "router 0 is the master and does not accept another")
        describe([.more], ours.sequenceNumber)
        #expect(bench.onlyState == .exchange)
        for second in 1...3 {
            bench.run(for: .seconds(1))
            neighbor.sendHello(listing: [RouterID(9)], in: &bench)
            describe([.initialize, .more, .master], theirFirstNumber)
            #expect(
                bench.onlyState == (second <= 2 ? .exchange : .exStart),
                "only a copy later than 2 s restarts the exchange")
        }
        let restart = try #require(descriptions(in: &bench).last)
        describe([], restart.sequenceNumber)
        #expect(bench.onlyState == .full || bench.onlyState == .exchange)
        let next = try #require(descriptions(in: &bench).last)
        describe([], next.sequenceNumber)
        #expect(bench.onlyState == .full)
    }

    private func descriptions(in bench: inout Bench) -> [DatabaseDescription] {
        bench.takeSent().compactMap { if case .databaseDescription(let description) = $0 { description } else { nil } }
    }
}

@Suite struct RepeatedDescriptionTests {
    /// The slave answers a repetition of the last description as before, for RouterDeadInterval, 4 s (RFC 2328 §10.8). A later
    /// one restarts the exchange.
    @Test(arguments: [3, 5] as [Int64]) func aRepeatedLastDescriptionIsAnsweredForTheDeadInterval(seconds: Int64) {
        var bench = Bench()
        bench.addRouters(1)
        bench.connect([0])
        var neighbor = ForeignNeighbor()
        neighbor.beginExchange(in: &bench)
        neighbor.describe([], in: &bench)
        #expect(bench.onlyState == .full)
        for _ in 0..<seconds {
            bench.run(for: .seconds(1))
            neighbor.sendHello(in: &bench)
        }
        _ = bench.takeSent()
        neighbor.sequenceNumber -= 1
        neighbor.describe([], in: &bench)
        let answers = bench.takeSent().compactMap { body in
            if case .databaseDescription(let answer) = body { answer } else { nil }
        }
        #expect(answers.count == 1)
        #expect(bench.onlyState == (seconds < 4 ? .full : .exStart))
        #expect(answers.first?.flags.contains(.initialize) == (seconds > 4))
    }

    /// Found by the simulator: the first description of an earlier exchange overtakes nothing, but arrives late. The slave
    /// restarted the exchange, and then described its database, with new LSAs, under a number that the master had an answer for.
    @Test func aLateCopyOfTheFirstDescriptionOfAnEarlierExchangeIsIgnored() {
        var bench = Bench()
        bench.addRouters(1)
        bench.connect([0])
        var neighbor = ForeignNeighbor()
        neighbor.beginExchange(in: &bench)
        #expect(bench.onlyState == .exchange)
        var earlier = neighbor
        earlier.sequenceNumber -= 1
        earlier.describe([], flags: [.initialize, .more, .master], in: &bench)
        #expect(bench.onlyState == .exchange)
        neighbor.describe([], flags: [.master], in: &bench)
        #expect(bench.onlyState == .full)
        earlier.describe([], flags: [.initialize, .more, .master], in: &bench)
        #expect(bench.onlyState == .full)
        // A neighbor that has begun again, by chance with a lower number, is heard after two retransmission intervals.
        for _ in 0..<3 {
            neighbor.sendHello(in: &bench)
            bench.run(for: .seconds(1))
        }
        earlier.describe([], flags: [.initialize, .more, .master], in: &bench)
        #expect(bench.onlyState == .exStart)
    }
}
