internal import Glibc

/// A file descriptor that is closed when its last reference is released.
final class FileDescriptor: Sendable {
    let rawValue: CInt

    /// Takes ownership of the descriptor that a system call returned, or throws the call's error.
    init(_ result: CInt, _ operation: @autoclosure () -> String) throws(SystemError) {
        guard result >= 0 else { throw .last(operation()) }
        rawValue = result
    }

    deinit { close(rawValue) }
}
