import Addressing
import OSPF
import Testing
import Timing

@testable import Node

@Suite struct AddressLedgerTests {
    private let address = IPv6Address("2001:db8::1")!
    private let announcement = AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::1/128")!)
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    /// The next requests, with removals, at this second. All addresses count as announced by other nodes too, so none is
    /// checked for another machine.
    private func requests(_ ledger: inout AddressLedger, at seconds: Int64 = 0) -> [AddressLedger.Request] {
        ledger.nextRequests(limit: 16, mayRemove: true, at: at(seconds)) { _ in true }
    }

    @Test func anAddressIsAnnouncedOnceTheKernelHasIt() {
        var ledger = AddressLedger()
        ledger.want(address, by: .vip, as: announcement)
        #expect(ledger.announcements.isEmpty)
        #expect(requests(&ledger) == [.add(address, ifUnclaimed: false)])
        #expect(ledger.announcements.isEmpty && ledger.isBusy)
        #expect(ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0)) == nil)
        #expect(ledger.announcements == [announcement] && !ledger.isBusy)
        ledger.drop(address, by: .vip)
        #expect(ledger.announcements.isEmpty, "the address is withdrawn before it is removed")
        #expect(requests(&ledger) == [.remove(address)])
        #expect(ledger.record(.removed, of: .remove(address), at: at(0)) == nil)
        #expect(ledger.entries.isEmpty)
    }

    /// The address is tried again after 1 s, doubling to 30 s.
    @Test func aRefusedAddressIsNotAnnouncedAndRetriedAfterDoublingTimes() {
        var ledger = AddressLedger()
        ledger.want(address, by: .vip, as: announcement)
        var now: Int64 = 0
        var waits: [Int64] = []
        for round in 0..<8 {
            #expect(requests(&ledger, at: now) == [.add(address, ifUnclaimed: false)])
            let change = ledger.record(.refused("no"), of: .add(address, ifUnclaimed: false), at: at(now))
            #expect(change == (round == 0 ? .refused("no") : nil), "a refusal is reported once")
            #expect(ledger.announcements.isEmpty && ledger.refused.map(\.reason) == ["no"])
            let next = ledger.nextDeadline!
            waits.append((next - at(now)).components.seconds)
            #expect(requests(&ledger, at: now).isEmpty)
            now += waits.last!
        }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30])
        #expect(requests(&ledger, at: now) == [.add(address, ifUnclaimed: false)])
        #expect(ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(now)) == .accepted)
        #expect(ledger.announcements == [announcement] && ledger.refused.isEmpty && ledger.nextDeadline == nil)
    }

    /// An address that is on `lo` without our mark is announced, but not ours to remove.
    @Test func anAddressThatWeDidNotAddIsNeverRemoved() {
        var ledger = AddressLedger()
        ledger.want(address, by: .service, as: announcement)
        _ = requests(&ledger)
        _ = ledger.record(.present(isOurs: false), of: .add(address, ifUnclaimed: false), at: at(0))
        #expect(ledger.announcements == [announcement])
        ledger.drop(address, by: .service)
        #expect(requests(&ledger).isEmpty && ledger.entries.isEmpty)
        #expect(ledger.removeAll(keeping: []).isEmpty)
    }

    /// A service announces the address as last resort, a VIP at metric 0.
    @Test func theLowestMetricOfAllOwnersIsAnnounced() {
        var ledger = AddressLedger()
        var last = announcement
        last.metric = AdvertisedPrefix.lastResort
        ledger.want(address, by: .service, as: last)
        ledger.want(address, by: .vip, as: announcement)
        _ = requests(&ledger)
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        #expect(ledger.announcements == [announcement])
        ledger.drop(address, by: .vip)
        #expect(ledger.announcements == [last], "the address is announced for its other owner")
        #expect(requests(&ledger).isEmpty)
    }

    /// Another program removes a placed address: it is withdrawn, and added again.
    @Test func anAddressRemovedByAnotherProgramIsAddedAgain() {
        var ledger = AddressLedger()
        ledger.want(address, by: .node, as: announcement)
        _ = requests(&ledger)
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        #expect(ledger.removalNotified(address) == .removalNotified)
        #expect(ledger.announcements.isEmpty)
        #expect(requests(&ledger) == [.add(address, ifUnclaimed: false)])
        // The address is removed again while the request is outstanding, so the outcome of the request does not count.
        #expect(ledger.removalNotified(address) == nil)
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        #expect(ledger.announcements.isEmpty && requests(&ledger) == [.add(address, ifUnclaimed: false)])
    }

    /// An address is removed by another program and given up by its owner while it is being added: it is not added once more.
    @Test func anAddressThatNobodyWantsAnyMoreIsNotAddedAgain() {
        var ledger = AddressLedger()
        ledger.want(address, by: .vip, as: announcement)
        _ = requests(&ledger)
        #expect(ledger.removalNotified(address) == nil)
        ledger.drop(address, by: .vip)
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        #expect(requests(&ledger) == [.remove(address)])
        _ = ledger.record(.removed, of: .remove(address), at: at(0))
        #expect(ledger.entries.isEmpty)
    }

    @Test func anUnwantedAddressRemovedByAnotherProgramIsAddedWhenWantedAgain() {
        var ledger = AddressLedger()
        ledger.want(address, by: .vip, as: announcement)
        _ = requests(&ledger)
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        ledger.drop(address, by: .vip)
        // There is nothing to report, because the address is no longer wanted; but the ledger knows that `lo` lacks it.
        #expect(ledger.removalNotified(address) == nil)
        ledger.want(address, by: .vip, as: announcement)
        #expect(ledger.announcements.isEmpty)
        #expect(requests(&ledger) == [.add(address, ifUnclaimed: false)])
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        #expect(ledger.announcements == [announcement])
        // Once our own removal has been carried out, the state is certain again.
        ledger.drop(address, by: .vip)
        #expect(ledger.removalNotified(address) == nil)
        #expect(requests(&ledger) == [.remove(address)])
        ledger.want(address, by: .vip, as: announcement)
        _ = ledger.record(.removed, of: .remove(address), at: at(0))
        #expect(requests(&ledger) == [.add(address, ifUnclaimed: false)])
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        #expect(ledger.announcements == [announcement])
    }

    /// Two addresses of an earlier run, one of which is kept because it is a VIP whose check has not reported yet.
    @Test func anAdoptedVIPStaysUntilTheFirstOutcomeOfItsCheck() {
        var ledger = AddressLedger()
        let other = IPv6Address("2001:db8::2")!
        ledger.adopt(address)
        ledger.adopt(other)
        #expect(ledger.sweep(keeping: [address]) == [other])
        #expect(requests(&ledger) == [.remove(other)])
        _ = ledger.record(.removed, of: .remove(other), at: at(0))
        // The first outcome of its check is a failure.
        ledger.drop(address, by: .vip)
        #expect(requests(&ledger) == [.remove(address)])
    }

    /// An address is wanted again, the first time before its removal is requested, the second time after the request.
    @Test func anAddressWantedAgainDuringItsRemovalIsKeptOrAddedAgain() {
        var ledger = AddressLedger()
        ledger.want(address, by: .vip, as: announcement)
        _ = requests(&ledger)
        _ = ledger.record(.added, of: .add(address, ifUnclaimed: false), at: at(0))
        ledger.drop(address, by: .vip)
        ledger.want(address, by: .vip, as: announcement)
        #expect(requests(&ledger).isEmpty && ledger.announcements == [announcement])
        ledger.drop(address, by: .vip)
        #expect(requests(&ledger) == [.remove(address)])
        ledger.want(address, by: .vip, as: announcement)
        _ = ledger.record(.removed, of: .remove(address), at: at(0))
        #expect(
            requests(&ledger) == [.add(address, ifUnclaimed: false)], "the address was removed and must be added again")
    }

    private let own = IPv6Address("2001:db8::1")!
    private let vip = IPv6Address("2001:db8::2")!
    private let service = IPv6Address("2001:db8::3")!
    private let shared = IPv6Address("2001:db8::4")!

    /// Only an address that services alone want may belong to another machine: the others are the node's own, or an operator
    /// chose them. If other nodes announce the address too (`shared`), nothing is checked.
    @Test func onlyServiceAddressesAreCheckedForOtherMachines() {
        var ledger = AddressLedger()
        ledger.want(own, by: .node, as: nil)
        ledger.want(vip, by: .vip, as: nil)
        ledger.want(vip, by: .service, as: nil)
        ledger.want(service, by: .service, as: nil)
        ledger.want(shared, by: .service, as: nil)
        let requests = ledger.nextRequests(limit: 9, mayRemove: true, at: .zero) { $0 == shared }
        #expect(
            requests == [
                .add(own, ifUnclaimed: false), .add(vip, ifUnclaimed: false), .add(service, ifUnclaimed: true),
                .add(shared, ifUnclaimed: false),
            ])
    }

    @Test func anAddressThatAnotherMachineHasIsRetried() throws {
        var ledger = AddressLedger()
        ledger.want(service, by: .service, as: nil)
        let request = AddressLedger.Request.add(service, ifUnclaimed: true)
        #expect(ledger.nextRequests(limit: 9, mayRemove: true, at: .zero) { _ in false } == [request])
        #expect(ledger.record(.refused("02:00:00:00:00:02 has it"), of: request, at: .zero) != nil)
        #expect(ledger.refused.map(\.reason) == ["02:00:00:00:00:02 has it"] && !ledger.isPlaced(service))
        let retry = try #require(ledger.nextDeadline)
        #expect(ledger.nextRequests(limit: 9, mayRemove: true, at: retry) { _ in false } == [request])
        #expect(ledger.record(.added, of: request, at: retry) == .accepted)
        #expect(ledger.isPlaced(service) && ledger.refused.isEmpty)
    }
}
