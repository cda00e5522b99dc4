internal import Glibc

/// The maximum number of file descriptors of this process (`RLIMIT_NOFILE`).
public enum OpenFiles {
    /// Raises the soft limit to the hard limit and returns the limit now in force; 0 if it cannot be read. The usual soft
    /// limit is 1024, because `select` fails for larger descriptors; nothing here uses `select`.
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
