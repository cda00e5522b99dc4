import Addressing
import Links
import OSPF
import Testing
import Timing

@testable import Node

@Suite struct ProblemTests {
    private func vanishedPorts(_ numbers: some Sequence<Int>) -> [Problem] {
        numbers.map { Problem(.vanishedPort, "p\($0)", "p\($0) is gone") }
    }

    /// At most eight problems of a kind are listed (`ProblemTable.mostOfAKind`). The others exist as well: they are not
    /// reported as gone, and are dated by their first review when they are listed.
    @Test func unlistedProblemsAreNotReportedAsResolved() {
        var table = ProblemTable()
        let start = Instant.zero + .seconds(100)
        let first = table.update(vanishedPorts(10..<30), at: start).map(\.message)
        #expect(first == (10..<18).map { "p\($0) is gone" } + ["and 12 more like this"])
        #expect(table.all.count == 9 && table.all.allSatisfy { $0.since == start })
        // Another problem, which comes first in order and displaces one from the list.
        let second = table.update(vanishedPorts(9..<30), at: start + .seconds(5)).map(\.message)
        #expect(second == ["p9 is gone"])
        let third = table.update(vanishedPorts(18..<30), at: start + .seconds(10)).map(\.message)
        #expect(
            third == (["p10", "p11", "p12", "p13", "p14", "p15", "p16", "p17"]).map { "no longer: \($0) is gone" } + [
                "no longer: and 1 more like this"
            ])
        #expect(table.all.allSatisfy { $0.since == start })
    }

    /// A problem that counts only when it has lasted, here two dead intervals (8 s) without a neighbor, is dated by its start
    /// and found at the next review, which comes within 5 s.
    @Test func aSilentPortIsDatedByTheStartOfItsSilence() throws {
        var bench = NodeBench()
        bench.start()
        let opened = bench.now
        bench.run(for: .seconds(14))
        #expect(bench.log.contains { $0.contains("enp1s0 has carrier, and no OSPF router is heard on it") })
        bench.run(for: .seconds(30))
        let problem = try #require(bench.problems(.silentPort).first)
        #expect(problem.since.map { $0 - opened < .seconds(1) } == true)
    }

    /// When a port comes up again, its silence begins then; its last neighbor was lost before.
    @Test func aLostNeighborIsDatedByItsLoss() throws {
        func at(_ seconds: Int) -> Instant { .zero + .seconds(seconds) }
        var last = LastNeighbors()
        last.opened(2, at: at(1))
        last.lost(RouterID(7), on: 2, bySilence: false, at: at(10))
        last.opened(2, at: at(100))
        let interface = InterfaceConfiguration(
            index: 2, name: "eno1", mtu: 1500, linkLocalAddress: try #require(IPv6Address("fe80::1")))
        let silence = try #require(last.silence(of: interface, at: at(200)))
        #expect(silence.since == at(100) && silence.last?.lost == at(10) && silence.last?.routerID == RouterID(7))
        // A neighbor that has been silent for the dead interval is waited for no longer.
        last.lost(RouterID(7), on: 2, bySilence: true, at: at(300))
        #expect(last.silence(of: interface, at: at(300))?.since == at(300))
        last.opened(2, at: at(301))
        #expect(last.silence(of: interface, at: at(302)) == nil)
    }

    /// A setting that is absent for a while is new when it is there again: setting it is a notice. A change without an
    /// absence before is blamed on another program, with a warning.
    @Test func aSettingThatReappearsIsNotReportedAsChangedByAnotherProgram() {
        var audit = SettingsAudit()
        let name = "net.ipv6.conf.p.accept_ra"
        func levels(_ result: SettingOutcome.Result) -> [LogLevel] {
            audit.record([SettingOutcome(name: name, wanted: "0", result: result)], at: .zero).map(\.level)
        }
        #expect(levels(.changed(from: "1")) == [.notice])
        #expect(levels(.unchanged) == [])
        // The port has no IPv6 settings, as with an MTU of less than 1280.
        #expect(levels(.absent) == [])
        #expect(levels(.changed(from: "1")) == [.notice])
        #expect(levels(.changed(from: "1")) == [.warning])
    }

    /// If notifications were lost, a device may have been removed and made again with the same index, and then
    /// belongs to no multicast groups.
    @Test func multicastGroupsAreJoinedAgainAfterLostNotifications() {
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
