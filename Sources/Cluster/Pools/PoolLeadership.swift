internal import Addressing
internal import Kubernetes
internal import Services
internal import Timing

/// The work of the leader: reads all services, then writes the addresses that a ``PoolAllocator`` assigns. A pure state
/// machine: its input is events, its output is requests and lines for the log.
///
/// It starts with a list of its own, because a watch may be behind the last writes of the previous leader. Every write names
/// the version it is based on, so it fails if the service has changed since.
struct PoolLeadership: Sendable {
    /// A request to the API server.
    enum Request: Hashable, Sendable {
        /// List all services.
        case list
        /// Write addresses into the `status` of a service, if it is still of this version.
        case write(Service, [IPv6Address])
        /// Read a service.
        case read(ObjectKey)
        /// Create an Event about a service.
        case createEvent(Service, PoolEvent)
    }

    /// An input. An Event of Kubernetes is a ``PoolEvent``.
    enum Event: Sendable {
        /// Start.
        case start
        /// The complete list.
        case listed([Service])
        /// Changes that the watch reported.
        case changed(updated: [Service], deleted: [Service])
        /// A service was written; the result.
        case written(Service)
        /// A service was read; `nil` if it does not exist.
        case read(ObjectKey, Service?)
        /// An Event was created.
        case eventCreated
        /// A request failed.
        case failed(Request, RequestFailure)
        /// The deadline has come.
        case clock
    }

    /// An output, for the caller to carry out.
    enum Action: Hashable, Sendable {
        /// Send a request.
        case send(Request)
        /// Log a line.
        case notice(String)
    }

    /// No write starts while this many services have an outstanding read or write. With HTTP/1.1 each request needs a
    /// connection of its own. The client opens at most 16, and Events, the lease and the four watches need some too.
    private static let concurrentRequests = 8
    /// The maximum number of concurrent requests that create Events: few, because addresses are more urgent.
    private static let concurrentEvents = 2
    /// How many Events wait at most; more are dropped.
    private static let waitingEvents = 4096
    /// The delay before a service is read again after a conflict, a write to a service that does not exist, or a failed read.
    /// The service is not read if the watch reports another version before.
    private static let rereadDelay = Duration.milliseconds(200)
    /// The delay before a write that the server refused is tried again, and the least pause when access is forbidden, also to
    /// Events: somebody has to change something first.
    private static let refusalDelay = Duration.seconds(30)
    /// How long access is forbidden before that counts: a server that has just started may deny access until it has read the
    /// roles.
    private static let startTime = Duration.seconds(5)

    private(set) var allocator: PoolAllocator
    /// Changes reported before the list is complete, to be applied after it; `nil` from then on.
    private var changesBeforeList: (updated: [ObjectKey: Service], deleted: [Service])? = ([:], [])
    /// Services that may have to be written; whether one must be is decided when its turn comes.
    private var queue = Queue<ObjectKey>()
    /// Services with an outstanding read or write.
    private var busy: Set<ObjectKey> = []
    /// The version on which the last write of a service was based, if the write failed because another client had changed or
    /// deleted the service, or because the server refused the write. No other write is based on this version until a retry is
    /// due.
    private var refused: [ObjectKey: String] = [:]
    /// Services to read again, and when (``rereadDelay``).
    private var rereads = Queue<(at: Instant, key: ObjectKey)>()
    /// Services whose write the server refused, and when to try again.
    private var retries = Queue<(at: Instant, key: ObjectKey)>()
    /// Services whose refusal was logged, so that it is logged once until a write succeeds.
    private var loggedRefusals: Set<ObjectKey> = []
    /// Events that wait to be created.
    private var events = Queue<(service: Service, event: PoolEvent)>()
    private var outstandingEvents = 0
    /// Until when no Event is created because that is forbidden; `nil` if it was not.
    private var noEventsUntil: Instant?
    /// Since when lists, reads and writes are forbidden; `nil` after a success or another failure.
    private var forbiddenSince: Instant?
    /// Whether the services of the list have been examined: problems that are found later are new.
    private var isListExamined = false
    /// Determines the length of the next pause.
    private var backoff = Backoff()
    /// When the pause after a failure that concerns all requests ends; `nil` without one.
    private var pausedUntil: Instant?
    private var isListing = false
    /// The kind of failure that was last logged by ``pause(_:_:at:_:_:)``; `nil` after a successful list or write.
    private var loggedFailure: RequestFailure.Kind?

    init(pools: [AddressPool], loadBalancerClass: String) {
        allocator = PoolAllocator(pools: pools, loadBalancerClass: loadBalancerClass)
    }

    /// When to call with `.clock`; `nil` if never.
    var deadline: Instant? { pausedUntil ?? [rereads.first?.at, retries.first?.at].compactMap(\.self).min() }

    /// Handles one event.
    mutating func handle(
        _ event: Event, at now: Instant, random: inout some RandomNumberGenerator
    ) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .start, .clock: break
        case .listed(let services): begin(with: services, &actions)
        case .changed(let updated, let deleted): received(updated, deleted)
        case .written(let service):
            finish(service.key)
            loggedRefusals.remove(service.key)
            succeed(&actions)
            store(service)
            if !service.ingressIPs.isEmpty { report(service.key, .assigned(service.ingressIPs), at: now) }
        case .read(let key, let service):
            finish(key)
            if let service {
                store(service)
            } else if let known = allocator.service(key) {
                allocator.remove(key, uid: known.metadata.uid)
            }
        case .eventCreated: outstandingEvents -= 1
        case .failed(let request, let failure): fail(request, failure, at: now, &random, &actions)
        }
        if changesBeforeList == nil { settle(at: now) }
        proceed(at: now, &actions)
        return actions
    }
}

// Input.
extension PoolLeadership {
    private mutating func begin(with services: [Service], _ actions: inout [Action]) {
        isListing = false
        succeed(&actions)
        guard let changesBeforeList else { return }
        for service in services { allocator.update(service) }
        self.changesBeforeList = nil
        received(Array(changesBeforeList.updated.values), changesBeforeList.deleted)
    }

    /// Handles changes that the watch reported; before the list is complete, keeps them.
    private mutating func received(_ updated: [Service], _ deleted: [Service]) {
        if changesBeforeList != nil {
            for service in deleted where changesBeforeList?.updated[service.key]?.metadata.uid == service.metadata.uid {
                changesBeforeList?.updated[service.key] = nil
            }
            changesBeforeList?.deleted += deleted
            for service in updated { changesBeforeList?.updated[service.key] = service }
            return
        }
        // A newer list may already have another service of the same name.
        for service in deleted {
            allocator.remove(service.key, uid: service.metadata.uid)
            refused[service.key] = nil
            loggedRefusals.remove(service.key)
        }
        for service in updated { allocator.update(service) }
    }

    /// Notes that a read or write of a service is over. There may be something new to write.
    private mutating func finish(_ key: ObjectKey) {
        busy.remove(key)
        queue.append(key)
    }

    /// Stores the service in a response, unless it was deleted meanwhile.
    private mutating func store(_ service: Service) {
        guard allocator.service(service.key)?.metadata.uid == service.metadata.uid else { return }
        allocator.update(service)
    }

    private mutating func settle(at now: Instant) {
        let decisions = allocator.settle()
        for key in decisions.toWrite { queue.append(key) }
        for key in decisions.problems {
            if let problem = allocator.problem(of: key) {
                report(key, .problem(problem, isListExamined ? .new : .found), at: now)
            }
        }
        isListExamined = true
    }

    private mutating func report(_ key: ObjectKey, _ what: PoolEvent, at now: Instant) {
        guard noEventsUntil.map({ $0 <= now }) ?? true, events.count < Self.waitingEvents,
            let service = allocator.service(key)
        else {
            return
        }
        events.append((service, what))
    }
}

// Output.
extension PoolLeadership {
    /// Sends what may be sent now: the list or, once it is complete, reads, writes and, while no service waits to be written,
    /// Events.
    private mutating func proceed(at now: Instant, _ actions: inout [Action]) {
        if let until = pausedUntil {
            guard until <= now else { return }
            pausedUntil = nil
        }
        guard changesBeforeList == nil else {
            if !isListing { actions.append(.send(.list)) }
            isListing = true
            return
        }
        while let due = rereads.first, due.at <= now {
            rereads.removeFirst()
            // If the watch reported another version, the service is queued already.
            guard let service = allocator.service(due.key), refused[due.key] == service.metadata.resourceVersion,
                busy.insert(due.key).inserted
            else { continue }
            actions.append(.send(.read(due.key)))
        }
        while let due = retries.first, due.at <= now {
            retries.removeFirst()
            refused[due.key] = nil
            queue.append(due.key)
        }
        while busy.count < Self.concurrentRequests, let key = queue.removeFirst() {
            guard !busy.contains(key), let (service, addresses) = allocator.target(of: key),
                refused[key] != service.metadata.resourceVersion
            else { continue }
            refused[key] = nil
            busy.insert(key)
            actions.append(.send(.write(service, addresses)))
        }
        while outstandingEvents < Self.concurrentEvents, queue.isEmpty, let (service, what) = events.removeFirst() {
            outstandingEvents += 1
            actions.append(.send(.createEvent(service, what)))
        }
    }

    /// The list or a write has succeeded, so the next failure is a new one.
    private mutating func succeed(_ actions: inout [Action]) {
        backoff.reset()
        forbiddenSince = nil
        if loggedFailure != nil { actions.append(.notice("addresses of services can be written again")) }
        loggedFailure = nil
    }

    private mutating func fail(
        _ request: Request, _ failure: RequestFailure, at now: Instant, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        switch request {
        case .createEvent(let service, let event):
            outstandingEvents -= 1
            // There is an Event of this name. If the problem is new, that one is about an earlier time.
            if failure.isConflict, case .problem(let problem, .new) = event {
                events.append((service, .problem(problem, .again)))
            }
            guard failure.isForbidden else { return }
            let isFirst = noEventsUntil == nil
            noEventsUntil = now + Self.refusalDelay
            events = Queue()
            guard isFirst else { return }
            actions.append(.notice("cannot create events, which requires \"create\" on events: \(failure)"))
            return
        case .list: isListing = false
        case .read(let key):
            finish(key)
            rereads.append((now + Self.rereadDelay, key))
        case .write(let service, _):
            let key = service.key
            finish(key)
            switch failure.kind {
            case .conflict, .notFound:
                refused[key] = service.metadata.resourceVersion
                rereads.append((now + Self.rereadDelay, key))
                return
            // A service whose write is refused, for example by a webhook that is down, must not delay the others. 503 concerns
            // all of them: the server is not available.
            case .refused,
                .serverError where failure.code != 503:
                refused[key] = service.metadata.resourceVersion
                retries.append((now + Self.refusalDelay, key))
                if loggedRefusals.insert(key).inserted {
                    actions.append(
                        .notice("cannot write the addresses of \(key), will retry: \(failure)"))
                }
                return
            default: break
            }
        }
        pause(request, failure, at: now, &random, &actions)
    }

    /// Pauses all requests, and logs the reason once.
    private mutating func pause(
        _ request: Request, _ failure: RequestFailure, at now: Instant, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        forbiddenSince = failure.isForbidden ? forbiddenSince ?? now : nil
        let isFinal = forbiddenSince.map { now - $0 >= Self.startTime } ?? false
        // Requests that were sent before the first failure mostly fail too. They do not extend the pause, unless the server
        // asks for a longer one.
        if pausedUntil.map({ $0 <= now }) ?? true {
            let delay = max(
                backoff.next(random: &random), failure.retryAfter, isFinal ? Self.refusalDelay : .zero)
            pausedUntil = now + delay
        } else if failure.retryAfter > .zero {
            pausedUntil = max(pausedUntil ?? now, now + failure.retryAfter)
        }
        guard loggedFailure != failure.kind, isFinal || !failure.isForbidden else { return }
        loggedFailure = failure.kind
        let right =
            switch request {
            case .list: "\"list\" on services"
            case .read: "\"get\" on services"
            default: "\"patch\" on services/status"
            }
        actions.append(
            .notice(
                "cannot assign addresses to services\(failure.isForbidden ? ", which requires \(right)" : ""): "
                    + "\(failure)"))
    }
}
