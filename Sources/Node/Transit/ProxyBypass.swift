public import Addressing
internal import Timing

/// Lets packets to and from addresses of services elsewhere in the mesh cross this node without its service proxy
/// (kube-proxy). The rules of the proxy are for packets that the node itself receives or sends, but the kernel applies them to
/// transit packets as well: it would drop them, or deliver them here with another source address.
///
/// The rules are in an nftables table of our own with these addresses. This value decides what must be in the table, and keeps
/// it there even if other programs remove it. One request is under way at a time:
///
///     bypass.want(contents, knowsMesh: true, at: now)
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
        /// Make the table with these contents. The connections that an existing table remembers stay; with `keepsAddresses`, other
        /// addresses in it stay, too.
        case update(Contents, keepsAddresses: Bool)
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
        /// After a check: nothing has changed, but since the last check connections that this node translates were not
        /// remembered, because there is no room.
        case full
        /// Another program has changed or removed the table.
        case changedByOthers
        /// nftables refused it; nothing has changed.
        case refused(String)
        /// It failed, and whether anything has changed is not known: `nft` is missing or did not end.
        case failed(String)
    }

    /// The table in the kernel, as far as this run knows it.
    private enum Table: Hashable, Sendable {
        /// An earlier run may have left one, another program has changed it, or a request failed.
        case unknown
        case absent
        case present(Contents)
    }

    /// What must be in the table; `nil` for no table. Includes addresses that nobody announces any more, for some time.
    public private(set) var wanted: Contents?
    /// How many addresses are left out of ``wanted``, because there are more than ``mostAddresses``.
    public internal(set) var surplus = 0
    /// Why the last request failed; `nil` if it did not.
    public private(set) var failure: String?
    /// Whether connections that this node translates were not remembered before the last check, because there is no room.
    public private(set) var isFull = false
    /// How often another program has changed or removed the table.
    public private(set) var foreignChanges: UInt64 = 0
    private var table = Table.unknown
    /// The request that is under way.
    private var request: Request?
    /// When the next request is due; `nil` is at once.
    private var nextRequest: Instant?
    /// The numbers of requests that failed, and that nftables refused, since the last success.
    private var (failures, refusals) = (0, 0)

    /// The addresses that nobody announces any more, since the last sweep and since the one before.
    private var (young, old): (Set<IPv6Address>, Set<IPv6Address>) = ([], [])
    /// The next sweep removes the old ones of these addresses; `nil` if there is nothing to sweep.
    private var nextSweep: Instant?
    /// Whether the mesh is known. Before, nothing is removed.
    private var knowsMesh = false
    /// Whether the table may have addresses that an earlier run left. The first sweep removes them.
    private var remains = Remains.kept
    private enum Remains { case kept, due, none }

    /// The maximum number of addresses: routers of the mesh may announce any number.
    public static let mostAddresses = 65_536
    /// The time between checks: reloading the firewall of the machine may remove all tables.
    private static let checkInterval = Duration.seconds(5)
    /// How long a check may wait for an event with which it is done.
    private static let patience = Duration.seconds(2)
    /// The time between sweeps. An address that nobody announces any more stays for one to two of them: if it returns, its route
    /// must not be in the kernel before it is in the table, or new connections are reset.
    static let sweepInterval = Duration.seconds(180)
    /// The delay before a request that failed is repeated, doubled with each failure up to the longest.
    private static let shortestRetry = Duration.seconds(1)
    private static let longestRetry = Duration.seconds(60)

    /// When to call ``next(at:)`` even without an event. None while a request is under way, whose outcome is an event.
    var nextDeadline: Instant? {
        guard request == nil else { return nil }
        guard let nextRequest, let nextSweep else { return nextRequest ?? nextSweep }
        return min(nextRequest, nextSweep)
    }

    /// When ``next(at:)`` must be called even without an event.
    var latestDeadline: Instant? { isComplete ? nextDeadline.map { $0 + Self.patience } : nextDeadline }

    /// The number of addresses that are in the table.
    public var placedCount: Int { if case .present(let contents) = table { contents.addresses.count } else { 0 } }
    /// Whether the table has the wanted contents, as far as is known.
    public var isComplete: Bool {
        request == nil && remains != .due && table == (wanted.map { .present($0) } ?? .absent)
    }

    /// Whether a request is under way.
    public var isBusy: Bool { request != nil }
    /// Whether the table may have addresses that an earlier run left.
    public var mayHaveRemains: Bool { remains != .none }

    /// Whether an address is, or will be, in the table.
    func includes(_ address: IPv6Address) -> Bool { wanted?.addresses.contains(address) == true }

    /// Wants no table at all, at once.
    mutating func wantNone(at now: Instant) {
        (young, old, nextSweep, knowsMesh) = ([], [], nil, true)
        setWanted(nil, at: now)
    }

    /// Sets what must be in the table. Addresses that are no longer wanted stay for a while, except `reserved` ones. What an
    /// earlier run left stays until the mesh is known.
    mutating func want(
        _ contents: Contents, reserved: Set<IPv6Address> = [], knowsMesh: Bool, at now: Instant
    ) {
        self.knowsMesh = knowsMesh
        if let wanted { young.formUnion(wanted.addresses.subtracting(old)) }
        for excluded in [contents.addresses, reserved] {
            young.subtract(excluded)
            old.subtract(excluded)
        }
        if contents.addresses.count + young.count + old.count > Self.mostAddresses { (young, old) = ([], []) }
        if nextSweep == nil, !young.isEmpty || (knowsMesh && remains == .kept) { nextSweep = now + Self.sweepInterval }
        var contents = contents
        contents.addresses.formUnion(young)
        contents.addresses.formUnion(old)
        setWanted(contents.addresses.isEmpty ? nil : contents, at: now)
    }

    /// Sets the ports in the table, if one is wanted.
    mutating func usePorts(_ ports: [UInt32], uplinks: [UInt32], at now: Instant) {
        guard var contents = wanted, contents.ports != ports || contents.uplinks != uplinks else { return }
        (contents.ports, contents.uplinks) = (ports, uplinks)
        setWanted(contents, at: now)
    }

    private mutating func setWanted(_ contents: Contents?, at now: Instant) {
        guard contents != wanted else { return }
        wanted = contents
        // The next request, unless it must wait after failures.
        if failures == 0 { nextRequest = nil }
    }

    /// Removes the addresses that nobody has announced for a while, and what an earlier run left.
    private mutating func sweep(at now: Instant) {
        guard let due = nextSweep, due <= now else { return }
        if knowsMesh, remains == .kept {
            remains = .due
            if failures == 0 { nextRequest = nil }
        }
        let leaving = old
        (young, old) = ([], young)
        nextSweep = old.isEmpty ? nil : now + Self.sweepInterval
        guard var contents = wanted, !leaving.isEmpty else { return }
        contents.addresses.subtract(leaving)
        setWanted(contents.addresses.isEmpty ? nil : contents, at: now)
    }

    /// The next request; `nil` if there is nothing to do or a request is under way.
    mutating func next(at now: Instant) -> Request? {
        guard request == nil else { return nil }
        sweep(at: now)
        guard nextRequest.map({ $0 <= now }) ?? true else { return nil }
        request = nextNeeded
        nextRequest = nil
        return request
    }

    private var nextNeeded: Request? {
        switch (table, wanted) {
        case (.absent, nil): nil
        case (.unknown, nil): knowsMesh ? .remove : nil
        case (.present, nil): .remove
        case (.present(let contents), let wanted?) where contents == wanted && remains != .due: .check
        case (.present(let contents), let wanted?) where contents.hasPorts(of: wanted) && remains != .due:
            .change(
                adding: wanted.addresses.subtracting(contents.addresses).sorted(),
                removing: contents.addresses.subtracting(wanted.addresses).sorted())
        // A table that cannot be updated is not ours any more: another program has made something else of it.
        case (_, let wanted?) where refusals > 1: .replace(wanted)
        case (_, let wanted?): .update(wanted, keepsAddresses: remains == .kept)
        }
    }

    /// Handles the outcome of the last request. Returns what to log.
    mutating func receive(_ outcome: Outcome, at now: Instant) -> LogLine? {
        guard let request else { return nil }
        self.request = nil
        switch outcome {
        case .done, .full:
            isFull = outcome == .full || (isFull && request != .check)
            succeeded(request, at: now)
        case .changedByOthers:
            foreignChanges += 1
            table = .unknown
            nextRequest = nil
            return LogLine(
                level: .warning,
                message: "another program changed or removed our nftables table; it is put back")
        case .refused(let reason):
            refusals += 1
            failed(request, reason, at: now)
        case .failed(let reason): failed(request, reason, at: now)
        }
        return nil
    }

    private mutating func succeeded(_ request: Request, at now: Instant) {
        (failure, failures, refusals) = (nil, 0, 0)
        switch (request, table) {
        case (.update(let contents, let keepsAddresses), _):
            table = .present(contents)
            if !keepsAddresses { remains = .none }
        case (.replace(let contents), _): (table, remains) = (.present(contents), .none)
        case (.change(let adding, let removing), .present(var contents)):
            contents.addresses.formUnion(adding)
            contents.addresses.subtract(removing)
            table = .present(contents)
        case (.change, _), (.check, _): break
        case (.remove, _): (table, remains) = (.absent, .none)
        }
        nextRequest = isComplete ? now + Self.checkInterval : nil
    }

    private mutating func failed(_ request: Request, _ reason: String, at now: Instant) {
        switch request {
        case .remove where table == .unknown:
            // Without nftables there is no table to remove.
            table = .absent
            (failures, refusals, nextRequest) = (0, 0, nil)
            return
        // Whether a table can be read or removed says nothing about its contents.
        case .check, .remove: break
        case .update, .replace, .change: table = .unknown
        }
        failures += 1
        failure = reason
        let delay =
            failures > 7 ? Self.longestRetry : min(Self.shortestRetry * (1 << (failures - 1)), Self.longestRetry)
        nextRequest = now + delay
    }
}
