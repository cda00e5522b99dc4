import Addressing
import Testing

@testable import Node

@Suite struct NeighborVerdictTests {
    private let neighbor = NeighborAddress(interface: 2, address: IPv6Address("fe80::1")!)

    /// A neighbor is alive for routing as long as no detector says that it has failed.
    @Test func everyOrderOfTwoVerdicts() {
        var verdicts = NeighborVerdicts()
        #expect(verdicts.note(neighbor, isAlive: true, by: .echo) == nil)
        #expect(verdicts.note(neighbor, isAlive: false, by: .bfd) == .bfd)
        #expect(verdicts.note(neighbor, isAlive: false, by: .bfd) == nil)
        #expect(verdicts.failure(on: 2) == "its BFD session is down")
        #expect(verdicts.note(neighbor, isAlive: false, by: .echo) == [.bfd, .echo])
        #expect(verdicts.note(neighbor, isAlive: true, by: .bfd) == .echo)
        #expect(verdicts.hasFailed(neighbor, by: .echo) && !verdicts.hasFailed(neighbor, by: .bfd))
        #expect(verdicts.failure(on: 2) == "it does not answer echo requests")
        #expect(verdicts.note(neighbor, isAlive: true, by: .echo) == [])
        #expect(verdicts.note(neighbor, isAlive: true, by: .echo) == nil)
    }

    @Test func neighborsAreIndependent() {
        let other = NeighborAddress(interface: 3, address: neighbor.address)
        var verdicts = NeighborVerdicts()
        #expect(verdicts.note(neighbor, isAlive: false, by: .bfd) == .bfd)
        #expect(verdicts.note(other, isAlive: true, by: .bfd) == nil && !verdicts.hasFailed(other, by: .bfd))
    }
}
