internal import Glibc

/// How many descriptors this process may have.
public enum OpenFiles {
    /// Raises the limit as far as it may be raised; what it is now. The usual one is small for the sake of programs that use
    /// `select`, which none here does.
    @discardableResult
    public static func raiseLimit() -> UInt {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit.rlim_cur
    }
}
