import Addressing
import ControlClient
import Foundation
import Glibc
import Linux
import NIOCore
import NIOHTTP1
import NIOPosix
import Services
import Testing

@testable import Agent

/// Runs `body`, which blocks, on a thread of its own, because the tests share few threads.
private func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// Creates a socket file on which nobody listens, as is left after a crash.
private func createStaleSocket(at path: String) {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    #expect(result == 0)
}

@Suite struct HTTPServerTests {
    private let tasks = EventLoopTaskExecutor(loop: MultiThreadedEventLoopGroup.singleton.next())

    /// Answers with the method, target, body size and privilege of the request.
    private let echo: HTTPServer.Responder = { request in
        let text = "\(request.method) \(request.target) \(request.body.count) \(request.isPrivileged)"
        return HTTPResponse(status: request.target == "/no" ? .notFound : .ok, body: Array(text.utf8))
    }

    @Test func requestsOverAUnixSocketAreAnswered() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        let server = try await HTTPServer.listen(onSocket: path, tasks: tasks, respond: echo).get()
        var client = ControlClient(socket: path)
        // Other tests may keep all threads busy for long.
        client.timeout = 300
        let sendableClient = client
        let replies = try await blocking {
            [
                try sendableClient.get("/v1/routes?prefix=a"), try sendableClient.get("/no"),
                try sendableClient.post("/x", body: [1, 2, 3]),
            ]
        }
        #expect(replies.map(\.status) == [200, 404, 200])
        #expect(String(decoding: replies[0].body, as: UTF8.self) == "GET /v1/routes?prefix=a 0 true")
        #expect(String(decoding: replies[2].body, as: UTF8.self) == "POST /x 3 true")
        server.close()
    }

    @Test func aBodyThatIsTooLongEndsTheConnection() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        let server = try await HTTPServer.listen(onSocket: path, tasks: tasks, respond: echo).get()
        var client = ControlClient(socket: path)
        // Other tests may keep all threads busy for long.
        client.timeout = 300
        let sendableClient = client
        await #expect(throws: ControlClient.Unreachable.self) {
            try await blocking {
                try sendableClient.post("/x", body: [UInt8](repeating: 0, count: HTTPServer.maximumBodySize + 1))
            }
        }
        let reply = try await blocking { try sendableClient.get("/") }
        #expect(reply.status == 200)
        server.close()
    }

    @Test func aMissingSocketIsReported() async throws {
        let directory = try TemporaryDirectory()
        let error = await #expect(throws: ControlClient.Unreachable.self) {
            try await blocking { try ControlClient(socket: directory.path + "/s").get("/") }
        }
        #expect(error?.description.contains("No such file or directory") == true)
    }

    @Test func aStaleSocketIsRemovedAndALiveOneIsNot() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        try ControlSocket.removeStaleSocket(at: path)
        createStaleSocket(at: path)
        #expect(access(path, F_OK) == 0)
        try ControlSocket.removeStaleSocket(at: path)
        #expect(access(path, F_OK) != 0)
        let server = try await HTTPServer.listen(onSocket: path, tasks: tasks, respond: echo).get()
        #expect(throws: ControlSocket.InUse.self) { try ControlSocket.removeStaleSocket(at: path) }
        server.close()
        let other = directory.path + "/file"
        try SmallFile.write("mine", to: other)
        #expect(throws: (any Error).self) { try ControlSocket.removeStaleSocket(at: other) }
        #expect(access(other, F_OK) == 0, "a file that is no socket is left alone")
    }
}
