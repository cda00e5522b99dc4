internal import Glibc

/// Reading and writing of whole small files.
public enum SmallFile {
    /// The first `limit` octets of a file; what follows is ignored. It must be a regular file unless `isAnyKind`: opening or
    /// reading a pipe, for example, could block forever.
    public static func read(_ path: String, upTo limit: Int, isAnyKind: Bool = false) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | (isAnyKind ? 0 : O_NONBLOCK))
        guard descriptor >= 0 else { throw .last("open \(path)") }
        defer { close(descriptor) }
        guard isAnyKind || isRegular(descriptor) else { throw notRegular("read", path) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(limit, 1 << 16))
        while octets.count < limit {
            let count = Glibc.read(descriptor, &chunk, min(limit - octets.count, chunk.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read \(path)") }
            if count == 0 { break }
            octets += chunk[..<count]
        }
        return octets
    }

    private static func isRegular(_ descriptor: CInt) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func notRegular(_ verb: String, _ path: String) -> SystemError {
        SystemError("\(verb) \(path), as it is not a regular file", code: EINVAL)
    }

    /// Creates a temporary file, in place of one that a crash has left. Returns its descriptor; negative after a failure.
    private static func create(_ temporary: String, _ mode: mode_t) -> CInt {
        unlink(temporary)
        return open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    }

    /// Whether `path`, or what it links to, exists and is not a regular file, so that reading it could block forever.
    public static func isSpecial(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    /// Replaces a file by `text` atomically, with mode 0644 or another: a reader sees the old or the new content. Refuses to replace what
    /// is not a regular file, such as `/dev/null`.
    ///
    /// With `durably`, the content is on disk before the file is replaced, so that after a loss of power the file has the
    /// old or the new content, and is not empty.
    public static func write(
        _ text: String, to path: String, durably: Bool = false, mode: UInt32 = 0o644
    ) throws(SystemError) {
        guard !isSpecial(path) else { throw notRegular("write", path) }
        let temporary = path + ".new"
        let descriptor = create(temporary, mode_t(mode))
        guard descriptor >= 0 else { throw .last("write \(path)") }
        let octets = Array(text.utf8)
        let count = Glibc.write(descriptor, octets, octets.count)
        // A partial write sets no error number, but the reason is usually a full disk.
        if count >= 0, count < octets.count { errno = ENOSPC }
        let isWhole = count == octets.count && (!durably || fsync(descriptor) == 0)
        guard isWhole, close(descriptor) == 0, rename(temporary, path) == 0 else {
            let error = SystemError.last("write \(path)")
            if !isWhole { close(descriptor) }
            unlink(temporary)
            throw error
        }
    }

    /// Whether `path` exists.
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Copies a regular file atomically, durably and with mode 0755: the target is the old or the whole new program, also after
    /// a loss of power.
    public static func copyProgram(_ path: String, to target: String) throws(SystemError) {
        let temporary = target + ".new"
        let source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard source >= 0 else { throw .last("open \(path)") }
        defer { close(source) }
        guard isRegular(source) else { throw notRegular("copy", path) }
        let copy = create(temporary, 0o755)
        guard copy >= 0 else { throw .last("write \(target)") }
        var isWhole = false
        while true {
            let count = sendfile(copy, source, nil, 1 << 20)
            if count < 0, errno == EINTR { continue }
            isWhole = count == 0
            if count <= 0 { break }
        }
        isWhole = isWhole && fsync(copy) == 0 && fchmod(copy, 0o755) == 0
        close(copy)
        guard isWhole, rename(temporary, target) == 0 else {
            let error = SystemError.last("write \(target)")
            unlink(temporary)
            throw error
        }
    }

    /// A value that changes when the file does; `nil` if there is no file, or it is not accessible. Follows symbolic links,
    /// because Kubernetes updates mounted files by replacing a symbolic link.
    public static func stamp(of path: String) -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            file: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: withUnsafeBytes(of: status.st_mtim) { Array($0) },
            changed: withUnsafeBytes(of: status.st_ctim) { Array($0) })
    }

    /// See ``stamp(of:)``.
    public struct Stamp: Hashable, Sendable {
        /// The inode number.
        var file: UInt64
        var size: Int64
        /// The time of the last change of the contents: the octets of `st_mtim`, which are only compared for equality.
        var modified: [UInt8]
        /// The time of the last change, also of owner and permissions (`st_ctim`).
        var changed: [UInt8]
    }
}
