internal import Glibc

/// A failed system call: the operation and the error.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operation, in a form that follows "cannot": `open /run/netns/mesh-1`.
    public var operation: String
    /// The error number.
    public var code: CInt
    /// The kernel's error message for this request, which only netlink can give (NLMSGERR_ATTR_MSG), with the system's message
    /// for the code; ``description`` shows it in place of the latter.
    public var explanation: String?

    public init(_ operation: String, code: CInt, explanation: String? = nil) {
        self.operation = operation
        self.code = code
        self.explanation = explanation
    }

    /// Describes the failure of the last call of this thread.
    public static func last(_ operation: String) -> SystemError { SystemError(operation, code: errno) }

    /// `cannot open /run/netns/mesh-1: No such file or directory`, and a remedy for EPERM, EACCES and EMFILE.
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

    /// The system's message for an error number.
    public static func message(for code: CInt) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
