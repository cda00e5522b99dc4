public import Timing

/// Limits on what an API server may send, and timeouts. The limits bound our memory, far above what a large cluster needs.
public struct WatchLimits: Hashable, Sendable {
    /// Objects per page, as in client-go. A ``Reflector`` halves its page size whenever a page exceeds ``pageOctets``.
    public var pageSize = 500
    /// Octets of one page.
    public var pageOctets = 16 << 20
    /// Octets of one line of a watch, which has one object: etcd stores at most 1.5 MiB of it by default.
    public var lineOctets = 2 << 20
    /// Objects of one kind.
    public var objects = 100_000
    /// Octets, on the wire, of all objects of one kind.
    public var storeOctets = 128 << 20
    /// The requested duration of a watch: random in this range, so that the watches of many agents do not end together.
    public var watchTime: ClosedRange<Duration> = .seconds(600) ... .seconds(1200)
    /// How much longer than requested a watch may last before we cut it.
    public var margin = Duration.seconds(20)
    /// The longest time without an event on a watch. A server that supports `allowWatchBookmarks` sends a bookmark every
    /// minute, so three are missing then.
    public var silence = Duration.seconds(180)
    /// After this time without an event on a watch, that is reported.
    public var reportedSilence = Duration.seconds(75)
    /// The longest delay before a retry while the server is unreachable.
    public var longestDelay = Backoff().maximum
    /// A watch that ends earlier than this has failed, and a version that is too old again within this time after the retry
    /// is retried with backoff.
    public var shortestWatch = Duration.seconds(5)
    /// What many agents would do at once, because the server has restarted or answers again, is spread over this time.
    public var spread = Duration.milliseconds(300)
    /// How long access is denied, or the kind is missing, before that counts. Before, requests are retried as after other
    /// failures: a server that has just started may deny access until it has read the roles.
    public var startTime = Duration.seconds(5)
    /// The timeout of a page, and of the start of a watch.
    public var pageTime = Duration.seconds(60)
    /// The minimum delay before a retry if access to the kind is forbidden or the kind does not exist: random in this range.
    /// Only an administrator can change that, so there is no hurry.
    public var refusalDelay: ClosedRange<Duration> = .seconds(30) ... .seconds(60)
    /// Whether a server may not have the kind, as older ones do not. Then that is no failure (``WatchState/isMissing``), and the
    /// kind is looked for after ``missingDelay``.
    public var isOptional = false
    /// The delay before an optional kind that does not exist is looked for again: random in this range. Only a newer server
    /// changes that.
    public var missingDelay: ClosedRange<Duration> = .seconds(600) ... .seconds(1200)

    /// The defaults.
    public init() {}
}

/// Input of a ``Reflector``.
public enum ReflectorEvent<Object: Resource>: Sendable {
    case start
    /// A page of the list, and its size in octets.
    case page(ListPage<Object>, octets: Int)
    /// The server accepted the watch.
    case opened
    /// An event of the watch, and its size in octets.
    case watched(WatchEvent<Object>, octets: Int)
    /// The server ended the watch normally.
    case ended
    /// The outstanding request failed.
    case failed(RequestFailure)
    /// A request for other objects has shown that the server can be reached again.
    case serverAnswers
    /// The deadline has come.
    case clock
}

/// Output of a ``Reflector``.
public enum ReflectorAction: Hashable, Sendable {
    /// Request a page of at most `limit` objects; the first one if `continuation` is empty.
    case list(limit: Int, continuation: String)
    /// Watch changes after a version.
    case watch(resourceVersion: String, timeoutSeconds: Int)
    /// Cancel the outstanding request.
    case cut
}

/// The state of watching one kind of objects, for status and metrics.
public struct WatchState: Hashable, Sendable {
    /// Whether the first list of this run is complete. Until then, known objects may no longer exist.
    public var isSynced = false
    /// Since when watches work without a failure that counts for ``lastError``; `nil` while they do not.
    public var connectedSince: Instant?
    /// Since when nothing was received on the watch, if that is longer than ``WatchLimits/reportedSilence``: a server sends a
    /// bookmark every minute.
    public var silentSince: Instant?
    /// Whether access is denied, for longer than ``WatchLimits/startTime``.
    public var isDenied = false
    /// Whether the server does not have the kind, which is optional (``WatchLimits/isOptional``).
    public var isMissing = false
    /// The last failure as text, if any. A version that is too old counts only after several failures in a row.
    public var lastError: String?
    /// The number of known objects.
    public var objects = 0
    /// The number of lists started.
    public var lists = 0
    /// The number of watches accepted by the server.
    public var watches = 0
    /// The number of events received, without bookmarks.
    public var events = 0
    /// The number of failures by kind. A timeout counts as unreachable.
    public var failures: [RequestFailure.Kind: Int] = [:]
}

extension WatchState {
    /// Whether it differs in more than the numbers of objects, lists, watches and events.
    func differsNotably(from reported: WatchState) -> Bool {
        isSynced != reported.isSynced || connectedSince != reported.connectedSince || lastError != reported.lastError
            || silentSince != reported.silentSince || failures != reported.failures || isMissing != reported.isMissing
    }
}
