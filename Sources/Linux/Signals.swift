internal import CLinux
internal import Glibc
internal import Timing

/// Signals that are waited for instead of handled: they are blocked, and received one by one.
public struct Signals {
    private let set: sigset_t

    /// Blocks signals in this thread and all threads that it starts afterwards. Ignores SIGPIPE, so that writes to closed
    /// sockets fail instead of ending the process.
    public init(_ signals: [CInt]) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        self.set = set
    }

    /// Waits for the next signal.
    public func next() -> CInt {
        var set = set
        var signal: CInt = 0
        while sigwait(&set, &signal) != 0 {}
        return signal
    }

    /// Waits for the next signal, for a maximum of `limit`; `nil` if none was received.
    public func next(within limit: Duration) -> CInt? {
        var set = set
        let end = ContinuousClock.now + limit
        while true {
            let rest = max(end - .now, .zero)
            var time = timespec()
            time.tv_sec = Int(rest.components.seconds)
            time.tv_nsec = Int(rest.components.attoseconds / 1_000_000_000)
            let signal = sigtimedwait(&set, nil, &time)
            if signal > 0 { return signal }
            // Another signal, such as SIGCHLD, does not end the wait.
            guard errno == EINTR else { return nil }
        }
    }
}
