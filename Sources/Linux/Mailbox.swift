internal import CLinux
internal import Glibc
internal import Synchronization

/// Hands messages from any thread to an event loop, which watches the descriptor. Unlike a task it needs no other thread, so a
/// message between two threads with real-time priority does not wait for ordinary ones.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let signal: FileDescriptor

    public init() throws(SystemError) {
        signal = try FileDescriptor(eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC)), "make an event descriptor")
    }

    /// Ready to read when messages wait.
    public var descriptor: CInt { signal.rawValue }

    /// Adds a message.
    public func send(_ message: Message) {
        messages.withLock { $0.append(message) }
        var one: UInt64 = 1
        // A full counter means that a signal is already pending.
        _ = write(signal.rawValue, &one, MemoryLayout<UInt64>.size)
    }

    /// Takes all messages, in order.
    public func takeAll() -> [Message] {
        var counter: UInt64 = 0
        _ = read(signal.rawValue, &counter, MemoryLayout<UInt64>.size)
        return messages.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
