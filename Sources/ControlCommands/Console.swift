import Glibc

/// Standard output and standard error.
enum Console {
    /// Whether standard output is a terminal.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes to standard output.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }
    /// Writes to standard error.
    static func complain(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty {
            let count = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR {
                // The reader has closed the pipe. A library may have set SIGPIPE to be ignored; end by that signal, as other
                // programs do.
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
