internal import NIOCore
internal import Timing

/// The connections of one server: a bounded number. When there is one too many, that which has been at the same thing for
/// the longest makes way, whether it never ends its request, never asks again or never takes its answer: so whoever opens
/// connections and leaves them there locks nobody out.
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

/// What one connection is doing, and until when it may. Stands before everything else, where octets come in.
final class HTTPConnection: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// What whoever answers tells of its progress, by a user event.
    enum Progress: Sendable {
        /// The request is complete.
        case asked
        /// The answer has been taken.
        case answered
    }

    private enum Phase {
        /// A request is on its way in.
        case asking
        /// Its answer is on its way out.
        case answering
        /// The next request has not begun.
        case idle
    }

    private let limits: HTTPServer.Limits
    private var phase = Phase.asking
    private var deadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    /// Since when it is doing what it does.
    private(set) var since = NIODeadline.now()

    init(_ limits: HTTPServer.Limits) { self.limits = limits }

    /// Ends it, whatever it is doing.
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
