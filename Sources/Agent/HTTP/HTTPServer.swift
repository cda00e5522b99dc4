internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Services

struct HTTPRequest: Sendable {
    /// `GET`, `POST`, …
    var method: HTTPMethod
    /// The path and query as received.
    var target: String
    var body: [UInt8]
    /// Whether the request came over the Unix socket, which has file permissions.
    var isPrivileged: Bool
}

/// An answer.
struct HTTPResponse: Sendable {
    var status: HTTPResponseStatus
    var contentType = "application/json"
    var body: [UInt8]
}

/// Serves HTTP/1.1 on one listening socket. Connections, sizes of requests, and times are bounded.
struct HTTPServer {
    /// Answers a request; not called on the routing thread.
    typealias Responder = @Sendable (HTTPRequest) async -> HTTPResponse

    private let channel: any Channel

    /// The maximum size of a request's body, in octets; the largest that `meshctl` sends has a few dozen.
    static let maximumBodySize = 64 << 10

    /// The limits of a server: generous for probes, metrics and people, and small enough that a flood of connections does no
    /// harm.
    struct Limits: Sendable {
        /// The maximum number of open connections; a further one replaces the one whose state has not changed for longest.
        var connections = 64
        /// The maximum time to receive a request, from its first octet; for the first request, from the start of the
        /// connection.
        var request = TimeAmount.seconds(10)
        /// The maximum time to make an answer and send it.
        var answer = TimeAmount.seconds(60)
        /// The maximum time until the next request starts.
        var idle = TimeAmount.seconds(60)
    }

    /// Listens on an address and port; its requests are not privileged.
    static func listen(
        on endpoint: Endpoint, tasks: EventLoopTaskExecutor, limits: Limits = Limits(), respond: @escaping Responder
    ) -> EventLoopFuture<HTTPServer> {
        do {
            let address = try SocketAddress(ipAddress: endpoint.host.description, port: Int(endpoint.port))
            return bootstrap(tasks: tasks, limits, isPrivileged: false, respond)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(to: address).map { HTTPServer(channel: $0) }
        } catch {
            return tasks.loop.makeFailedFuture(error)
        }
    }

    /// Listens on a Unix socket whose file does not exist yet; its requests are privileged.
    static func listen(
        onSocket path: String, tasks: EventLoopTaskExecutor, limits: Limits = Limits(), respond: @escaping Responder
    ) -> EventLoopFuture<HTTPServer> {
        bootstrap(tasks: tasks, limits, isPrivileged: true, respond).bind(unixDomainSocketPath: path)
            .map { HTTPServer(channel: $0) }
    }

    /// Accepts no more connections.
    func close() { channel.close(promise: nil) }

    private static func bootstrap(
        tasks: EventLoopTaskExecutor, _ limits: Limits, isPrivileged: Bool, _ respond: @escaping Responder
    ) -> ServerBootstrap {
        ServerBootstrap(group: tasks.loop)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HTTPConnections(limits))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(RequestHandler(isPrivileged: isPrivileged, tasks: tasks, respond: respond))
                }
            }
    }
}

/// Receives one request at a time and sends its answer. Disconnects a client whose body is too large, or that sends the next
/// request before the answer (clients must expect that, RFC 9112 §9.3.2): pipelined requests would keep other clients waiting.
private final class RequestHandler: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        case receiving(HTTPRequestHead, body: [UInt8])
        case answering
    }

    private let isPrivileged: Bool
    private let tasks: EventLoopTaskExecutor
    private let respond: HTTPServer.Responder
    private var state = State.idle

    init(isPrivileged: Bool, tasks: EventLoopTaskExecutor, respond: @escaping HTTPServer.Responder) {
        self.isPrivileged = isPrivileged
        self.tasks = tasks
        self.respond = respond
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle): state = .receiving(head, body: [])
        case (.body(let buffer), .receiving(let head, var body))
        where body.count + buffer.readableBytes <= HTTPServer.maximumBodySize:
            body.append(contentsOf: buffer.readableBytesView)
            state = .receiving(head, body: body)
        case (.end, .receiving(let head, let body)):
            state = .answering
            context.triggerUserOutboundEvent(HTTPConnection.Progress.asked, promise: nil)
            let request = HTTPRequest(method: head.method, target: head.uri, body: body, isPrivileged: isPrivileged)
            answer(request, head, channel: context.channel)
        case (.head, _), (.body, _), (.end, _): context.close(promise: nil)
        }
    }

    private func answer(_ request: HTTPRequest, _ head: HTTPRequestHead, channel: any Channel) {
        let isKeptAlive = head.isKeepAlive
        Task(executorPreference: tasks) { [respond] in
            // A client that has closed the connection, for example while this process did not run, no longer expects its
            // command to be carried out.
            guard channel.isActive else { return }
            let response = await respond(request)
            var answer = HTTPResponseHead(version: head.version, status: response.status)
            answer.headers = [
                "Content-Type": response.contentType, "Content-Length": "\(response.body.count)", "Server": "meshd",
            ]
            if !isKeptAlive { answer.headers.add(name: "Connection", value: "close") }
            let body = ByteBuffer(bytes: request.method == .HEAD ? [] : response.body)
            let sent = channel.eventLoop.makePromise(of: Void.self)
            sent.futureResult.whenComplete { _ in
                guard isKeptAlive else { return channel.close(promise: nil) }
                channel.triggerUserOutboundEvent(HTTPConnection.Progress.answered, promise: nil)
            }
            channel.write(HTTPServerResponsePart.head(answer), promise: nil)
            channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: sent)
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if event as? HTTPConnection.Progress == .answered { state = .idle }
        context.triggerUserOutboundEvent(event, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
