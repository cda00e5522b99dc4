internal import ControlAPI
import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Asks the agent over its Unix socket. Every call waits for its answer, or for ``timeout``.
public struct ControlClient: Sendable {
    /// The path of the socket.
    public let socket: String
    /// The limit in seconds for connecting, and again for the whole answer.
    public var timeout: Int64 = 10

    /// Makes a client for the agent at `socket`.
    public init(socket: String) { self.socket = socket }

    /// An answer, whatever its HTTP status.
    public struct Reply: Sendable {
        /// The HTTP status.
        public var status: Int
        public var body: [UInt8]
    }

    /// No complete answer was received.
    public struct Unreachable: Error, CustomStringConvertible {
        /// The path of the socket.
        public var socket: String
        /// The system's error message, or for example that ``ControlClient/timeout`` has passed.
        public var reason: String

        /// One line for people.
        public var description: String { "no answer from the agent at \(socket): \(reason)" }
    }

    /// The maximum size of a body, in octets: more than the largest database in full detail has. It bounds the memory if
    /// another program listens at the socket and sends without end.
    static let maximumBodySize = 1 << 30

    /// Gets `path`, which may have a query.
    public func get(_ path: String) throws(Unreachable) -> Reply { try send(.GET, path, body: []) }

    /// Posts JSON to `path`.
    public func post(_ path: String, body: [UInt8]) throws(Unreachable) -> Reply { try send(.POST, path, body: body) }

    private func send(_ method: HTTPMethod, _ path: String, body: [UInt8]) throws(Unreachable) -> Reply {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        let loop = group.next()
        let promise = loop.makePromise(of: Reply.self)
        do {
            let channel = try ClientBootstrap(group: loop)
                .connectTimeout(.seconds(timeout))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(ReplyCollector(promise: promise))
                    }
                }
                .connect(unixDomainSocketPath: socket).wait()
            loop.scheduleTask(in: .seconds(timeout)) { promise.fail(Failure("no answer within \(timeout) seconds")) }
            var head = HTTPRequestHead(version: .http1_1, method: method, uri: path)
            head.headers = ["Host": "localhost", "Connection": "close"]
            if method == .POST {
                head.headers.add(name: "Content-Type", value: "application/json")
                head.headers.add(name: "Content-Length", value: "\(body.count)")
            }
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            if !body.isEmpty {
                channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
            }
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            return try promise.futureResult.wait()
        } catch {
            promise.fail(error)
            throw Unreachable(socket: socket, reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let failure as Failure: failure.message
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: "\(error)"
        }
    }
}

/// Why there is no complete answer, if neither the system nor SwiftNIO reports an error.
struct Failure: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

/// Puts the parts of an answer together.
private final class ReplyCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let promise: EventLoopPromise<ControlClient.Reply>
    private var reply = ControlClient.Reply(status: 0, body: [])

    init(promise: EventLoopPromise<ControlClient.Reply>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): reply.status = Int(head.status.code)
        case .body(let buffer):
            guard reply.body.count + buffer.readableBytes <= ControlClient.maximumBodySize else {
                promise.fail(Failure("the answer is longer than \(ControlClient.maximumBodySize) octets"))
                return context.close(promise: nil)
            }
            reply.body.append(contentsOf: buffer.readableBytesView)
        case .end:
            promise.succeed(reply)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(Failure("the connection was closed without an answer"))
    }
}
