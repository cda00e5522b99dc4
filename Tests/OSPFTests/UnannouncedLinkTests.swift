import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

/// A neighbor for which the exchange is not over, although it is for us (as ospf6d of FRR after a repeated description).
@Suite struct UnannouncedLinkTests {
    /// A neighbor that became Full at 0 s, with the link in its router-LSA or without.
    private func bench(announcesLink: Bool) -> (Bench, ForeignNeighbor) {
        var bench = Bench()
        bench.addRouters(1)
        bench.connect([0])
        var neighbor = ForeignNeighbor()
        neighbor.beginExchange(in: &bench)
        neighbor.describe([], flags: [.master], in: &bench)
        #expect(bench.onlyState == .full)
        let links =
            announcesLink
            ? [
                RouterLSA.Link(
                    type: .pointToPoint, metric: 10, interfaceID: 1, neighborInterfaceID: 1,
                    neighborRouterID: RouterID(1))
            ] : []
        let lsa = LSA(
            key: LSAKey(type: .router, linkStateID: 0, advertisingRouter: RouterID(2)), sequenceNumber: 1,
            body: .router(RouterLSA(options: neighbor.options, links: links)))
        neighbor.send([lsa], in: &bench)
        return (bench, neighbor)
    }

    /// Lets time pass, in which the neighbor sends hellos.
    private func run(_ bench: inout Bench, _ neighbor: ForeignNeighbor, seconds: Int) {
        for _ in 0..<seconds {
            neighbor.sendHello(in: &bench)
            bench.run(for: .seconds(1))
        }
    }

    @Test func theAdjacencyRestartsAfterThreeDeadIntervals() {
        var (bench, neighbor) = bench(announcesLink: false)
        run(&bench, neighbor, seconds: 11)
        #expect(bench.onlyState == .full)
        run(&bench, neighbor, seconds: 2)
        #expect(bench.onlyState == .exStart)
        let fault = bench.routers[0].neighborSnapshots[0].lastFallback?.fault
        #expect(fault == .linkNotAnnounced(for: .seconds(12)))
        #expect(bench.notices[0].contains(.exchangeStalled(interface: 1, neighbor: RouterID(2), state: .full)))
    }

    @Test func aNeighborThatAnnouncesTheLinkStaysFull() {
        var (bench, neighbor) = bench(announcesLink: true)
        run(&bench, neighbor, seconds: 60)
        #expect(bench.onlyState == .full)
    }
}
