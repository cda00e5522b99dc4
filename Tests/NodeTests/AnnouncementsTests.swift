import Addressing
import OSPF
import Testing
import Timing

@testable import Node

@Suite struct AnnouncementsTests {
    private func prefix(_ number: Int) -> AdvertisedPrefix {
        AdvertisedPrefix(prefix: IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32, low: UInt64(number))))
    }

    /// While addresses are being added, additions wait until they exceed a quarter of the announcements (25 of 100). Other
    /// changes do not wait.
    @Test func onlyAdditionsAreDelayed() {
        var announcements = Announcements()
        _ = announcements.update((0..<100).map(prefix))
        var version = AddressLedger.Version()
        func takesStale(_ isGrowing: Bool) -> Bool {
            announcements.takeStale(ledgerVersion: version, isGrowing: isGrowing)
        }
        version.placements = 25
        #expect(!takesStale(true))
        #expect(
            !announcements.isCurrent(ledgerVersion: version), "delayed additions leave the announcements out of date")
        version.changes += 1
        #expect(takesStale(true))
        #expect(announcements.isCurrent(ledgerVersion: version))
        version.placements += 26
        #expect(takesStale(true))
        version.placements += 1
        #expect(takesStale(false))
        #expect(!takesStale(false))
    }

    /// An addition counts in `placements`, which may wait; a change of metric and a removal in `changes`, which may not.
    @Test func metricChangesAndRemovalsCountAsChanges() {
        var ledger = AddressLedger()
        let vip = IPv6Address(high: 0x2001_0db8 << 32, low: 1)
        ledger.want(vip, by: .vip, as: prefix(1))
        let requests = ledger.nextRequests(limit: 9, mayRemove: true, at: .zero) { _ in true }
        let before = ledger.version
        _ = ledger.record(.added, of: requests[0], at: .zero)
        #expect(ledger.version.placements > before.placements && ledger.version.changes == before.changes)
        ledger.want(
            vip, by: .vip, as: AdvertisedPrefix(prefix: IPv6Prefix(host: vip), metric: AdvertisedPrefix.lastResort))
        #expect(ledger.version.changes > before.changes)
        let placed = ledger.version
        _ = ledger.removalNotified(vip)
        #expect(ledger.version.changes > placed.changes)
    }
}
