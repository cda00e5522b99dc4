import Addressing
import Testing
import Timing

@testable import Node

@Suite struct AddressLedgerTests {
    private let own = IPv6Address("2001:db8::1")!
    private let vip = IPv6Address("2001:db8::2")!
    private let service = IPv6Address("2001:db8::3")!
    private let shared = IPv6Address("2001:db8::4")!

    /// Of what the configuration says, somebody was sure; of what services say, nobody need be.
    @Test func onlyServicesAreKeptFromOtherMachines() {
        var ledger = AddressLedger()
        ledger.want(own, by: .node, as: nil)
        ledger.want(vip, by: .vip, as: nil)
        ledger.want(vip, by: .service, as: nil)
        ledger.want(service, by: .service, as: nil)
        ledger.want(shared, by: .service, as: nil)
        let requests = ledger.takeRequests(limit: 9, mayRemove: true, at: .zero) { $0 == shared }
        #expect(
            requests == [
                .add(own, ifUnclaimed: false), .add(vip, ifUnclaimed: false), .add(service, ifUnclaimed: true),
                .add(shared, ifUnclaimed: false),
            ])
    }

    @Test func anAddressOfAnotherMachineIsTriedAgain() throws {
        var ledger = AddressLedger()
        ledger.want(service, by: .service, as: nil)
        let request = AddressLedger.Request.add(service, ifUnclaimed: true)
        #expect(ledger.takeRequests(limit: 9, mayRemove: true, at: .zero) { _ in false } == [request])
        #expect(ledger.take(.refused("02:00:00:00:00:02 has it"), of: request, at: .zero) != nil)
        #expect(ledger.refused.map(\.reason) == ["02:00:00:00:00:02 has it"] && !ledger.isPlaced(service))
        let retry = try #require(ledger.nextDeadline)
        #expect(ledger.takeRequests(limit: 9, mayRemove: true, at: retry) { _ in false } == [request])
        #expect(ledger.take(.added, of: request, at: retry) == .accepted)
        #expect(ledger.isPlaced(service) && ledger.refused.isEmpty)
    }
}
