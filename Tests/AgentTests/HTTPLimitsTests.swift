import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Agent

/// Clients that do not read, do not send or do not wait: the server ends their connections, and serves others.
@Suite struct HTTPLimitsTests {
    private let tasks = EventLoopTaskExecutor(loop: MultiThreadedEventLoopGroup.singleton.next())
    private let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    /// Runs `body` with a server whose answers have a body of `octets` octets. Its parameters are the path of the socket and
    /// the number of answers so far.
    private func withServer(
        _ limits: HTTPServer.Limits, octets: Int = 2,
        _ body: (_ path: String, _ answers: borrowing Atomic<Int>) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let answers = Answers()
        let server = try await HTTPServer.listen(onSocket: directory.path + "/s", tasks: tasks, limits: limits) { _ in
            answers.count.add(1, ordering: .relaxed)
            return HTTPResponse(status: .ok, body: [UInt8](repeating: 0x2e, count: octets))
        }.get()
        defer { server.close() }
        try await body(directory.path + "/s", answers.count)
    }

    private final class Answers: Sendable {
        let count = Atomic(0)
    }

    /// A connection that sends `text` and reads nothing by itself.
    private func connect(_ path: String, send text: String = "") async throws -> any Channel {
        let channel = try await ClientBootstrap(group: tasks.loop)
            .channelOption(.autoRead, value: false)
            .connect(unixDomainSocketPath: path).get()
        if !text.isEmpty { try await channel.writeAndFlush(ByteBuffer(string: text)) }
        return channel
    }

    /// Sends a request and waits for the beginning of its answer, without a time limit, because other tests may keep all
    /// threads busy. `nil` if the connection ends without an answer.
    private func sendRequest(_ path: String) async throws -> (any Channel)? {
        let first = tasks.loop.makePromise(of: Bool.self)
        let channel = try await ClientBootstrap(group: tasks.loop)
            .channelInitializer { $0.pipeline.addHandler(FirstRead(first)) }
            .connect(unixDomainSocketPath: path).get()
        channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
        return try await first.futureResult.get() ? channel : nil
    }

    /// Sends a request and reads the first octets of its answer, and no more. Then the server is sending the answer or, if it
    /// is short, has sent it.
    private func sendRequestReadingFirstOctets(_ path: String) async throws -> any Channel {
        let first = tasks.loop.makePromise(of: Bool.self)
        let channel = try await ClientBootstrap(group: tasks.loop)
            .channelOption(.autoRead, value: false)
            .channelInitializer { $0.pipeline.addHandler(FirstRead(first)) }
            .connect(unixDomainSocketPath: path).get()
        try await channel.writeAndFlush(ByteBuffer(string: request))
        channel.read()
        #expect(try await first.futureResult.get())
        return channel
    }

    /// Fulfills its promise with whether anything was read before the connection ended.
    private final class FirstRead: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<Bool>
        init(_ promise: EventLoopPromise<Bool>) { self.promise = promise }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { promise.succeed(true) }
        func channelInactive(context: ChannelHandlerContext) { promise.succeed(false) }
    }

    /// No test reaches the time limits, unless it lowers one.
    private static let longLimits = HTTPServer.Limits(
        connections: 4, request: .minutes(2), answer: .minutes(2), idle: .minutes(2))

    @Test(arguments: ["", "GET / HT", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"])
    func anIncompleteRequestTimesOut(beginning: String) async throws {
        var limits = Self.longLimits
        limits.request = .milliseconds(100)
        try await withServer(limits) { path, answers in
            try await connect(path, send: beginning).closeFuture.get()
            #expect(answers.load(ordering: .relaxed) == 0)
        }
    }

    @Test func aSecondIncompleteRequestTimesOutToo() async throws {
        var limits = Self.longLimits
        limits.request = .milliseconds(100)
        try await withServer(limits) { path, answers in
            let channel = try #require(try await sendRequest(path))
            try await channel.writeAndFlush(ByteBuffer(string: "GET"))
            try await channel.closeFuture.get()
            #expect(answers.load(ordering: .relaxed) == 1)
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        var limits = Self.longLimits
        limits.idle = .milliseconds(100)
        try await withServer(limits) { path, answers in
            try await connect(path, send: request).closeFuture.get()
            #expect(answers.load(ordering: .relaxed) == 1)
        }
    }

    /// An answer of 32 MiB does not fit into the buffers of the sockets.
    @Test func aConnectionThatDoesNotReadItsAnswerIsClosed() async throws {
        var limits = Self.longLimits
        limits.answer = .milliseconds(100)
        try await withServer(limits, octets: 32 << 20) { path, answers in
            try await connect(path, send: request).closeFuture.get()
            #expect(answers.load(ordering: .relaxed) == 1)
        }
    }

    /// A second request before the answer to the first (pipelining) ends the connection.
    @Test func aConnectionWithPipelinedRequestsIsClosed() async throws {
        for octets in [2, 32 << 20] {
            try await withServer(Self.longLimits, octets: octets) { path, answers in
                try await connect(path, send: String(repeating: request, count: 1000)).closeFuture.get()
                #expect(answers.load(ordering: .relaxed) <= 1)
            }
        }
    }

    @Test func aConnectionServesManyRequestsInTurn() async throws {
        try await withServer(Self.longLimits) { path, answers in
            let all = tasks.loop.makePromise(of: Bool.self)
            let request = request
            let channel = try await ClientBootstrap(group: tasks.loop)
                .channelInitializer { $0.pipeline.addHandler(SequentialClient(request, times: 1000, all)) }
                .connect(unixDomainSocketPath: path).get()
            #expect(try await all.futureResult.get())
            #expect(answers.load(ordering: .relaxed) == 1000)
            try await channel.close()
        }
    }

    /// Sends the next request as soon as it has an answer. Fulfills its promise with whether it got all `times` answers.
    private final class SequentialClient: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let request: String
        private var remaining: Int
        private let promise: EventLoopPromise<Bool>
        private var answer = ByteBuffer()

        init(_ request: String, times: Int, _ promise: EventLoopPromise<Bool>) {
            self.request = request
            remaining = times
            self.promise = promise
        }

        func channelActive(context: ChannelHandlerContext) { sendRequest(context) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            answer.writeImmutableBuffer(unwrapInboundIn(data))
            guard String(buffer: answer).hasSuffix("\r\n\r\n..") else { return }
            answer.clear()
            remaining -= 1
            if remaining > 0 { sendRequest(context) } else { promise.succeed(true) }
        }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(false) }

        private func sendRequest(_ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        }
    }

    /// `beginning` is what each connection sends; `nil` for a whole request, of whose answer only the first
    /// octets are read.
    @Test(arguments: ["", "GET / HT", nil])
    func stalledConnectionsDoNotBlockNewOnes(beginning: String?) async throws {
        for octets in [2, 32 << 20] {
            try await withServer(Self.longLimits, octets: octets) { path, _ in
                var channels: [any Channel] = []
                for _ in 0..<Self.longLimits.connections {
                    let channel =
                        if let beginning { try await connect(path, send: beginning) } else {
                            try await sendRequestReadingFirstOctets(path)
                        }
                    channels.append(channel)
                }
                try await #require(try await sendRequest(path)).close()
                // The new connection replaced the one that was unchanged for longest: the first.
                try await channels[0].closeFuture.get()
                for channel in channels.dropFirst() {
                    #expect(channel.isActive)
                    try await channel.close()
                }
            }
        }
    }
}
