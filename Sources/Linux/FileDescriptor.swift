internal import Glibc

/// An open descriptor that is closed when nobody holds it any more.
final class FileDescriptor: Sendable {
    let rawValue: CInt

    /// Takes over what a system call returned, or throws its error.
    init(_ result: CInt, _ operation: @autoclosure () -> String) throws(SystemError) {
        guard result >= 0 else { throw .last(operation()) }
        rawValue = result
    }

    deinit { close(rawValue) }
}
