public import Addressing
internal import Timing

/// Lets packets to and from addresses of services elsewhere in the mesh cross this node without its service proxy
/// (kube-proxy). The rules of the proxy are for packets that the node itself receives or sends, but the kernel applies them to
/// transit packets as well: it would drop them, or deliver them here with another source address.
///
/// The rules are in an nftables table of our own with these addresses. This value decides what must be in the table, and keeps
/// it there even if other programs remove it. One request is under way at a time:
///
///     bypass.want(contents, at: now)
///     let request = bypass.next(at: now)             // the next request; nil for none
///     let line = bypass.receive(outcome, at: now)    // its outcome; what to log
///     bypass.nextDeadline                            // when to call next(at:) without an event
public struct ProxyBypass: Sendable {
    /// What the table contains.
    public struct Contents: Hashable, Sendable {
        /// Addresses whose packets bypass the service proxy, if they are in transit.
        public var addresses: Set<IPv6Address>
        /// Packets from and to these ranges never bypass the service proxy: the pods of this node.
        public var pods: [IPv6Prefix]
        /// The names of ports of the mesh that are of a kind that also containers have (``containerKinds``). From other
        /// devices of these kinds come packets of pods, also of pods with other addresses, which never bypass the proxy.
        public var ports: [String]

        public init(addresses: Set<IPv6Address> = [], pods: [IPv6Prefix] = [], ports: [String] = []) {
            self.addresses = addresses
            self.pods = pods
            self.ports = ports
        }

        /// Whether the rules are the same, whatever the addresses.
        func hasRules(of other: Contents) -> Bool { pods == other.pods && ports == other.ports }
    }

    /// A request to nftables, carried out as one transaction.
    public enum Request: Hashable, Sendable {
        /// Replace the table, whatever is in it, by one with these contents.
        case replace(Contents)
        /// Add and remove addresses, in order; the table must exist.
        case change(adding: [IPv6Address], removing: [IPv6Address])
        /// Check that the table is as the last request left it.
        case check
        /// Remove the table if it exists.
        case remove
    }

    /// The outcome of a request.
    public enum Outcome: Hashable, Sendable {
        /// It was carried out; after a check: nothing has changed.
        case done
        /// After a check: another program has changed or removed the table.
        case changedByOthers
        /// It failed; nothing has changed.
        case failed(String)
    }

    /// The table in the kernel, as far as this run knows it.
    private enum Table: Hashable, Sendable {
        /// An earlier run may have left one.
        case unknown
        case absent
        case present(Contents)
    }

    /// What must be in the table; `nil` for no table.
    public private(set) var wanted: Contents?
    /// Why the last request failed; `nil` if it did not.
    public private(set) var failure: String?
    /// When to call ``next(at:)`` even without an event.
    private(set) var nextDeadline: Instant?
    /// How often another program has changed or removed the table.
    public private(set) var foreignChanges: UInt64 = 0
    private var table = Table.unknown
    /// The request that is under way.
    private var request: Request?
    /// The number of failures since the last success.
    private var failures = 0

    /// The kinds of devices by which container runtimes attach pods.
    public static let containerKinds = ["veth", "bridge"]
    /// The maximum number of addresses: routers of the mesh may announce any number.
    public static let mostAddresses = 65_536
    /// The time between checks: reloading the firewall of the machine may remove all tables.
    private static let checkInterval = Duration.seconds(5)
    /// How long a check may wait for an event with which it is done.
    private static let patience = Duration.seconds(2)
    /// The delay before a request that failed twice in a row is repeated, doubled with each failure up to the longest. The first
    /// repetition is at once, because another program may have removed the table.
    private static let shortestRetry = Duration.seconds(1)
    private static let longestRetry = Duration.seconds(60)

    /// When ``next(at:)`` must be called even without an event.
    var latestDeadline: Instant? {
        if case .present(let contents) = table, contents == wanted { return nextDeadline.map { $0 + Self.patience } }
        return nextDeadline
    }

    /// The number of addresses that are in the table.
    public var placedCount: Int { if case .present(let contents) = table { contents.addresses.count } else { 0 } }
    /// Whether the table has the wanted contents, as far as is known.
    public var isComplete: Bool { request == nil && table == (wanted.map { .present($0) } ?? .absent) }

    /// Sets what must be in the table; `nil` for no table.
    mutating func want(_ contents: Contents?, at now: Instant) {
        guard contents != wanted else { return }
        wanted = contents
        // The next request, unless it must wait after failures.
        if failures < 2 { nextDeadline = now }
    }

    /// The next request; `nil` if there is nothing to do or a request is under way.
    mutating func next(at now: Instant) -> Request? {
        guard request == nil, nextDeadline.map({ $0 <= now }) ?? true else { return nil }
        nextDeadline = nil
        switch (table, wanted) {
        case (.absent, nil): break
        case (.unknown, nil), (.present, nil): request = .remove
        case (.present(let contents), let wanted?) where contents == wanted: request = .check
        case (.present(let contents), let wanted?) where contents.hasRules(of: wanted):
            request = .change(
                adding: wanted.addresses.subtracting(contents.addresses).sorted(),
                removing: contents.addresses.subtracting(wanted.addresses).sorted())
        case (_, let wanted?): request = .replace(wanted)
        }
        return request
    }

    /// Handles the outcome of the last request. Returns what to log.
    mutating func receive(_ outcome: Outcome, at now: Instant) -> LogLine? {
        guard let request else { return nil }
        self.request = nil
        switch outcome {
        case .done: succeeded(request, at: now)
        case .changedByOthers:
            foreignChanges += 1
            table = .unknown
            nextDeadline = now
            return LogLine(
                level: .warning,
                message: "another program changed or removed our nftables table; it is put back")
        case .failed(let reason): failed(request, reason, at: now)
        }
        return nil
    }

    private mutating func succeeded(_ request: Request, at now: Instant) {
        (failure, failures) = (nil, 0)
        switch (request, table) {
        case (.replace(let contents), _): table = .present(contents)
        case (.change(let adding, let removing), .present(var contents)):
            contents.addresses.formUnion(adding)
            contents.addresses.subtract(removing)
            table = .present(contents)
        case (.change, _), (.check, _): break
        case (.remove, _): table = .absent
        }
        nextDeadline = isComplete ? wanted.map { _ in now + Self.checkInterval } : now
    }

    private mutating func failed(_ request: Request, _ reason: String, at now: Instant) {
        failures += 1
        // Without nftables there is no table to remove.
        if case (.remove, .unknown) = (request, table) {
            table = .absent
            failures = 0
            nextDeadline = wanted.map { _ in now }
            return
        }
        table = .unknown
        guard failures > 1 else {
            nextDeadline = now
            return
        }
        let delay =
            failures > 8 ? Self.longestRetry : min(Self.shortestRetry * (1 << (failures - 2)), Self.longestRetry)
        nextDeadline = now + delay
        failure = reason
    }
}
