import Addressing
import OSPFPacket
import Testing

@testable import OSPF

@Suite struct RequestListTests {
    func header(_ linkStateID: UInt32) -> LSAHeader {
        LSAHeader(
            age: 0, key: LSAKey(type: .router, linkStateID: linkStateID, advertisingRouter: RouterID(1)),
            sequenceNumber: 1, checksum: 1, length: 24)
    }

    /// Each LSA is requested once, also if it is described twice. What has not arrived is requested again before the rest.
    @Test func lsasAreRequestedInTheOrderDescribed() {
        var list = RequestList()
        for linkStateID in 0..<5 { list.insert(header(UInt32(linkStateID))) }
        list.insert(header(0))
        #expect(list.count == 5)
        let first = list.next(limit: 2)
        #expect(first == [header(0).key, header(1).key])
        let again = list.again()
        #expect(!list.isIdle && again == first)
        for linkStateID in 0..<2 { _ = list.satisfy(with: header(UInt32(linkStateID))) }
        #expect(list.isIdle && list.count == 3)
        let rest = list.next(limit: 9)
        #expect(rest == [2, 3, 4].map { header($0).key })
    }

    /// A neighbor describes LSAs again and again that others send us meanwhile. The list of what to request is compacted at
    /// about 64 entries more than twice what is wanted.
    @Test func repeatedDescriptionsDoNotMakeTheListGrow() {
        var list = RequestList()
        list.insert(header(0))
        _ = list.next(limit: 1)
        for round in 0..<10_000 {
            let key = header(UInt32(1 + round % 7)).key
            list.insert(header(key.linkStateID))
            _ = list.satisfy(with: header(key.linkStateID))
        }
        #expect(list.count == 1)
        #expect(list.orderCount < 200)
        list.insert(header(8))
        _ = list.satisfy(with: header(0))
        let rest = list.next(limit: 9)
        #expect(rest == [header(8).key])
    }
}
