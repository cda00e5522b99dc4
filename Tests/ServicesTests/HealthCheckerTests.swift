import Addressing
import NIOCore
import NIOHTTP1
import NIOPosix
import OSPF
import Testing

@testable import Services

/// A real server on the IPv6 loopback.
private struct Server {
    let channel: any Channel
    let endpoint: Endpoint

    init(
        port: Int = 0,
        _ initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void> = {
            $0.eventLoop.makeSucceededVoidFuture()
        }
    )
        async throws
    {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer(initialize).bind(host: "::1", port: port).get()
        endpoint = Endpoint(host: .v6(.loopback), port: UInt16(try #require(channel.localAddress?.port)))
    }

    /// Answers every request with a status, and the Host header it saw.
    static func http(_ answer: @escaping @Sendable (HTTPRequestHead) -> HTTPResponseStatus) async throws -> Server {
        try await Server { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                try channel.pipeline.syncOperations.addHandler(Answerer(answer: answer))
            }
        }
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        let answer: @Sendable (HTTPRequestHead) -> HTTPResponseStatus
        init(answer: @escaping @Sendable (HTTPRequestHead) -> HTTPResponseStatus) { self.answer = answer }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let request) = unwrapInboundIn(data) else { return }
            let head = HTTPResponseHead(version: .http1_1, status: answer(request), headers: ["Content-Length": "0"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// Speaks first, as a mail server does.
private final class Greeter: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: "220 mail\r\n")), promise: nil)
    }
}

@Suite struct ProbeTests {
    private func run(_ probe: Probe, timeout: TimeAmount = .seconds(2)) async throws -> CheckOutcome {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return try await loop.flatSubmit { probe.run(timeout: timeout, on: loop) }.get()
    }

    private func failure(_ outcome: CheckOutcome) -> String {
        if case .failure(let reason) = outcome { reason } else { "" }
    }

    @Test func tcpWorksWhileSomebodyListens() async throws {
        let server = try await Server()
        #expect(try await run(.tcp([server.endpoint])) == .success)
        try await server.channel.close()
        // Not at the server's old port, which another test may have been given by now.
        let closed = Endpoint("127.0.0.1:1")!
        #expect(failure(try await run(.tcp([closed]))).contains("Connection refused"))
    }

    @Test func oneEndpointThatWorksIsEnough() async throws {
        let server = try await Server()
        let closed = Endpoint("127.0.0.1:1")!
        #expect(try await run(.tcp([closed, server.endpoint])) == .success)
        try await server.channel.close()
    }

    @Test func httpLooksAtTheStatus() async throws {
        let server = try await Server.http { $0.uri == "/healthz" && $0.headers["host"] == ["web"] ? .ok : .notFound }
        var probe = HTTPProbe(endpoints: [server.endpoint], path: "/healthz", host: "web")
        #expect(try await run(.http(probe)) == .success)
        probe.path = "/"
        #expect(failure(try await run(.http(probe))).hasSuffix("HTTP status 404"))
        probe.status = 404...404
        #expect(try await run(.http(probe)) == .success)
        try await server.channel.close()
    }

    @Test func silenceIsAFailure() async throws {
        let server = try await Server()
        let outcome = try await run(.http(HTTPProbe(endpoints: [server.endpoint])), timeout: .milliseconds(50))
        #expect(failure(outcome).contains("no answer within 0.05 s"))
        try await server.channel.close()
    }

    @Test func whatIsNotHTTPIsAFailure() async throws {
        let server = try await Server { $0.pipeline.addHandler(Greeter()) }
        let outcome = try await run(.http(HTTPProbe(endpoints: [server.endpoint])))
        #expect(failure(outcome).contains("not HTTP"))
        try await server.channel.close()
    }
}

@Suite struct HealthCheckerTests {
    @Test func outcomesComeUntilItIsStopped() async throws {
        let server = try await Server()
        var table = VIPTable()
        let check = HealthCheck(probe: .tcp([server.endpoint]), interval: .milliseconds(10), timeout: .seconds(1))
        let vip = VIP(name: "api", address: IPv6Address("fd00::a")!, check: check)
        guard case .startChecking(let id, _)? = table.configure([vip], at: .zero).first else {
            Issue.record("no checker was asked for")
            return
        }
        let (outcomes, continuation) = AsyncStream.makeStream(of: CheckOutcome.self)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let checker = HealthChecker(loop: loop) { reported, outcome in
            if reported == id { continuation.yield(outcome) }
        }
        checker.start(id, check)
        var iterator = outcomes.makeAsyncIterator()
        #expect(await iterator.next() == .success)
        #expect(await iterator.next() == .success)
        try await server.channel.close()
        while let outcome = await iterator.next(), outcome == .success {}
        checker.stop(id)
        try await loop.submit { continuation.finish() }.get()
        while await iterator.next() != nil {}
    }
}
