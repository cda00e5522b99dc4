internal import Linux
internal import NIOCore

/// The HTTP server on the control socket. If another program removes or replaces the socket's file, for example one that
/// cleans up `/run`, ``check()`` listens again.
struct ControlListener {
    private let path: String
    private let tasks: EventLoopTaskExecutor
    private let respond: HTTPServer.Responder
    private var server: HTTPServer
    /// The inode of our socket; `nil` while not listening.
    private var inode: UInt64?
    /// Why the last attempt to listen again failed; `nil` if it succeeded or there was none.
    private var failure: String?

    /// The result of a ``check()``.
    enum Finding: Hashable {
        case restored
        case failed(String)
    }

    /// Listens. The directory is created if it is missing; the socket of a crashed agent is replaced.
    init(path: String, tasks: EventLoopTaskExecutor, respond: @escaping HTTPServer.Responder) throws {
        self.path = path
        self.tasks = tasks
        self.respond = respond
        server = try Self.listen(path, tasks, respond)
        inode = ControlSocket.inode(at: path)
    }

    /// Listens again if the file is not ours any more. Returns what to log: `nil` if nothing happened, or listening fails for
    /// the same reason as at the last check. Waits for the event loop of the server: do not call this there.
    mutating func check() -> Finding? {
        guard inode == nil || ControlSocket.inode(at: path) != inode else { return nil }
        inode = nil
        server.close()
        do {
            server = try Self.listen(path, tasks, respond)
            inode = ControlSocket.inode(at: path)
            failure = nil
            return .restored
        } catch {
            defer { failure = "\(error)" }
            return failure == "\(error)" ? nil : .failed("\(error)")
        }
    }

    /// Accepts no more connections.
    func close() { server.close() }

    private static func listen(
        _ path: String, _ tasks: EventLoopTaskExecutor, _ respond: @escaping HTTPServer.Responder
    ) throws -> HTTPServer {
        try StateDirectory(besideSocket: path).create()
        try ControlSocket.removeStaleSocket(at: path)
        do {
            return try ControlSocket.withPrivateFiles {
                try HTTPServer.listen(onSocket: path, tasks: tasks, respond: respond).wait()
            }
        } catch let error as IOError {
            throw SystemError("create the control socket \(path)", code: error.errnoCode)
        }
    }
}
