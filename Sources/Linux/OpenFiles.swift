internal import Glibc

/// The maximum number of descriptors of this process.
public enum OpenFiles {
    /// Raises the limit to its maximum and returns it. The usual limit is small for the sake of programs that use
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
