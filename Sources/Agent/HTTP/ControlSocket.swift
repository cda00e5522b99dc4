internal import Glibc
internal import Linux

/// The file of the control socket.
enum ControlSocket {
    /// A process listens on the socket.
    struct InUse: Error, CustomStringConvertible {
        var path: String
        var description: String {
            "another process listens on \(path); stop it first, or give this one another control.socket"
        }
    }

    /// Removes the socket of a crashed agent at `path`, if there is one. Throws if a process listens on it, it is another kind
    /// of file, or it cannot be removed.
    static func removeStaleSocket(at path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SystemError("use \(path) as the control socket, as it is not a socket", code: EEXIST)
        }
        if try hasListener(path) { throw InUse(path: path) }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError.last("remove the old socket \(path)") }
    }

    private static func hasListener(_ path: String) throws -> Bool {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError.last("open a Unix socket") }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard octets.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("use the control socket \(path)", code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// The inode of the socket at `path`; `nil` if there is none.
    static func inode(at path: String) -> UInt64? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return UInt64(status.st_ino)
    }

    /// Runs `body` with a umask that reserves created files for their owner. The umask is that of the whole process.
    static func withPrivateFiles<Result>(_ body: () throws -> Result) rethrows -> Result {
        let previous = umask(0o177)
        defer { umask(previous) }
        return try body()
    }
}
