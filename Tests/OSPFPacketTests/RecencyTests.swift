import Addressing
import OSPFPacket
import Testing

/// RFC 2328 §13.1: the higher sequence number is newer; then the higher checksum; then the one at MaxAge (3600); then, if the
/// ages differ by more than MaxAgeDiff (900), the lower age.
@Suite struct RecencyTests {
    func header(_ sequenceNumber: Int32, checksum: UInt16 = 1, age: UInt16 = 0) -> LSAHeader {
        LSAHeader(
            age: age, key: LSAKey(type: .router, linkStateID: 0, advertisingRouter: RouterID(1)),
            sequenceNumber: sequenceNumber, checksum: checksum, length: 24)
    }

    func expect(_ newer: LSAHeader, newerThan older: LSAHeader) {
        #expect(newer.recency(comparedTo: older) == .newer)
        #expect(older.recency(comparedTo: newer) == .older)
    }

    @Test func theNewerInstanceIsDeterminedAsInRFC2328() {
        expect(header(LSAHeader.initialSequenceNumber + 1), newerThan: header(LSAHeader.initialSequenceNumber))
        expect(header(LSAHeader.maxSequenceNumber), newerThan: header(LSAHeader.initialSequenceNumber, checksum: 9))
        expect(header(0), newerThan: header(-1, checksum: 9, age: 3600))
        expect(header(5, checksum: 0x8000), newerThan: header(5, checksum: 0x7fff, age: 3600))
        expect(header(5, age: 3600), newerThan: header(5, age: 3599))
        expect(header(5, age: 99), newerThan: header(5, age: 1000))
        #expect(header(5, age: 100).recency(comparedTo: header(5, age: 1000)) == .same)
        #expect(header(5, age: 1000).recency(comparedTo: header(5, age: 100)) == .same)
        #expect(header(5, age: 3600).recency(comparedTo: header(5, age: 3600)) == .same)
    }
}
