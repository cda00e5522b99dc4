internal import CLinux
internal import Glibc
internal import Synchronization

/// Hands messages from any thread to an event loop, which watches the descriptor. Unlike a task it needs no other thread, so a
/// message between two threads with real-time priority does not wait for ordinary ones.
///
/// A bounded number of messages waits. If there are more, because the loop is busy or the sender is flooded, those of one subject become
/// one, so the last state of each subject arrives.
public final class Mailbox<Message: Sendable>: Sendable {
    private struct Contents {
        var waiting: [Message] = []
        var skipped: UInt64 = 0
    }

    private let contents = Mutex(Contents())
    private let signal: FileDescriptor
    private let limit: Int
    /// Makes one message of all of the same subject, in the order of the last ones.
    private let merge: @Sendable ([Message]) -> [Message]

    /// At most `limit` messages wait: more than there are subjects. `merge` makes one message of two of the same subject; without it the
    /// later one counts.
    public init<Subject: Hashable & Sendable>(
        limit: Int, subject: @escaping @Sendable (Message) -> Subject,
        merge: @escaping @Sendable (_ earlier: Message, _ later: Message) -> Message = { $1 }
    ) throws(SystemError) {
        precondition(limit > 0)
        signal = try FileDescriptor(eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC)), "make an event descriptor")
        self.limit = limit
        self.merge = { messages in
            var later: [Subject: Int] = [:]
            var merged: [Message] = []
            for message in messages.reversed() {
                let subject = subject(message)
                if let index = later[subject] {
                    merged[index] = merge(message, merged[index])
                } else {
                    later[subject] = merged.count
                    merged.append(message)
                }
            }
            return merged.reversed()
        }
    }

    /// A mailbox for messages of which only the latest counts.
    public static func ofLatest() throws(SystemError) -> Mailbox { try Mailbox(limit: 1, subject: { _ in true }) }

    /// Ready to read when messages wait.
    public var descriptor: CInt { signal.rawValue }

    /// How many messages did not arrive by themselves: they were merged into later ones, or dropped, the oldest first, because there
    /// were more subjects than may wait.
    public var skipped: UInt64 { contents.withLock { $0.skipped } }

    /// Adds messages, in order.
    public func send(_ messages: some Sequence<Message>) {
        contents.withLock { contents in
            for message in messages {
                contents.waiting.append(message)
                if contents.waiting.count > limit { makeRoom(in: &contents) }
            }
        }
        var one: UInt64 = 1
        // A full counter means that a signal is already pending.
        _ = write(signal.rawValue, &one, MemoryLayout<UInt64>.size)
    }

    /// Adds a message.
    public func send(_ message: Message) { send(CollectionOfOne(message)) }

    private func makeRoom(in contents: inout Contents) {
        let count = contents.waiting.count
        contents.waiting = merge(contents.waiting)
        contents.waiting.removeFirst(max(0, contents.waiting.count - limit))
        contents.skipped += UInt64(count - contents.waiting.count)
    }

    /// Takes all messages, in order.
    public func takeAll() -> [Message] {
        var counter: UInt64 = 0
        _ = read(signal.rawValue, &counter, MemoryLayout<UInt64>.size)
        return contents.withLock { contents in
            defer { contents.waiting = [] }
            return contents.waiting
        }
    }
}
