internal import Glibc

/// A file descriptor that is closed with its last reference.
final class FileDescriptor: Sendable {
    let rawValue: CInt

    /// Takes over what a system call returned, or throws its error.
    init(_ result: CInt, _ operation: @autoclosure () -> String) throws(SystemError) {
        guard result >= 0 else { throw .last(operation()) }
        rawValue = result
    }

    deinit { close(rawValue) }
}
