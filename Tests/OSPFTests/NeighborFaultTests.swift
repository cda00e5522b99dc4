import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// When a neighbor falls back to an earlier state, a notice and its snapshot say why, with the values that explain it.
@Suite struct NeighborFaultTests {
    private static let key = LSAKey(type: .asExternal, linkStateID: 3, advertisingRouter: RouterID(9))

    /// Router 0 with a foreign neighbor, whose adjacency is Full or in Exchange.
    private func bench(isFull: Bool) -> (Bench, ForeignNeighbor) {
        var bench = Bench()
        bench.addRouters(1)
        bench.connect([0])
        var neighbor = ForeignNeighbor()
        neighbor.beginExchange(in: &bench)
        neighbor.describe([], flags: isFull ? .master : [.master, .more], in: &bench)
        #expect(bench.onlyState == (isFull ? .full : .exchange))
        return (bench, neighbor)
    }

    /// The fault in the only notice of a fault. While the neighbor exists, its snapshot must have the same fault.
    private func fault(_ bench: Bench, sourceLocation: SourceLocation = #_sourceLocation) -> NeighborFault? {
        let reported = bench.notices[0].compactMap { notice -> NeighborFault? in
            guard case .neighborFault(let interface, let neighbor, let from, let to, let fault) = notice else {
                return nil
            }
            #expect(interface == 1 && neighbor == RouterID(2) && to < from, sourceLocation: sourceLocation)
            return fault
        }
        #expect(reported.count == 1, sourceLocation: sourceLocation)
        if let snapshot = bench.routers[0].neighborSnapshots.first, snapshot.address == ForeignNeighbor().address {
            #expect(snapshot.lastFallback?.fault == reported.first, sourceLocation: sourceLocation)
        }
        return reported.first
    }

    /// The neighbor skips five sequence numbers.
    @Test func aWrongSequenceNumberIsReported() {
        var (bench, neighbor) = bench(isFull: false)
        neighbor.sequenceNumber += 5
        let wrong = neighbor.sequenceNumber + 1
        neighbor.describe([], flags: [.master, .more], in: &bench)
        #expect(bench.onlyState == .exStart)
        #expect(fault(bench) == .sequenceNumber(expected: wrong - 5, received: wrong))
    }

    @Test func wrongBitsAndOptionsAreReported() {
        var (bench, neighbor) = bench(isFull: false)
        neighbor.describe([], flags: [.more], in: &bench)
        #expect(fault(bench) == .masterBit(received: false))

        (bench, neighbor) = self.bench(isFull: false)
        neighbor.options = [.v6, .e]
        neighbor.describe([], in: &bench)
        #expect(fault(bench) == .options(expected: [.v6, .e, .r], received: [.v6, .e]))

        (bench, neighbor) = self.bench(isFull: false)
        neighbor.sequenceNumber += 3000
        neighbor.describe([], flags: [.initialize, .more, .master], in: &bench)
        #expect(fault(bench) == .initBit)
    }

    /// A repetition of the last description is answered for the dead interval, 4 s, and is a fault after 5 s.
    @Test func aDescriptionAfterTheEndOfTheExchangeIsReported() {
        var (bench, neighbor) = bench(isFull: true)
        neighbor.describe([], in: &bench)
        #expect(fault(bench) == .exchangeOver)
        (bench, neighbor) = self.bench(isFull: true)
        for _ in 0..<5 {
            bench.run(for: .seconds(1))
            neighbor.sendHello(in: &bench)
        }
        neighbor.sequenceNumber -= 1
        neighbor.describe([], in: &bench)
        #expect(fault(bench) == .lateRepetition(after: .seconds(5)))
    }

    @Test func wrongLSAsAndRequestsAreReported() {
        var (bench, neighbor) = bench(isFull: false)
        neighbor.sendPacket(.linkStateRequest(LinkStateRequest(keys: [Self.key])), in: &bench)
        #expect(fault(bench) == .unknownLSA(Self.key))

        (bench, neighbor) = self.bench(isFull: false)
        var header = LSA(key: Self.key, sequenceNumber: 1, body: .unknown([])).header
        header.key = LSAKey(type: LSAType(rawValue: 0x6009), linkStateID: 1, advertisingRouter: RouterID(9))
        neighbor.describe([header], in: &bench)
        #expect(fault(bench) == .reservedScope(LSAType(rawValue: 0x6009)))

        (bench, neighbor) = self.bench(isFull: false)
        func instance(_ number: Int32) -> LSA {
            let body = ASExternalLSA(
                isType2: true, metric: 1, prefix: LSAPrefix(prefix: "2001:db8:9::/64"), forwardingAddress: nil)
            return LSA(key: Self.key, sequenceNumber: number, body: .asExternal(body))
        }
        neighbor.send([instance(4)], in: &bench)
        neighbor.describe([instance(5).header], flags: [.master, .more], in: &bench)
        neighbor.send([instance(4)], in: &bench)
        #expect(fault(bench) == .earlierInstance(Self.key, described: 5, received: 4))
    }

    /// Silence is a fault after the dead interval, 4 s, and an exchange without progress after three dead intervals.
    @Test func oneWayHellosSilenceNewAddressesAndStalledExchangesAreReported() {
        var (bench, neighbor) = bench(isFull: true)
        neighbor.sendHello(listing: [RouterID(5), RouterID(6)], in: &bench)
        #expect(fault(bench) == .notListed(among: 2))

        (bench, neighbor) = self.bench(isFull: true)
        bench.run(for: .seconds(5))
        #expect(bench.onlyState == nil && fault(bench) == .silence(.seconds(4)))

        (bench, neighbor) = self.bench(isFull: true)
        let moved = ForeignNeighbor(routerID: RouterID(2), address: IPv6Address(high: 0xfe80 << 48, low: 99))
        moved.sendHello(in: &bench)
        #expect(fault(bench) == .address(was: neighbor.address, is: moved.address))

        (bench, neighbor) = self.bench(isFull: false)
        let began = bench.now
        while bench.now < began + .seconds(12) {
            bench.run(for: .milliseconds(500))
            neighbor.sendHello(in: &bench)
        }
        #expect(fault(bench) == .noProgress(for: .seconds(12), requests: 0))
    }

    @Test func theTextOfAFaultContainsItsValues() {
        #expect(
            "\(NeighborFault.sequenceNumber(expected: 7, received: 9))"
                == "database description with sequence number 9 instead of 7")
        #expect("\(NeighborFault.unknownLSA(Self.key))".contains("LSA type 0x4005 0.0.0.3 of 0.0.0.9"))
        #expect("\(NeighborFault.notListed(among: 0))" == "its hello lists no neighbor")
    }
}
