import Glibc

/// Where answers and complaints go.
enum Console {
    /// Whether a person looks on.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes an answer.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }
    /// Writes a complaint.
    static func complain(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty {
            let count = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR {
                // Who looks on has gone, and so does this program, as if libraries had not had the signal ignored.
                if errno == EPIPE {
                    signal(SIGPIPE, SIG_DFL)
                    raise(SIGPIPE)
                }
                return
            }
            octets = octets.dropFirst(max(count, 0))
        }
    }
}
