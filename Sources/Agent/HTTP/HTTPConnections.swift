internal import NIOCore
internal import Timing

/// The connections of a server, a bounded number. If there is one too many, the connection whose state has not changed for
/// longest is closed: usually, its client does not complete a request, sends no further one, or does not read the answer. So
/// clients that leave connections open do not keep others from connecting.
final class HTTPConnections: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let limits: HTTPServer.Limits
    private var open: [HTTPConnection] = []

    init(_ limits: HTTPServer.Limits) { self.limits = limits }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let child = unwrapInboundIn(data)
        if open.count >= limits.connections, let oldest = open.indices.min(by: { open[$0].since < open[$1].since }) {
            open.remove(at: oldest).close()
        }
        let connection = HTTPConnection(limits)
        do {
            try child.pipeline.syncOperations.addHandler(connection)
        } catch {
            return child.close(promise: nil)
        }
        open.append(connection)
        let bound = NIOLoopBound((self, connection), eventLoop: context.eventLoop)
        child.closeFuture.hop(to: context.eventLoop).whenComplete { _ in
            let (all, closed) = bound.value
            all.open.removeAll { $0 === closed }
        }
        context.fireChannelRead(data)
    }
}

/// The state of a connection, which is closed at the deadline of the state. The first handler of the pipeline.
final class HTTPConnection: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// The progress of a request, as a user event of the pipeline.
    enum Progress: Sendable {
        /// The request is complete.
        case asked
        /// The whole answer has been written to the socket.
        case answered
    }

    private enum Phase {
        /// A request is being received, or the first one is awaited.
        case asking
        /// Its answer is being made or sent.
        case answering
        /// No further request has started.
        case idle
    }

    private let limits: HTTPServer.Limits
    private var phase = Phase.asking
    private var deadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    /// When the connection entered its ``Phase``.
    private(set) var since = NIODeadline.now()

    init(_ limits: HTTPServer.Limits) { self.limits = limits }

    /// Closes the connection, even while an answer is being sent.
    func close() { context?.close(promise: nil) }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        enter(.asking)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if phase == .idle { enter(.asking) }
        context.fireChannelRead(data)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let progress = event as? Progress else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        enter(progress == .asked ? .answering : .idle)
        promise?.succeed()
    }

    private func enter(_ new: Phase) {
        guard let context else { return }
        phase = new
        since = .now()
        deadline?.cancel()
        let limit =
            switch new {
            case .asking: limits.request
            case .answering: limits.answer
            case .idle: limits.idle
            }
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in self?.close() }
    }
}
