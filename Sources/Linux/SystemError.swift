internal import Glibc

/// A system call that failed: what was tried and why it did not work.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, to be read after "cannot": `open /run/netns/mesh-1`.
    public var operation: String
    /// The error number.
    public var code: CInt
    /// The kernel's own explanation, if it gave one.
    public var explanation: String?

    public init(_ operation: String, code: CInt, explanation: String? = nil) {
        self.operation = operation
        self.code = code
        self.explanation = explanation
    }

    /// Describes the failure of the last call of this thread.
    public static func last(_ operation: String) -> SystemError { SystemError(operation, code: errno) }

    /// `cannot open /run/netns/mesh-1: No such file or directory`, and what may help where that is known.
    public var description: String {
        if let explanation { return "cannot \(operation): \(explanation)" }
        let advice =
            switch code {
            case EPERM, EACCES: " (this needs root, or the capabilities CAP_NET_ADMIN and CAP_NET_RAW)"
            case EMFILE: " (raise the limit on open files, ulimit -n)"
            default: ""
            }
        return "cannot \(operation): \(SystemError.message(for: code))\(advice)"
    }

    /// The system's words for an error number.
    public static func message(for code: CInt) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
