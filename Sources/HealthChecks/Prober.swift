internal import Addressing
import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Services
internal import Timing

/// Performs a probe, once per call of ``run(timeout:)``, and keeps its TLS context for the next run. To be called on its loop.
final class Prober: Sendable {
    private let probe: Probe
    private let loop: any EventLoop
    /// For HTTPS; otherwise `nil`.
    private let tls: NIOLoopBoundBox<TLSClient?>
    /// For a program; otherwise `nil`.
    private let runner: CommandRunner?

    /// Makes a prober; the tasks of a program run on `executor`, preferably the loop's own.
    init(_ probe: Probe, loop: any EventLoop, executor: (any TaskExecutor)?) {
        self.probe = probe
        self.loop = loop
        var client: TLSClient?
        if case .http(let probe) = probe { client = probe.tls.map(TLSClient.init) }
        tls = .makeBoxSendingValue(client, eventLoop: loop)
        runner =
            if case .command(let probe) = probe { CommandRunner(probe, loop: loop, executor: executor) } else { nil }
    }

    /// Tries the endpoints in order until one works, each within `timeout`, or runs the program. Never fails: a failure, the
    /// one of the last endpoint, is an outcome.
    func run(timeout: TimeAmount) -> EventLoopFuture<CheckOutcome> {
        runner?.run(timeout: timeout) ?? attempt(probe.endpoints[...], timeout: timeout)
    }

    /// Kills the program, if the probe runs one.
    func stop() { runner?.stop() }

    /// Tries the endpoints in order, and stops at the first success.
    private func attempt(_ endpoints: ArraySlice<Endpoint>, timeout: TimeAmount) -> EventLoopFuture<CheckOutcome> {
        guard let endpoint = endpoints.first else { return loop.makeSucceededFuture(.failure("no endpoint")) }
        return attempt(endpoint, timeout: timeout).flatMap { [self] outcome in
            outcome == .success || endpoints.count == 1
                ? loop.makeSucceededFuture(outcome) : attempt(endpoints.dropFirst(), timeout: timeout)
        }
    }

    private func attempt(_ endpoint: Endpoint, timeout: TimeAmount) -> EventLoopFuture<CheckOutcome> {
        let outcome = loop.makePromise(of: CheckOutcome.self)
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(timeout).channelInitializer { [self] channel in
            loop.makeCompletedFuture { try prepare(channel, for: endpoint, outcome) }
        }
        let deadline = loop.scheduleTask(in: timeout) {
            outcome.succeed(.failure("\(endpoint): no answer within \(timeout.text)"))
        }
        do {
            let channel = bootstrap.connect(to: try endpoint.socketAddress)
            channel.whenFailure { outcome.succeed(.failure("\(endpoint): \(reason($0, timeout))")) }
            if case .tcp = probe { channel.whenSuccess { _ in outcome.succeed(.success) } }
            outcome.futureResult.whenComplete { _ in
                deadline.cancel()
                channel.whenSuccess { $0.close(promise: nil) }
            }
        } catch {
            outcome.succeed(.failure("\(endpoint): \(error)"))
        }
        return outcome.futureResult
    }

    /// Adds the handlers of HTTP and, for HTTPS, of TLS to a new connection; none for TCP.
    private func prepare(
        _ channel: any Channel, for endpoint: Endpoint, _ outcome: EventLoopPromise<CheckOutcome>
    ) throws {
        guard case .http(let probe) = probe else { return }
        let pipeline = channel.pipeline.syncOperations
        if let handler = try tls.value?.handler() { try pipeline.addHandler(handler) }
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(AnswerWatcher(probe: probe, endpoint: endpoint, outcome: outcome))
    }
}

/// Sends the GET of a probe and checks the status.
private final class AnswerWatcher: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart
    private let probe: HTTPProbe
    private let endpoint: Endpoint
    private let outcome: EventLoopPromise<CheckOutcome>

    init(probe: HTTPProbe, endpoint: Endpoint, outcome: EventLoopPromise<CheckOutcome>) {
        self.probe = probe
        self.endpoint = endpoint
        self.outcome = outcome
    }

    func channelActive(context: ChannelHandlerContext) {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: probe.path)
        head.headers = [
            "Host": probe.host ?? endpoint.description, "User-Agent": "kubermesh", "Accept": "*/*",
            "Connection": "close",
        ]
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let status = Int(head.status.code)
        outcome.succeed(
            probe.status.contains { $0.contains(status) } ? .success : .failure("\(endpoint): HTTP status \(status)"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let peer = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
        let system = (error as? IOError).map { String(cString: strerror($0.errnoCode)) }
        let reason = probe.tls?.reason(error, peer: peer) ?? system ?? "not HTTP (\(error))"
        outcome.succeed(.failure("\(endpoint): \(reason)"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        outcome.succeed(.failure("\(endpoint): connection closed without an answer"))
    }
}

/// The reason why a connection failed, for people.
private func reason(_ error: any Error, _ timeout: TimeAmount) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case ChannelError.connectTimeout: "no answer within \(timeout.text)"
    default: "\(error)"
    }
}

extension TimeAmount {
    /// The duration in seconds, for people.
    var text: String { "\(Double(nanoseconds) / 1e9) s" }
}

extension Endpoint {
    /// The address for a NIO socket.
    var socketAddress: SocketAddress {
        get throws { try SocketAddress(ipAddress: host.description, port: Int(port)) }
    }
}
