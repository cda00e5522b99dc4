import Addressing
import Links
import OSPF
import Testing
import Timing

@testable import Node

@Suite struct ProblemTests {
    private func gone(_ numbers: some Sequence<Int>) -> [Problem] {
        numbers.map { Problem(.vanishedPort, "p\($0)", "p\($0) is gone") }
    }

    /// Only eight of a kind are listed. The others are no less present, and no newer when they are listed.
    @Test func problemsThatAreNotListedAreNotResolved() {
        var table = ProblemTable()
        let start = Instant.zero + .seconds(100)
        let first = table.update(gone(10..<30), at: start).map(\.message)
        #expect(first == (10..<18).map { "p\($0) is gone" } + ["and 12 more like this"])
        #expect(table.all.count == 9 && table.all.allSatisfy { $0.since == start })
        // Another one, before them in order.
        let second = table.update(gone(9..<30), at: start + .seconds(5)).map(\.message)
        #expect(second == ["p9 is gone"])
        let third = table.update(gone(18..<30), at: start + .seconds(10)).map(\.message)
        #expect(
            third == (["p10", "p11", "p12", "p13", "p14", "p15", "p16", "p17"]).map { "resolved: \($0) is gone" } + [
                "resolved: and 1 more like this"
            ])
        #expect(table.all.allSatisfy { $0.since == start })
    }

    /// A problem that counts only when it lasts is dated by its cause, and is found soon after.
    @Test func aSilentPortIsDatedByItsCause() throws {
        var bench = NodeBench()
        bench.start()
        let opened = bench.now
        bench.run(for: .seconds(14))
        #expect(bench.log.contains { $0.contains("enp1s0 has carrier, and no OSPF router is heard on it") })
        bench.run(for: .seconds(30))
        let problem = try #require(bench.problems(.silentPort).first)
        #expect(problem.since.map { $0 - opened < .seconds(1) } == true)
    }

    /// A port that comes up again is silent since then; its neighbor was lost before.
    @Test func aLostNeighborIsDatedByItsLoss() throws {
        func at(_ seconds: Int) -> Instant { .zero + .seconds(seconds) }
        var last = LastNeighbors()
        last.opened(2, at: at(1))
        last.lost(RouterID(7), on: 2, at: at(10))
        last.opened(2, at: at(100))
        let interface = InterfaceConfiguration(
            index: 2, name: "eno1", mtu: 1500, linkLocalAddress: try #require(IPv6Address("fe80::1")))
        let silence = try #require(last.silence(of: interface, at: at(200)))
        #expect(silence.since == at(100) && silence.last?.lost == at(10) && silence.last?.routerID == RouterID(7))
    }

    @Test func aSettingOfAPortThatComesBackIsNotBlamedOnOthers() {
        var audit = SettingsAudit()
        let name = "net.ipv6.conf.p.accept_ra"
        func lines(_ result: SettingOutcome.Result) -> [LogLevel] {
            audit.record([SettingOutcome(name: name, wanted: "0", result: result)], at: .zero).map(\.level)
        }
        #expect(lines(.changed(from: "1")) == [.notice])
        #expect(lines(.unchanged) == [])
        // Its IPv6 was off, as with an MTU of less than 1280.
        #expect(lines(.absent) == [])
        #expect(lines(.changed(from: "1")) == [.notice])
        #expect(lines(.changed(from: "1")) == [.warning])
    }

    /// A device that was removed and made again unnoticed, with the same index, has no groups.
    @Test func groupsAreJoinedAgainAfterLostNotifications() {
        var bench = NodeBench()
        bench.start()
        bench.run(for: .seconds(1))
        var effects: [NodeEffect] = []
        bench.node.handle(.kernel([.resynchronized]), at: bench.now, effects: &effects)
        let changes = effects.compactMap { effect in
            if case .membership(let membership, let joined) = effect {
                "\(membership.interface) \(membership.group) \(joined)"
            } else {
                nil
            }
        }
        #expect(changes == ["2 ff02::5 false", "2 ff02::5 true", "3 ff02::5 false", "3 ff02::5 true"])
    }
}
