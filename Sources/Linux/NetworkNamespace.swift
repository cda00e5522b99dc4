internal import CLinux
internal import Glibc

/// A network namespace, kept open. Namespaces belong to threads, so work in a namespace is a closure that runs on its
/// own thread. The closure must not suspend: after an `await` it could continue on another thread.
public struct NetworkNamespace: Sendable {
    private let file: FileDescriptor

    /// The directory in which `ip netns` stores names.
    public static let directory = "/run/netns"

    /// Opens a namespace by its path: `/run/netns/mesh-1`, `/proc/4711/ns/net`.
    public init(path: String) throws(SystemError) {
        file = try FileDescriptor(open(path, O_RDONLY | O_CLOEXEC), "open the network namespace \(path)")
    }

    /// Opens a named namespace, as shown by `ip netns`.
    public init(named name: String) throws(SystemError) { try self.init(path: Self.path(of: name)) }

    /// Opens the namespace of the calling thread.
    public static func current() throws(SystemError) -> NetworkNamespace {
        try NetworkNamespace(path: "/proc/thread-self/ns/net")
    }

    /// Makes a named namespace that `ip netns` shows too.
    public static func make(named name: String) throws(SystemError) -> NetworkNamespace {
        try onFreshThread { () throws(SystemError) in
            guard clinux_unshare_network() == 0 else { throw .last("make a network namespace") }
            guard clinux_pin_network(directory, path(of: name)) == 0 else {
                throw .last("name the network namespace \(path(of: name))")
            }
        }
        return try NetworkNamespace(named: name)
    }

    /// Makes a namespace without a name. It exists as long as this value, or a socket or thread in it.
    public static func make() throws(SystemError) -> NetworkNamespace {
        try onFreshThread { () throws(SystemError) -> NetworkNamespace in
            guard clinux_unshare_network() == 0 else { throw .last("make a network namespace") }
            return try current()
        }
    }

    /// Removes a name. Processes and sockets in the namespace are not affected.
    public static func remove(named name: String) throws(SystemError) {
        guard clinux_unpin_network(path(of: name)) == 0 else {
            throw .last("remove the network namespace \(path(of: name))")
        }
    }

    /// The unique number of this namespace, as `lsns` shows it.
    public var inode: UInt64 {
        var status = stat()
        fstat(file.rawValue, &status)
        return UInt64(status.st_ino)
    }

    /// Acquires the advisory lock (`flock`) of the namespace, for as long as this value or a copy of it exists. Returns
    /// `false` if somebody else has it: another process, or a value of this process that was opened separately. It works
    /// for processes that share no file system. The kernel releases it when the process ends in any way.
    public func lock() throws(SystemError) -> Bool {
        if flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw .last("lock the network namespace") }
        return false
    }

    /// The descriptor, for passing the namespace to netlink (`IFLA_NET_NS_FD`) or to a child process.
    public var descriptor: CInt { file.rawValue }

    /// Moves the calling thread into this namespace permanently. Only for a thread that the caller started for this purpose.
    public func enter() throws(SystemError) {
        guard clinux_enter_network(file.rawValue) == 0 else { throw .last("enter a network namespace") }
    }

    /// Runs `body` on a new thread inside this namespace and waits for it. Throws what `body` throws, or if the thread
    /// cannot enter the namespace.
    public func run<Result>(_ body: () throws -> Result) throws -> Result {
        try Self.onFreshThread { () throws(any Error) -> Result in
            try enter()
            return try body()
        }
    }

    private static func path(of name: String) -> String { "\(directory)/\(name)" }

    /// Runs `body` on a new thread and waits for it. A thread that has changed its namespace is not used for anything else.
    private static func onFreshThread<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var result: Swift.Result<Result, Failure>?
        withoutActuallyEscaping({ result = Swift.Result(catching: body) }) { work in
            let box = Unmanaged.passRetained(Work(work))
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { context in
                    Unmanaged<Work>.fromOpaque(context!).takeUnretainedValue().body()
                    return nil
                }, box.toOpaque())
            precondition(code == 0, "cannot start a thread: \(SystemError.message(for: code))")
            pthread_join(thread, nil)
            box.release()
        }
        return try result!.get()
    }

    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
}
