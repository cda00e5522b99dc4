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
        /// The indexes of the ports of the mesh, ascending: where services on other nodes are.
        public var ports: [UInt32]
        /// The indexes of all ports from which packets in transit may come and to which they may go, ascending: those of the
        /// mesh, and the other network cards, bonds and VLANs of the machine. Not devices of containers: packets of
        /// pods never bypass the proxy.
        public var uplinks: [UInt32]

        public init(addresses: Set<IPv6Address> = [], ports: [UInt32] = [], uplinks: [UInt32] = []) {
            self.addresses = addresses
            self.ports = ports
            self.uplinks = uplinks
        }

        /// Whether only addresses may differ.
        func hasPorts(of other: Contents) -> Bool { ports == other.ports && uplinks == other.uplinks }
    }

    /// A request to nftables, carried out as one transaction.
    public enum Request: Hashable, Sendable {
        /// Make the table with these contents. The connections that an existing table remembers stay.
        case update(Contents)
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
        /// Another program has changed it, or a request failed.
        case damaged
        case absent
        case present(Contents)
    }

    /// What must be in the table; `nil` for no table.
    public private(set) var wanted: Contents?
    /// How many addresses are left out of ``wanted``, because there are more than ``mostAddresses``.
    public internal(set) var surplus = 0
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
        case (.unknown, nil), (.damaged, nil), (.present, nil): request = .remove
        case (.present(let contents), let wanted?) where contents == wanted: request = .check
        case (.present(let contents), let wanted?) where contents.hasPorts(of: wanted):
            request = .change(
                adding: wanted.addresses.subtracting(contents.addresses).sorted(),
                removing: contents.addresses.subtracting(wanted.addresses).sorted())
        case (.unknown, let wanted?), (.present, let wanted?): request = .update(wanted)
        case (.damaged, let wanted?), (.absent, let wanted?): request = .replace(wanted)
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
            table = .damaged
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
        case (.update(let contents), _), (.replace(let contents), _): table = .present(contents)
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
        table = .damaged
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
