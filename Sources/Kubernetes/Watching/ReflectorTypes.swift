public import Timing

/// The limits within which an API server is believed.
public struct WatchLimits: Hashable, Sendable {
    /// Objects asked for at a time.
    public var pageSize = 500
    /// Octets of one page.
    public var pageOctets = 16 << 20
    /// Octets of one line of a watch.
    public var lineOctets = 2 << 20
    /// Objects of one kind altogether.
    public var objects = 100_000
    /// Octets, on the wire, of all objects of one kind.
    public var storeOctets = 128 << 20
    /// How long a watch is asked to last.
    public var watchTime: ClosedRange<Duration> = .seconds(300) ... .seconds(600)
    /// How much longer than that it may last.
    public var margin = Duration.seconds(20)
    /// How long nothing may be heard on a watch. A server that honours `allowWatchBookmarks` says something every minute.
    public var silence = Duration.seconds(180)
    /// How long a page may take.
    public var pageTime = Duration.seconds(60)
    /// How long to leave a resource alone that is forbidden or does not exist.
    public var refusalDelay: ClosedRange<Duration> = .seconds(30) ... .seconds(60)

    /// The limits of a real cluster.
    public init() {}
}

/// What a watcher is told.
public enum ReflectorEvent<Object: Resource>: Sendable {
    /// It is to begin.
    case start
    /// A page of the list came, of so many octets.
    case page(ListPage<Object>, octets: Int)
    /// The server took the watch on.
    case opened
    /// A line of the watch came, of so many octets.
    case watched(WatchEvent<Object>, octets: Int)
    /// The watch was ended by the server in good order.
    case ended
    /// The request that is under way failed.
    case failed(RequestFailure)
    /// Its deadline has come.
    case clock
}

/// What a watcher wants done.
public enum ReflectorAction: Hashable, Sendable {
    /// Ask for a page.
    case list(limit: Int, continuation: String)
    /// Ask for what happens after a version.
    case watch(resourceVersion: String, timeoutSeconds: Int)
    /// Give up the request that is under way.
    case cut
}

/// How it stands with one kind of objects, for people and metrics.
public struct WatchState: Hashable, Sendable {
    /// Whether all objects there were have been heard of once. From then on they are never forgotten.
    public var isSynced = false
    /// Since when the server has been heard without a break; `nil` while it is not.
    public var connectedSince: Instant?
    /// Why it is not, or why it last was not, in words; `nil` if there is nothing to say.
    public var lastError: String?
    /// How many objects are known.
    public var objects = 0
    /// Lists that were begun.
    public var lists = 0
    /// Watches the server took on.
    public var watches = 0
    /// Changes heard, bookmarks not counted.
    public var events = 0
    /// What failed, by kind; silence counts as unreachable.
    public var failures: [RequestFailure.Kind: Int] = [:]
}

extension WatchState {
    /// Whether it differs in more than what is merely counted.
    func isWorthTelling(after told: WatchState) -> Bool {
        isSynced != told.isSynced || connectedSince != told.connectedSince || lastError != told.lastError
            || failures != told.failures
    }
}
