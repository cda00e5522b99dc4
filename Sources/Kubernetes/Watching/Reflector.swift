public import Timing

/// Keeps a copy of all objects of one kind, across all failures: it lists them, then watches changes. A pure state machine: one
/// event in, at most one action out. It has at most one outstanding request. The caller carries out the request, reports the
/// result, and calls with `.clock` when ``deadline`` has come.
///
/// Objects stay known while the server is unreachable, denies access or sends unexpected responses: only a complete list or a
/// deletion event removes any.
public struct Reflector<Object: Resource>: Sendable {
    private enum Phase {
        case idle
        /// Waiting until the deadline, then listing (`nil`) or continuing the watch from a version. If the watch has failed, the
        /// version of the server is checked first.
        case waiting(from: String?, mustCheck: Bool)
        /// Waiting for the version of the server, to continue the watch from this version.
        case checking(String)
        case listing(ListProgress)
        case watching(Watch)
    }

    /// The pages of a list so far.
    private struct ListProgress {
        /// The maximum number of objects per page.
        var limit: Int
        /// The token for the next page.
        var continuation = ""
        var resourceVersion = ""
        var objects: [(object: Object, octets: Int)] = []
        var octets = 0
    }

    private struct Watch {
        /// The version of the last event or, before one, that from which the watch started. It resumes from this version.
        var resourceVersion: String
        /// When we cut the watch, if the server has not ended it by then.
        var until: Instant
        /// When the last event was received or, before one, when the watch was requested or accepted.
        var heardAt: Instant
        /// When the server accepted it; `nil` before.
        var openedAt: Instant?

        /// Whether it lasted long enough to reset the backoff. A server that fails after every start must not be asked again
        /// and again without a delay.
        func hasLasted(for duration: Duration, at now: Instant) -> Bool {
            openedAt.map { now - $0 >= duration } ?? false
        }
    }

    private let limits: WatchLimits
    private var phase = Phase.idle
    private var backoff: Backoff
    /// Determines the delay when versions are too old several times in a row. Failures of an outage before do not count.
    private var expiries: Backoff
    /// Until when a version that is too old is another in a row; `nil` if none was.
    private var expiryUntil: Instant?
    /// Since when the server denies access, or does not have the kind; `nil` if the last failure was another one, or the server
    /// has accepted a watch since.
    private var deniedSince: Instant?
    /// The number of objects to request per page. Halved after each page that was too large, and never increased.
    private var pageSize: Int
    /// The kind of failure of the last notice; `nil` once the server has accepted a watch again. An outage is logged once.
    private var reportedFailure: RequestFailure.Kind?
    private var notices: [String] = []
    private var store = ObjectStore<Object>()

    /// The current state.
    public private(set) var state = WatchState()
    /// When to call with `.clock`; `nil` if never.
    public private(set) var deadline: Instant?

    /// Makes a reflector that reports `known`, the objects saved earlier, up to `limits.objects` of them. Those that are not in
    /// the first list are removed then.
    public init(limits: WatchLimits = WatchLimits(), known: [Object] = []) {
        self.limits = limits
        backoff = Backoff()
        backoff.maximum = limits.longestDelay
        expiries = backoff
        pageSize = limits.pageSize
        for object in known.prefix(limits.objects) { store.insert(object, octets: 0) }
        state.objects = store.count
    }

    /// All objects that are known.
    public var objects: [Object] { Array(store.objects) }
    /// Whether any object was added, changed or removed since the last ``takeChanges()``.
    public var hasChanges: Bool { store.hasChanges }
    /// The changes since the last call.
    public mutating func takeChanges() -> Changes<Object> { store.takeChanges() }
    /// Lines for the log, each once.
    public mutating func takeNotices() -> [String] {
        defer { notices = [] }
        return notices
    }

    /// Handles one event. After the action `.cut`, the caller must not report the result of the cancelled request.
    public mutating func handle(
        _ event: ReflectorEvent<Object>, at now: Instant, random: inout some RandomNumberGenerator
    ) -> ReflectorAction? {
        switch (event, phase) {
        case (.start, .idle): return list(at: now)
        case (.page(let page, let octets), .listing(let progress)):
            phase = .idle  // so that the pages so far are not copied
            return receivedPage(page, octets, after: progress, at: now, &random)
        case (.page(let page, _), .checking(let version)):
            // A server that was set back accepts a watch from a later version, and sends nothing before it reaches that.
            return page.isOlder(than: version) ? list(at: now) : watch(from: version, at: now, &random)
        case (.opened, .watching(let watch)): opened(watch, at: now)
        case (.watched(let event, let octets), .watching(let watch)):
            return received(event, octets, watch, at: now, &random)
        case (.ended, .watching(let watch)): return ended(watch, at: now, &random)
        case (.ended, .listing), (.ended, .checking): fail(.unreachable("the response ended early"), at: now, &random)
        case (.failed(let failure), .listing):
            if failure.kind == .tooLarge { pageSize = max(pageSize / 2, 1) }
            fail(failure, at: now, &random)
        case (.failed(let failure), .checking(let version)): fail(failure, resumingFrom: version, at: now, &random)
        case (.failed(let failure), .watching(let watch)): fail(failure, watch, at: now, &random)
        case (.serverAnswers, .waiting): retrySoon(at: now, &random)
        case (.clock, _): return clock(at: now, &random)
        // An event that does not fit the phase belongs to an earlier request.
        default: break
        }
        return nil
    }
}

// Listing.
extension Reflector {
    private mutating func list(at now: Instant) -> ReflectorAction {
        state.lists += 1
        phase = .listing(ListProgress(limit: pageSize))
        deadline = now + limits.pageTime
        return .list(limit: pageSize, continuation: "")
    }

    /// Handles a page. Requests the next one or, after the last, replaces the objects and starts a watch.
    private mutating func receivedPage(
        _ page: ListPage<Object>, _ octets: Int, after earlier: consuming ListProgress, at now: Instant,
        _ random: inout some RandomNumberGenerator
    ) -> ReflectorAction? {
        var progress = earlier
        progress.octets += octets
        let count = progress.objects.count + page.items.count
        if let failure = fault(in: page, repeatsToken: page.continuation == progress.continuation)
            ?? excess(objects: count, octets: progress.octets)
        {
            fail(failure, at: now, &random)
            return nil
        }
        // The size of each object is not known, so each counts as an equal part of the page.
        let share = octets / max(page.items.count, 1)
        progress.objects += page.items.map { ($0, share) }
        // Later pages repeat the version of the first.
        if progress.resourceVersion.isEmpty { progress.resourceVersion = page.resourceVersion }
        guard page.continuation.isEmpty else {
            progress.continuation = page.continuation
            let action = ReflectorAction.list(limit: progress.limit, continuation: page.continuation)
            phase = .listing(progress)
            deadline = now + limits.pageTime
            return action
        }
        store.replace(with: progress.objects)
        state.isSynced = true
        state.objects = store.count
        return watch(from: progress.resourceVersion, at: now, &random)
    }

    /// What is wrong with a page; `nil` if nothing is. With `repeatsToken`, its continuation token is the one with which it was
    /// requested. Such a list could go on forever, as could pages that have a token but no objects.
    private func fault(in page: ListPage<Object>, repeatsToken: Bool) -> RequestFailure? {
        if page.resourceVersion.isEmpty || page.items.contains(where: { $0.metadata.resourceVersion.isEmpty }) {
            return .unexpected("a list of \(Object.plural) without a resourceVersion")
        }
        if !page.continuation.isEmpty, page.items.isEmpty || repeatsToken {
            return .unexpected("a list with too many pages")
        }
        return nil
    }

    /// What exceeds the limits; `nil` if nothing does.
    private func excess(objects: Int, octets: Int) -> RequestFailure? {
        objects <= limits.objects && octets <= limits.storeOctets
            ? nil : .tooLarge("\(objects) \(Object.plural) of \(octets) octets")
    }
}

// Watching.
extension Reflector {
    private mutating func watch(
        from resourceVersion: String, at now: Instant, _ random: inout some RandomNumberGenerator
    ) -> ReflectorAction {
        let seconds = Int(Duration.random(in: limits.watchTime, using: &random).components.seconds)
        // The server should end the watch after `seconds`.
        let until = now + .seconds(seconds) + limits.margin
        phase = .watching(Watch(resourceVersion: resourceVersion, until: until, heardAt: now))
        // A server that is reachable accepts a watch at once.
        deadline = now + limits.pageTime
        return .watch(resourceVersion: resourceVersion, timeoutSeconds: max(seconds, 1))
    }

    private mutating func opened(_ watch: Watch, at now: Instant) {
        state.watches += 1
        if state.connectedSince == nil { state.connectedSince = now }
        deniedSince = nil
        state.isDenied = false
        state.isMissing = false
        if reportedFailure != nil { notices.append("\(Object.plural): the API server answers again") }
        reportedFailure = nil
        var watch = watch
        watch.openedAt = now
        resume(watch, at: now)
    }

    /// Continues a watch that was accepted or sent an event: sets the deadline anew.
    private mutating func resume(_ watch: consuming Watch, at now: Instant) {
        watch.heardAt = now
        state.silentSince = nil
        deadline = min(watch.until, watch.heardAt + min(limits.reportedSilence, limits.silence))
        phase = .watching(watch)
    }

    private mutating func received(
        _ event: WatchEvent<Object>, _ octets: Int, _ watch: Watch, at now: Instant,
        _ random: inout some RandomNumberGenerator
    ) -> ReflectorAction? {
        var watch = watch
        switch event {
        case .present(let object):
            watch.resourceVersion = object.metadata.resourceVersion
            store.insert(object, octets: octets)
        case .gone(let object):
            watch.resourceVersion = object.metadata.resourceVersion
            store.remove(object.key)
        case .bookmark(let resourceVersion): watch.resourceVersion = resourceVersion
        case .failed(let status):
            fail(.refused(status), watch, at: now, &random)
            return .cut
        }
        if case .bookmark = event {} else { state.events += 1 }
        state.objects = store.count
        if let failure = watch.resourceVersion.isEmpty
            ? .unexpected("a watch event without a resourceVersion")
            : excess(objects: store.count, octets: store.octets)
        {
            fail(failure, at: now, &random)
            return .cut
        }
        resume(watch, at: now)
        return nil
    }

    private mutating func ended(
        _ watch: Watch, at now: Instant, _ random: inout some RandomNumberGenerator
    ) -> ReflectorAction? {
        // A server that ends every watch at once must not be asked without a delay.
        guard watch.hasLasted(for: limits.shortestWatch, at: now) else {
            fail(.unreachable("the watch ended immediately"), watch, at: now, &random)
            return nil
        }
        backoff.reset()
        return self.watch(from: watch.resourceVersion, at: now, &random)
    }

    private mutating func clock(at now: Instant, _ random: inout some RandomNumberGenerator) -> ReflectorAction? {
        guard let due = deadline, due <= now else { return nil }
        switch phase {
        case .idle: return nil
        case .waiting(from: nil, _): return list(at: now)
        case .waiting(from: let version?, mustCheck: false): return watch(from: version, at: now, &random)
        case .waiting(from: let version?, mustCheck: true): return check(version, at: now)
        case .checking(let version):
            fail(.unreachable("the request for the version timed out"), resumingFrom: version, at: now, &random)
        case .listing: fail(.unreachable("a page of the list timed out"), at: now, &random)
        case .watching(let watch) where watch.openedAt == nil:
            fail(.unreachable("the watch request timed out"), watch, at: now, &random)
        case .watching(let watch) where now >= watch.until:
            // The watch reached its requested duration; its events so far are valid.
            backoff.reset()
            phase = .waiting(from: watch.resourceVersion, mustCheck: false)
            deadline = now
        case .watching(let watch) where now < watch.heardAt + limits.silence:
            state.silentSince = watch.heardAt
            deadline = min(watch.until, watch.heardAt + limits.silence)
            return nil
        case .watching:
            // The server may have been restored from a backup, and sends nothing until it reaches the requested version: list
            // again.
            fail(.unreachable("no event on the watch for too long"), at: now, &random)
        }
        return .cut
    }
}

// Failures.
extension Reflector {
    /// How long to wait after a failure.
    private mutating func delay(
        after failure: RequestFailure, at now: Instant, _ random: inout some RandomNumberGenerator
    ) -> Duration {
        if failure.kind == .expired {
            deniedSince = nil
            return expiryDelay(after: failure, at: now, &random)
        }
        if !failure.isDenial {
            deniedSince = nil
        } else if deniedSince == nil {
            deniedSince = now
            backoff.reset()  // the server answers again
        }
        let delay = max(backoff.next(random: &random), failure.retryAfter)
        guard let deniedSince else { return delay }
        let rest = deniedSince + limits.startTime - now
        if rest > .zero { return max(min(delay, rest), failure.retryAfter) }
        return max(delay, .random(in: limits.refusalDelay, using: &random))
    }

    /// How long to wait after a version was too old. The server works; after a restart, it gives this answer to all watches of
    /// all agents. Only a list helps, unless one was made a moment ago.
    private mutating func expiryDelay(
        after failure: RequestFailure, at now: Instant, _ random: inout some RandomNumberGenerator
    ) -> Duration {
        var delay = Duration.random(in: .zero...limits.spread, using: &random)
        if let expiryUntil, now < expiryUntil { delay = expiries.next(random: &random) } else { expiries.reset() }
        delay = max(delay, failure.retryAfter)
        expiryUntil = now + delay + limits.shortestWatch
        return delay
    }

    /// Whether the server denies access, but may have started a moment ago.
    private func mayBeStarting(at now: Instant) -> Bool { deniedSince.map { now - $0 < limits.startTime } ?? false }

    /// Another request has shown that the server can be reached again, and has read the roles.
    private mutating func retrySoon(at now: Instant, _ random: inout some RandomNumberGenerator) {
        guard reportedFailure == .unreachable || deniedSince != nil, let due = deadline else { return }
        deadline = min(due, now + .random(in: .zero...limits.spread, using: &random))
    }

    /// Requests the version of the server, which the smallest list has.
    private mutating func check(_ version: String, at now: Instant) -> ReflectorAction {
        phase = .checking(version)
        deadline = now + limits.pageTime
        return .list(limit: 1, continuation: "")
    }

    /// Waits after a failed watch, then resumes from its version or, if the version may be the cause, lists everything.
    private mutating func fail(
        _ failure: RequestFailure, _ watch: Watch, at now: Instant, _ random: inout some RandomNumberGenerator
    ) {
        if watch.hasLasted(for: limits.shortestWatch, at: now) { backoff.reset() }
        let isSound =
            switch failure.kind {
            case .unreachable, .unauthorized, .forbidden, .throttled: true
            case .serverError: !failure.isVersionTooNew
            default: false
            }
        fail(failure, resumingFrom: isSound ? watch.resourceVersion : nil, at: now, &random)
    }

    /// Waits after a failure, then lists everything or continues from a version.
    private mutating func fail(
        _ failure: RequestFailure, resumingFrom version: String? = nil, at now: Instant,
        _ random: inout some RandomNumberGenerator
    ) {
        state.isMissing = limits.isOptional && failure.isNotFound
        guard !state.isMissing else { return noteMissing(at: now, &random) }
        phase = .waiting(from: version, mustCheck: version != nil)
        deadline = now + delay(after: failure, at: now, &random)
        state.failures[failure.kind, default: 0] += 1
        state.isDenied = failure.isForbidden && !mayBeStarting(at: now)
        // It is normal that a version is too old once in a while. Several times in a row it is a problem, like other failures.
        guard failure.kind != .expired || expiries.failures > 3 else { return }
        state.lastError = "\(failure)"
        state.connectedSince = nil
        state.silentSince = nil
        guard reportedFailure != failure.kind, !mayBeStarting(at: now) else { return }
        reportedFailure = failure.kind
        notices.append("\(Object.plural): \(failure)")
    }

    /// The server answers, and does not have the kind. The objects that are known stay.
    private mutating func noteMissing(at now: Instant, _ random: inout some RandomNumberGenerator) {
        phase = .waiting(from: nil, mustCheck: false)
        deadline = now + .random(in: limits.missingDelay, using: &random)
        backoff.reset()
        state.isDenied = false
        state.lastError = nil
        state.connectedSince = nil
        state.silentSince = nil
        reportedFailure = nil
    }
}

extension RequestFailure {
    /// Whether it is one that only an administrator can end, unless the server has just started.
    fileprivate var isDenial: Bool { isForbidden || isNotFound }
}
