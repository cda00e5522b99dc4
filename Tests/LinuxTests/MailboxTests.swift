import Glibc
import Linux
import Testing

@Suite struct MailboxTests {
    /// The state of a subject, and how many changes it had.
    private struct Change: Hashable, Sendable {
        var subject: Int
        var state: Int
        var changes = 1
    }

    private func isReady(_ descriptor: CInt) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, 0) == 1
    }

    @Test func messagesArriveInOrderAndOnce() throws {
        let mailbox = try Mailbox<Change>(limit: 8, subject: \.subject)
        #expect(!isReady(mailbox.descriptor) && mailbox.takeAll() == [])
        let changes = (0..<8).map { Change(subject: $0 % 2, state: $0) }
        mailbox.send(changes[0])
        mailbox.send(changes[1...])
        #expect(isReady(mailbox.descriptor))
        #expect(mailbox.takeAll() == changes && mailbox.takeAll() == [])
        #expect(!isReady(mailbox.descriptor) && mailbox.skipped == 0)
    }

    @Test func onlyTheLatestMessageIsKept() throws {
        let mailbox = try Mailbox<[Int]>.ofLatest()
        for number in 0..<1000 { mailbox.send([number]) }
        #expect(mailbox.takeAll() == [[999]] && mailbox.skipped == 999)
    }

    /// A flood of changes of one subject hides neither the last state of another nor its own.
    @Test func theLastStateOfEachSubjectArrives() throws {
        let mailbox = try Mailbox<Change>(limit: 16, subject: \.subject)
        for subject in 1...8 { mailbox.send(Change(subject: subject, state: 7)) }
        for state in 0..<100_000 { mailbox.send(Change(subject: 0, state: state)) }
        mailbox.send(Change(subject: 3, state: 8))
        let taken = mailbox.takeAll()
        #expect(taken.count <= 16 && UInt64(taken.count) + mailbox.skipped == 100_009)
        let last = Dictionary(taken.map { ($0.subject, $0.state) }, uniquingKeysWith: { $1 })
        #expect(last == [0: 99_999, 1: 7, 2: 7, 3: 8, 4: 7, 5: 7, 6: 7, 7: 7, 8: 7])
        #expect(taken.last == Change(subject: 3, state: 8))
    }

    /// What a message counts is not lost.
    @Test func mergedMessagesAreAddedUp() throws {
        let mailbox = try Mailbox<Change>(limit: 4, subject: \.subject) {
            Change(subject: $1.subject, state: $1.state, changes: $0.changes + $1.changes)
        }
        for state in 0..<1001 { mailbox.send(Change(subject: state % 2, state: state)) }
        let taken = mailbox.takeAll()
        #expect(taken.filter { $0.subject == 0 }.reduce(0) { $0 + $1.changes } == 501)
        #expect(taken.filter { $0.subject == 1 }.reduce(0) { $0 + $1.changes } == 500)
        #expect(taken.last { $0.subject == 0 }?.state == 1000 && taken.last { $0.subject == 1 }?.state == 999)
    }

    @Test func theBoundHoldsForTooManySubjects() throws {
        let mailbox = try Mailbox<Change>(limit: 4, subject: \.subject)
        for subject in 0..<10 { mailbox.send(Change(subject: subject, state: 1)) }
        #expect(mailbox.takeAll().map(\.subject) == [6, 7, 8, 9] && mailbox.skipped == 6)
    }
}
