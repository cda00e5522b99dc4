internal import Addressing
internal import Kubernetes
internal import Services
internal import Timing

/// One term of office of the agent that assigns addresses: it reads all services, and from then on writes what a
/// ``PoolAllocator`` decides. A pure state machine: events in, requests out.
///
/// It begins with a list of its own and not with what a watch has told so far, which may be behind what whoever held the
/// office before wrote last. Every write says which version it is of, so one that is overtaken comes to nothing.
struct PoolReign: Sendable {
    /// What is asked of the API.
    enum Request: Hashable, Sendable {
        /// All services.
        case list
        /// Write addresses into the `status` of a service, if it is still of this version.
        case write(Service, [IPv6Address])
        /// Read a service.
        case read(ObjectKey)
        /// Tell people of a service what became of it.
        case tell(Service, PoolNews)
    }

    enum Event: Sendable {
        /// The term begins.
        case start
        /// All services there are.
        case listed([Service])
        /// What a watch tells.
        case heard(updated: [Service], deleted: [Service])
        /// A service was written; this is what became of it.
        case written(Service)
        /// A service was read; `nil` is none.
        case read(ObjectKey, Service?)
        /// People were told.
        case told
        /// A request failed.
        case failed(Request, RequestFailure)
        /// The deadline has come.
        case clock
    }

    enum Action: Hashable, Sendable {
        /// Send a request.
        case send(Request)
        /// Tell whoever reads the log.
        case notice(String)
    }

    /// Writes and reads of services under way at a time: a lease and three watches share the connections.
    private static let width = 8
    /// Events under way at a time, and those that wait; more are not told.
    private static let tellingWidth = 2
    private static let tellingLimit = 4096
    /// How soon a service is read again that was changed by somebody else, unless the watch tells before.
    private static let rereadDelay = Duration.milliseconds(200)
    private static let refusalDelay = Duration.seconds(30)

    private(set) var allocator: PoolAllocator
    /// What was heard while the list was on its way.
    private var early: (updated: [ObjectKey: Service], deleted: [Service])? = ([:], [])
    private var queue = Queue<ObjectKey>()
    /// Services of which a request is under way.
    private var busy: Set<ObjectKey> = []
    /// Versions that are not to be written: somebody was quicker, or the server does not take it.
    private var refused: [ObjectKey: String] = [:]
    private var rereads = Queue<(at: Instant, key: ObjectKey)>()
    /// Services that the server does not take, and when that is tried again; and those of which people were told.
    private var retries = Queue<(at: Instant, key: ObjectKey)>()
    private var toldRefusals: Set<ObjectKey> = []
    private var news = Queue<(service: Service, news: PoolNews)>()
    private var telling = 0
    private var isTellingForbidden = false
    private var backoff = Backoff()
    private var pausedUntil: Instant?
    private var isListing = false
    private var toldFailure: RequestFailure.Kind?

    init(pools: [AddressPool], loadBalancerClass: String) {
        allocator = PoolAllocator(pools: pools, loadBalancerClass: loadBalancerClass)
    }

    /// When to call with `.clock`; `nil` if never.
    var deadline: Instant? { pausedUntil ?? [rereads.first?.at, retries.first?.at].compactMap(\.self).min() }

    /// Takes one event in.
    mutating func handle(
        _ event: Event, at now: Instant, random: inout some RandomNumberGenerator
    ) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .start, .clock: break
        case .listed(let services): begin(with: services, &actions)
        case .heard(let updated, let deleted): hear(updated, deleted)
        case .written(let service):
            finish(service.key)
            toldRefusals.remove(service.key)
            succeed(&actions)
            takeAnswer(service)
            if !service.ingressIPs.isEmpty { tell(service.key, .assigned(service.ingressIPs)) }
        case .read(let key, let service):
            finish(key)
            if let service {
                takeAnswer(service)
            } else if let known = allocator.service(key) {
                allocator.remove(key, uid: known.metadata.uid)
            }
        case .told: telling -= 1
        case .failed(let request, let failure): fail(request, failure, at: now, &random, &actions)
        }
        if early == nil { settle() }
        proceed(at: now, &actions)
        return actions
    }
}

// What is heard.
extension PoolReign {
    private mutating func begin(with services: [Service], _ actions: inout [Action]) {
        isListing = false
        succeed(&actions)
        guard let early else { return }
        for service in services { allocator.take(service) }
        self.early = nil
        hear(Array(early.updated.values), early.deleted)
    }

    private mutating func hear(_ updated: [Service], _ deleted: [Service]) {
        if early != nil {
            for service in deleted where early?.updated[service.key]?.metadata.uid == service.metadata.uid {
                early?.updated[service.key] = nil
            }
            early?.deleted += deleted
            for service in updated { early?.updated[service.key] = service }
            return
        }
        // A list that is newer may hold another of the same name already.
        for service in deleted {
            allocator.remove(service.key, uid: service.metadata.uid)
            refused[service.key] = nil
            toldRefusals.remove(service.key)
        }
        for service in updated { allocator.take(service) }
    }

    /// A request for a service is over. Whatever became of it, there may be something to write by now.
    private mutating func finish(_ key: ObjectKey) {
        busy.remove(key)
        queue.append(key)
    }

    /// Takes in what the server answered, unless the service is gone by now.
    private mutating func takeAnswer(_ service: Service) {
        guard allocator.service(service.key)?.metadata.uid == service.metadata.uid else { return }
        allocator.take(service)
    }

    private mutating func settle() {
        let decisions = allocator.settle()
        for key in decisions.toWrite { queue.append(key) }
        for key in decisions.problems {
            if let problem = allocator.problem(of: key) { tell(key, .problem(problem)) }
        }
    }

    private mutating func tell(_ key: ObjectKey, _ what: PoolNews) {
        guard !isTellingForbidden, news.count < Self.tellingLimit, let service = allocator.service(key) else { return }
        news.append((service, what))
    }
}

// What is asked.
extension PoolReign {
    private mutating func proceed(at now: Instant, _ actions: inout [Action]) {
        if let until = pausedUntil {
            guard until <= now else { return }
            pausedUntil = nil
        }
        guard early == nil else {
            if !isListing { actions.append(.send(.list)) }
            isListing = true
            return
        }
        while let due = rereads.first, due.at <= now {
            rereads.removeFirst()
            // Where the watch told of another version, it was queued again.
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
        while busy.count < Self.width, let key = queue.removeFirst() {
            guard !busy.contains(key), let (service, addresses) = allocator.target(of: key),
                refused[key] != service.metadata.resourceVersion
            else { continue }
            refused[key] = nil
            busy.insert(key)
            actions.append(.send(.write(service, addresses)))
        }
        while telling < Self.tellingWidth, queue.isEmpty, let (service, what) = news.removeFirst() {
            telling += 1
            actions.append(.send(.tell(service, what)))
        }
    }

    private mutating func succeed(_ actions: inout [Action]) {
        backoff.reset()
        if toldFailure != nil { actions.append(.notice("addresses of services are written again")) }
        toldFailure = nil
    }

    private mutating func fail(
        _ request: Request, _ failure: RequestFailure, at now: Instant, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        switch request {
        case .tell:
            telling -= 1
            guard failure.isForbidden, !isTellingForbidden else { return }
            isTellingForbidden = true
            news = Queue()
            actions.append(.notice("events cannot be created, which takes \"create\" on events: \(failure)"))
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
            // One service that the server does not take, as where a webhook is down, is no reason to let others wait.
            case .refused,
                .serverError where failure.code != 503:
                refused[key] = service.metadata.resourceVersion
                retries.append((now + Self.refusalDelay, key))
                if toldRefusals.insert(key).inserted {
                    actions.append(
                        .notice("the addresses of \(key) cannot be written; it is tried again: \(failure)"))
                }
                return
            default: break
            }
        }
        pause(request, failure, at: now, &random, &actions)
    }

    /// Leaves the server alone for a while, and says why, once.
    private mutating func pause(
        _ request: Request, _ failure: RequestFailure, at now: Instant, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        // What was under way with it fails with it, and says nothing more of the server.
        if pausedUntil.map({ $0 <= now }) ?? true {
            let delay = max(
                backoff.next(random: &random), failure.retryAfter, failure.isForbidden ? Self.refusalDelay : .zero)
            pausedUntil = now + delay
        } else if failure.retryAfter > .zero {
            pausedUntil = max(pausedUntil ?? now, now + failure.retryAfter)
        }
        guard toldFailure != failure.kind else { return }
        toldFailure = failure.kind
        let right =
            switch request {
            case .list: "\"list\" on services"
            case .read: "\"get\" on services"
            default: "\"patch\" on services/status"
            }
        actions.append(
            .notice(
                "addresses of services cannot be assigned\(failure.isForbidden ? ", which takes \(right)" : ""): "
                    + "\(failure)"))
    }
}
