import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Agent

@Suite struct ControlListenerTests {
    private let tasks = EventLoopTaskExecutor(loop: MultiThreadedEventLoopGroup.singleton.next())

    /// Whether a connection to the socket is accepted.
    private func isAnswered(_ path: String) -> Bool {
        (try? ClientBootstrap(group: tasks.loop).connect(unixDomainSocketPath: path).wait()) != nil
    }

    @Test func aSocketThatAnotherProgramRemovesIsCreatedAgain() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/run/s"
        var listener = try ControlListener(path: path, tasks: tasks) { _ in HTTPResponse(status: .ok, body: []) }
        defer { listener.close() }
        #expect(isAnswered(path))
        let untouched = listener.check()
        #expect(untouched == nil)

        unlink(path)
        rmdir(directory.path + "/run")
        #expect(!isAnswered(path))
        let restored = listener.check()
        #expect(restored == .restored && isAnswered(path))

        unlink(path)
        mkdir(path, 0o755)
        guard case .failed(let reason)? = listener.check() else {
            return #expect(Bool(false), "a directory at the path of the socket is a failure")
        }
        #expect(reason.contains("as it is not a socket"))
        let again = listener.check()
        #expect(again == nil, "one failure is reported once")
        rmdir(path)
        let last = listener.check()
        #expect(last == .restored && isAnswered(path))
    }
}
