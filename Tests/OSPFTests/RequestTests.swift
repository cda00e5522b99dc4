import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// A request ends only with an instance at least as new as the one described (RFC 2328 §13 (6), §13.3 (1b)).
@Suite struct RequestTests {
    private static let key = LSAKey(type: .asExternal, linkStateID: 3, advertisingRouter: RouterID(9))

    /// An instance of an LSA with the `number`th sequence number after the initial one.
    private func instance(_ number: Int32, of key: LSAKey = key) -> LSA {
        let prefix = LSAPrefix(prefix: "2001:db8:9::/64")
        let body = ASExternalLSA(isType2: true, metric: UInt32(number), prefix: prefix, forwardingAddress: nil)
        return LSA(key: key, sequenceNumber: LSAHeader.initialSequenceNumber + number, body: .asExternal(body))
    }

    /// Router 0 in Exchange with a foreign neighbor.
    private func bench() -> (Bench, ForeignNeighbor) {
        var bench = Bench()
        bench.addRouters(1)
        bench.connect([0])
        var neighbor = ForeignNeighbor()
        neighbor.beginExchange(in: &bench)
        return (bench, neighbor)
    }

    /// The LSAs that router 0 has requested since the last call.
    private func requests(_ bench: inout Bench) -> [LSAKey] {
        bench.takeSent().flatMap { body -> [LSAKey] in
            if case .linkStateRequest(let request) = body { request.keys } else { [] }
        }
    }

    @Test func anUnknownInstanceEarlierThanTheOneDescribedLeavesTheRequestOpen() {
        var (bench, neighbor) = bench()
        neighbor.describe([instance(5).header], in: &bench)
        #expect(bench.onlyState == .loading && requests(&bench) == [Self.key])
        neighbor.send([instance(4)], in: &bench)
        #expect(bench.onlyState == .loading)
        bench.run(for: .milliseconds(500))
        #expect(requests(&bench).contains(Self.key), "the LSA is requested again")
        neighbor.send([instance(5)], in: &bench)
        #expect(bench.onlyState == .full)
        let known = bench.routers[0].databaseSnapshot(at: bench.now).first { $0.lsa.key == Self.key }
        #expect(known?.lsa.header.sequenceNumber == instance(5).header.sequenceNumber)
    }

    /// The neighbor describes an instance and sends an earlier one, which we have: BadLSReq (RFC 2328 §13 (6)).
    @Test func aKnownInstanceInsteadOfTheOneDescribedRestartsTheExchange() {
        var (bench, neighbor) = bench()
        neighbor.send([instance(4)], in: &bench)
        neighbor.describe([instance(5).header], in: &bench)
        #expect(bench.onlyState == .loading && requests(&bench) == [Self.key])
        neighbor.send([instance(4)], in: &bench)
        #expect(bench.onlyState == .exStart)
        neighbor.sequenceNumber += 100
        neighbor.describe([], flags: [.initialize, .more, .master], in: &bench)
        neighbor.describe([instance(5).header], in: &bench)
        #expect(bench.onlyState == .loading && requests(&bench) == [Self.key])
        neighbor.send([instance(5)], in: &bench)
        #expect(bench.onlyState == .full)
    }

    /// An earlier instance that is at MaxAge, or whose body does not decode, leaves the request open. The instance
    /// described ends the request even if its body does not decode.
    @Test func anEarlierInstanceThatIsRefusedLeavesTheRequestOpen() {
        var (bench, neighbor) = bench()
        neighbor.describe([instance(5).header], in: &bench)
        var flushed = instance(3)
        flushed.age = LSAHeader.maxAge
        neighbor.send([flushed], in: &bench)
        #expect(bench.onlyState == .loading)
        let broken = LSA(
            key: Self.key, sequenceNumber: LSAHeader.initialSequenceNumber + 4, body: .unknown([1, 2, 3, 4]))
        neighbor.send([broken], in: &bench)
        #expect(bench.onlyState == .loading)
        let brokenLater = LSA(
            key: Self.key, sequenceNumber: LSAHeader.initialSequenceNumber + 5, body: .unknown([1, 2, 3, 4]))
        neighbor.send([brokenLater], in: &bench)
        #expect(bench.onlyState == .full, "one bad LSA must not keep the adjacency from becoming Full")
    }

    /// If the neighbor describes an LSA twice, the later instance is requested.
    @Test func theLatestInstanceDescribedIsRequested() {
        var (bench, neighbor) = bench()
        neighbor.describe([instance(5).header, instance(4).header], in: &bench)
        neighbor.send([instance(4)], in: &bench)
        #expect(bench.onlyState == .loading)
        neighbor.send([instance(5)], in: &bench)
        #expect(bench.onlyState == .full)
    }
}
