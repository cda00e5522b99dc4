import Addressing
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Services
import Testing

/// A real server on the IPv6 loopback address. Without `initialize` it accepts connections and sends nothing.
struct Server {
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

    /// A server that answers every request with a status and no body, over TLS if `tls` is given.
    static func http(
        tls: TLSConfiguration? = nil, _ answer: @escaping @Sendable (HTTPRequestHead) -> HTTPResponseStatus
    ) async throws -> Server {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        return try await Server { channel in
            channel.eventLoop.makeCompletedFuture {
                if let context {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                }
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

/// Sends a greeting before any request, as a mail server does.
final class Greeter: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: "220 mail\r\n")), promise: nil)
    }
}
