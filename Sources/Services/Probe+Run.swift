internal import Addressing
import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import OSPF

extension Probe {
    /// Tries the endpoints in order until one works. Never fails: a failure is an outcome.
    func run(timeout: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<CheckOutcome> {
        attempt(endpoints[...], timeout: timeout, on: loop)
    }

    private func attempt(
        _ endpoints: ArraySlice<Endpoint>, timeout: TimeAmount, on loop: any EventLoop
    ) -> EventLoopFuture<CheckOutcome> {
        guard let endpoint = endpoints.first else { return loop.makeSucceededFuture(.failure("nowhere to try")) }
        return attempt(endpoint, timeout: timeout, on: loop).flatMap { outcome in
            outcome == .success || endpoints.count == 1
                ? loop.makeSucceededFuture(outcome) : attempt(endpoints.dropFirst(), timeout: timeout, on: loop)
        }
    }

    private func attempt(_ endpoint: Endpoint, timeout: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<
        CheckOutcome
    > {
        let outcome = loop.makePromise(of: CheckOutcome.self)
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(timeout).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                guard case .http(let probe) = self else { return }
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(
                    AnswerWatcher(probe: probe, endpoint: endpoint, outcome: outcome))
            }
        }
        let deadline = loop.scheduleTask(in: timeout) {
            outcome.succeed(.failure("\(endpoint): no answer within \(timeout.text)"))
        }
        do {
            let channel = bootstrap.connect(to: try endpoint.socketAddress)
            channel.whenFailure { outcome.succeed(.failure("\(endpoint): \(reason($0, timeout))")) }
            if case .tcp = self { channel.whenSuccess { _ in outcome.succeed(.success) } }
            outcome.futureResult.whenComplete { _ in
                deadline.cancel()
                channel.whenSuccess { $0.close(promise: nil) }
            }
        } catch {
            outcome.succeed(.failure("\(endpoint): \(error)"))
        }
        return outcome.futureResult
    }
}

/// Sends the GET of a probe and judges the answer.
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
        outcome.succeed(probe.status.contains(status) ? .success : .failure("\(endpoint): HTTP status \(status)"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        outcome.succeed(.failure("\(endpoint): not HTTP (\(error))"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        outcome.succeed(.failure("\(endpoint): closed without an answer"))
    }
}

/// Why a connection did not come about, for people.
private func reason(_ error: any Error, _ timeout: TimeAmount) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case ChannelError.connectTimeout: "no answer within \(timeout.text)"
    default: "\(error)"
    }
}

extension TimeAmount {
    fileprivate var text: String { "\(Double(nanoseconds) / 1e9) s" }
}

extension Endpoint {
    /// The address as a socket takes it.
    var socketAddress: SocketAddress {
        get throws { try SocketAddress(ipAddress: host.description, port: Int(port)) }
    }
}
