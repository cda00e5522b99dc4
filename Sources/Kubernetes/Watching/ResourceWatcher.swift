internal import AsyncHTTPClient
internal import FoundationEssentials
internal import NIOCore
internal import Timing

/// Which objects of a kind to watch.
public struct WatchScope: Hashable, Sendable {
    /// Only those of this namespace; `nil` for all.
    public var namespace: String?
    /// Only the one of this name (`metadata.name` as field selector); `nil` for all.
    public var name: String?

    /// Makes a scope; without arguments, it includes all objects.
    public init(namespace: String? = nil, name: String? = nil) {
        self.namespace = namespace
        self.name = name
    }
}

/// A report of a watcher: the changes since the last one, and the current state.
public struct WatchReport<Object: Resource>: Sendable {
    /// The changes. Once ``WatchState/isSynced`` is set, all objects have been reported.
    public var changes: Changes<Object>
    /// The current state.
    public var state: WatchState
    /// Lines for the log, each once.
    public var notices: [String]
}

/// Keeps a copy of all objects of one kind, by a ``Reflector``, and reports what changes, in batches.
public final class ResourceWatcher<Object: Resource>: Sendable {
    private let client: APIClient
    private let scope: WatchScope
    private let limits: WatchLimits
    /// The objects saved earlier.
    private let known: [Object]
    private let report: @Sendable (WatchReport<Object>) -> Void
    /// `nil` before ``start()`` and after ``stop()``.
    private let running: NIOLoopBoundBox<Running?>
    /// The number of the current request, to recognize responses to earlier ones.
    private let number: NIOLoopBoundBox<Int>

    /// Changes within this interval are reported together: those of a rollout come in bursts, and each report costs a turn of
    /// the agent.
    private static var batchInterval: Duration { .milliseconds(20) }

    private struct Running {
        var reflector: Reflector<Object>
        var exchange: Exchange?
        /// The timer for the reflector's deadline, and when it fires.
        var timer: (at: Instant, task: Scheduled<Void>)?
        /// The next report, if one is scheduled.
        var delivery: Scheduled<Void>?
        /// When the last report was made.
        var deliveredAt = Instant.zero
        /// The state in the last report.
        var reported = WatchState()
    }

    /// The outstanding request.
    private struct Exchange {
        let request: APIRequest
        let begun = Instant.now
        var task: HTTPClient.Task<Void>?
        /// Collects a page of a list, or the body of an error in response to a watch.
        var answer: Answer
        /// The lines of a watch; `nil` for a page of a list.
        var lines: LineSplitter?

        /// Whether it is a watch that the server accepted.
        var isStream: Bool { lines != nil && answer.isAccepted }
    }

    /// Makes a watcher that does nothing yet. When it starts, it reports `known`, the objects saved earlier, without waiting
    /// for the server. It calls `report` on the client's loop.
    public init(
        _ type: Object.Type = Object.self, client: APIClient, scope: WatchScope = WatchScope(),
        limits: WatchLimits = WatchLimits(), known: [Object] = [],
        report: @escaping @Sendable (WatchReport<Object>) -> Void
    ) {
        self.client = client
        self.scope = scope
        self.limits = limits
        self.known = known
        self.report = report
        running = .makeBoxSendingValue(nil, eventLoop: client.loop)
        number = .makeBoxSendingValue(0, eventLoop: client.loop)
    }

    /// Starts, if it is not running.
    public func start() {
        client.loop.execute { [self] in
            guard running.value == nil else { return }
            running.value = Running(reflector: Reflector(limits: limits, known: known))
            step(.start)
            settle()
        }
    }

    /// Tries again soon if the server was unreachable: a request for other objects has shown that it can be reached again.
    public func serverAnswers() {
        client.loop.execute { [self] in
            step(.serverAnswers)
            settle()
        }
    }

    /// Stops; nothing is reported any more.
    public func stop() {
        client.loop.execute { [running, number] in
            guard let old = running.value else { return }
            running.value = nil
            number.value += 1
            old.timer?.task.cancel()
            old.delivery?.cancel()
            old.exchange?.task?.cancel()
        }
    }
}

// All of the following runs on the loop.
extension ResourceWatcher {
    /// Passes an event to the reflector and carries out its action.
    private func step(_ event: ReflectorEvent<Object>) {
        var random = SystemRandomNumberGenerator()
        guard let action = running.value?.reflector.handle(event, at: .now, random: &random) else { return }
        switch action {
        case .cut: end(.unreachable("no data within the time limit"))?.cancel()
        case .list(let limit, let continuation):
            begin(
                .list(Object.self, scope, limit: limit, continuation: continuation), limit: limits.pageOctets,
                deadline: limits.pageTime)
        case .watch(let version, let seconds):
            begin(
                // The reflector itself cuts the watch after one margin; the HTTP client's deadline is only a safeguard.
                .watch(Object.self, scope, from: version, timeoutSeconds: seconds), limit: limits.lineOctets,
                deadline: .seconds(seconds) + limits.margin * 2, lines: LineSplitter(limit: limits.lineOctets))
        }
    }

    /// Ends the current request, which failed or, with `nil`, succeeded.
    @discardableResult
    private func end(_ failure: RequestFailure?) -> HTTPClient.Task<Void>? {
        number.value += 1
        guard let exchange = running.value?.exchange else { return nil }
        running.value?.exchange = nil
        client.count(exchange.request, since: exchange.begun, failure)
        return exchange.task
    }

    /// Sends a request in place of the current one. `limit` is the maximum size, in octets, of the whole response or,
    /// for a watch, of the body of an error.
    private func begin(_ request: APIRequest, limit: Int, deadline: Duration, lines: LineSplitter? = nil) {
        end(nil)
        let number = number.value
        running.value?.exchange = Exchange(request: request, answer: Answer(limit: limit), lines: lines)
        let task = client.start(request, deadline: deadline) { [self] part in
            guard self.number.value == number else { return }
            try receive(part, number)
            settle()
        }
        running.value?.exchange?.task = task
        task.futureResult.whenComplete { [self] result in
            guard self.number.value == number else { return }
            finish(result)
            settle()
        }
    }

    /// Collects a page of a list, or splits a watch into lines and handles each.
    private func receive(_ part: ResponsePart, _ number: Int) throws {
        guard case .body(let piece) = part, running.value?.exchange?.isStream == true else {
            try running.value?.exchange?.answer.receive(part)
            if case .head(let head) = part, running.value?.exchange?.isStream == true {
                try Answer.check(head)
                step(.opened)
            }
            return
        }
        running.value?.exchange?.lines?.append(piece)
        // An event may end the exchange; the lines after it are ignored.
        while self.number.value == number, let line = try running.value?.exchange?.lines?.next() {
            if line.readableBytes == 0 { continue }
            let event: WatchEvent<Object> = try decode(line, "a line that is not a watch event for \(Object.plural)")
            step(.watched(event, octets: line.readableBytes))
        }
    }

    /// Handles the end of the response.
    private func finish(_ result: Result<Void, any Error>) {
        guard let exchange = running.value?.exchange else { return }
        do {
            try result.get()
            let body = try exchange.answer.result()
            if exchange.lines == nil {
                let page: ListPage<Object> = try decode(body, "not a list of \(Object.plural)")
                end(nil)
                step(.page(page, octets: body.readableBytes))
            } else {
                end(nil)
                step(.ended)
            }
        } catch {
            let failure = RequestFailure(error)
            end(failure)
            if !(limits.isOptional && failure.isNotFound) { client.reload(after: failure) }
            step(.failed(failure))
        }
    }

    private func decode<Value: Decodable>(_ octets: ByteBuffer, _ otherwise: String) throws(RequestFailure) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(octets.readableBytesView))
        } catch {
            throw .unexpected(otherwise)
        }
    }

    /// Sets the timer and reports, after every event.
    private func settle() {
        guard let deadline = running.value?.reflector.deadline else { return }
        // A timer that fires too early does no harm, so it is not set again for every line of a watch.
        if running.value?.timer.map({ deadline < $0.at }) ?? true {
            running.value?.timer?.task.cancel()
            let task = client.loop.scheduleTask(deadline: NIODeadline(deadline)) { [self] in
                running.value?.timer = nil
                step(.clock)
                settle()
            }
            running.value?.timer = (deadline, task)
        }
        deliverWhenDue()
    }

    /// Reports what is new: now or, if the last report is too recent, when ``batchInterval`` has passed since.
    private func deliverWhenDue() {
        guard let current = running.value, current.delivery == nil else { return }
        let state = current.reflector.state
        guard current.reflector.hasChanges || state.differsNotably(from: current.reported) else { return }
        let due = current.deliveredAt + Self.batchInterval
        if due <= .now { return deliver() }
        running.value?.delivery = client.loop.scheduleTask(deadline: NIODeadline(due)) { [self] in
            running.value?.delivery = nil
            deliver()
        }
    }

    private func deliver() {
        running.value?.deliveredAt = .now
        guard let changes = running.value?.reflector.takeChanges(),
            let notices = running.value?.reflector.takeNotices(), let state = running.value?.reflector.state
        else { return }
        running.value?.reported = state
        client.count(changes)
        report(WatchReport(changes: changes, state: state, notices: notices))
    }
}

extension NIODeadline {
    fileprivate init(_ instant: Instant) { self = .uptimeNanoseconds(UInt64(clamping: instant.nanoseconds)) }
}
