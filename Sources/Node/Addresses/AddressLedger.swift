public import Addressing
public import OSPF
public import Timing

/// The addresses this node has on `lo` or wants there: who wants each, whether the kernel has it, and how it is announced.
///
/// An address is *wanted* by an owner, *placed* by the kernel, then *announced*, and when nobody wants it any more, first
/// announced no longer and then *removed*. What the kernel refused is not announced and is tried again. What was there
/// before is never removed.
public struct AddressLedger: Sendable {
    /// Who wants an address.
    public enum Owner: Hashable, Sendable, Comparable {
        /// The node itself: its own address.
        case node
        /// A VIP of the configuration.
        case vip
        /// A service of the cluster.
        case service
    }

    /// How far an address has got.
    public enum Placement: Hashable, Sendable {
        /// It is not on the node, and is to be put there; it was refused before, after this delay, unless that is zero.
        case waiting(after: Duration)
        /// The kernel was asked to put it on the node, the last delay after a refusal being this long.
        case placing(after: Duration)
        /// It is on the node. Ours are removed when nobody wants them; others were there before.
        case placed(isOurs: Bool)
        /// The kernel did not take it: why, and when it is tried again.
        case refused(reason: String, retry: Instant, delay: Duration)
        /// Nobody wants it; it is to be removed once others have been told.
        case leaving
        /// The kernel was asked to remove it.
        case removing
    }

    /// How an owner wants an address.
    public struct Want: Hashable, Sendable {
        /// How it is to be announced; `nil` if it is to be on the node without being announced.
        public var announcement: AdvertisedPrefix?
    }

    /// An address as it stands.
    public struct Entry: Hashable, Sendable {
        /// Who wants it, and how each announces it.
        public fileprivate(set) var wants: [Owner: Want] = [:]
        /// How far it has got.
        public fileprivate(set) var placement: Placement

        /// Whether it is on the node and may be announced.
        public var isPlaced: Bool {
            switch placement {
            case .placed: true
            case .waiting, .placing, .refused, .leaving, .removing: false
            }
        }

        /// How it is announced: as by the owner who announces it at the lowest metric; `nil` if it is not.
        public var announcement: AdvertisedPrefix? {
            guard isPlaced else { return nil }
            return wants.sorted { $0.key < $1.key }.compactMap(\.value.announcement).min { $0.metric < $1.metric }
        }
    }

    /// What the kernel is to be asked for.
    public enum Request: Hashable, Sendable {
        /// Put the address on `lo`; if `ifUnclaimed`, not where the kernel knows it to be another machine's.
        case add(IPv6Address, ifUnclaimed: Bool)
        /// Take the address from `lo`.
        case remove(IPv6Address)
    }

    /// What came of a ``Request``.
    public enum Outcome: Hashable, Sendable {
        /// The address was put on the node.
        case added
        /// It was there already, put there by us (it bears our mark) or by somebody else.
        case present(isOurs: Bool)
        /// It was taken from the node, or was not there.
        case removed
        /// The kernel refused, or another machine has it, and why or which.
        case refused(String)
    }

    /// What others, or the kernel, did to an address.
    public enum News: Hashable, Sendable {
        /// Somebody removed it; it is put back.
        case stolen
        /// The kernel refused it for the first time, with the reason.
        case refused(String)
        /// The kernel took it after it had refused it.
        case accepted
        /// The kernel would not remove it, with the reason.
        case stuck(String)
    }

    /// All addresses wanted or placed.
    public private(set) var entries: [IPv6Address: Entry] = [:]
    /// Addresses to add, in order of when they were wanted.
    private var arrivals: [IPv6Address] = []
    /// Addresses to remove.
    private var departures: [IPv6Address] = []
    /// Refused addresses: few of many.
    private var refusals: Set<IPv6Address> = []
    /// Addresses that somebody removed while the kernel was being asked to add them: which came last is not known.
    private var doubtful: Set<IPv6Address> = []
    /// Addresses whose request is under way.
    private var requests = 0
    /// Counts changes of what ``announcements`` would give.
    public private(set) var version: UInt64 = 0

    private static let shortestRetry = Duration.seconds(1)
    private static let longestRetry = Duration.seconds(30)

    /// Makes an empty ledger.
    public init() {}

    /// Whether an address is on the node and may be announced.
    public func isPlaced(_ address: IPv6Address) -> Bool { entries[address]?.isPlaced == true }

    /// Whether the kernel has refused an address.
    public func isRefused(_ address: IPv6Address) -> Bool {
        if case .refused? = entries[address]?.placement { true } else { false }
    }

    /// Whether `owner` wants an address.
    public func isWanted(_ address: IPv6Address, by owner: Owner) -> Bool { entries[address]?.wants[owner] != nil }

    /// Whether requests wait to be made.
    public var hasWork: Bool { !arrivals.isEmpty || !departures.isEmpty }
    /// Whether requests are under way.
    public var isBusy: Bool { requests > 0 }
    /// When refused addresses are tried again.
    public var nextDeadline: Instant? {
        refusals.lazy.compactMap { address in
            if case .refused(_, let retry, _)? = entries[address]?.placement { retry } else { nil }
        }.min()
    }

    /// How the placed addresses are announced, in order.
    public var announcements: [AdvertisedPrefix] {
        entries.sorted { $0.key < $1.key }.compactMap(\.value.announcement)
    }

    /// What the kernel refuses, with its reason, in order.
    public var refused: [(address: IPv6Address, reason: String)] {
        refusals.sorted().compactMap { address in
            if case .refused(let reason, _, _)? = entries[address]?.placement { (address, reason) } else { nil }
        }
    }

    /// Gives this copy storage of its own.
    mutating func detach() { entries.detach() }

    // MARK: Wants

    /// An owner wants an address, announced like this, or not at all, once it is placed.
    public mutating func want(_ address: IPv6Address, by owner: Owner, as announcement: AdvertisedPrefix?) {
        let want = Want(announcement: announcement)
        guard var entry = entries[address] else {
            entries[address] = Entry(wants: [owner: want], placement: .waiting(after: .zero))
            arrivals.append(address)
            return
        }
        guard entry.wants[owner] != want else { return }
        entry.wants[owner] = want
        switch entry.placement {
        // It is still there, and stays.
        case .leaving: entry.placement = .placed(isOurs: true)
        // Asked for again as soon as it is gone.
        case .removing, .waiting, .placing, .placed, .refused: break
        }
        entries[address] = entry
        version += 1
    }

    /// An owner does not want an address any more.
    public mutating func drop(_ address: IPv6Address, by owner: Owner) {
        guard var entry = entries[address] else { return }
        // What an earlier run left is wanted by nobody yet, and goes as well.
        let wasWanted = entry.wants.removeValue(forKey: owner) != nil
        guard wasWanted || entry.wants.isEmpty else { return }
        version += 1
        guard entry.wants.isEmpty else {
            entries[address] = entry
            return
        }
        switch entry.placement {
        case .waiting, .refused, .placed(isOurs: false):
            entries[address] = nil
            refusals.remove(address)
        case .placed(isOurs: true):
            entry.placement = .leaving
            entries[address] = entry
            departures.append(address)
        case .placing, .leaving, .removing: entries[address] = entry
        }
    }

    /// The addresses an owner wants.
    public func addresses(of owner: Owner) -> [IPv6Address] {
        entries.filter { $0.value.wants[owner] != nil }.keys.sorted()
    }

    // MARK: The kernel

    /// An earlier run left an address that bears our mark. It stays until ``sweep(keeping:)``.
    public mutating func adopt(_ address: IPv6Address) {
        guard entries[address] == nil else { return }
        entries[address] = Entry(placement: .placed(isOurs: true))
    }

    /// What an earlier run left and nobody wants is to go, but for what may be wanted soon; what goes.
    public mutating func sweep(keeping: Set<IPv6Address>) -> [IPv6Address] {
        let stale = entries.filter { address, entry in
            entry.wants.isEmpty && entry.placement == .placed(isOurs: true) && !keeping.contains(address)
        }.keys.sorted()
        for address in stale { entries[address]?.placement = .leaving }
        departures += stale
        return stale
    }

    /// The next requests to make, at most `limit`: removals only where `mayRemove`, as others have to be told first. What
    /// nobody but a service wants is asked for on the condition that no other machine has it, but for what `isShared`, as
    /// others of the mesh announce it too.
    public mutating func takeRequests(
        limit: Int, mayRemove: Bool, at now: Instant, isShared: (IPv6Address) -> Bool
    ) -> [Request] {
        retry(at: now)
        var result: [Request] = []
        var taken = 0
        while taken < arrivals.count, result.count < limit {
            let address = arrivals[taken]
            taken += 1
            guard let entry = entries[address], case .waiting(let delay) = entry.placement else { continue }
            entries[address]?.placement = .placing(after: delay)
            let isOfServices = entry.wants.keys.allSatisfy { $0 == .service }
            result.append(.add(address, ifUnclaimed: isOfServices && !isShared(address)))
        }
        arrivals.removeFirst(taken)
        guard mayRemove else {
            requests += result.count
            return result
        }
        while result.count < limit, let address = departures.popLast() {
            guard entries[address]?.placement == .leaving else { continue }
            entries[address]?.placement = .removing
            result.append(.remove(address))
        }
        requests += result.count
        return result
    }

    private mutating func retry(at now: Instant) {
        guard !refusals.isEmpty else { return }
        for address in refusals.sorted() {
            guard case .refused(_, let retry, let delay)? = entries[address]?.placement, retry <= now else { continue }
            arrivals.append(address)
            entries[address]?.placement = .waiting(after: delay)
        }
    }

    /// Takes the outcome of a request in.
    public mutating func take(_ outcome: Outcome, of request: Request, at now: Instant) -> News? {
        requests = max(0, requests - 1)
        switch request {
        case .add(let address, _): return added(address, outcome, at: now)
        case .remove(let address): return removed(address, outcome)
        }
    }

    private mutating func added(_ address: IPv6Address, _ outcome: Outcome, at now: Instant) -> News? {
        // Somebody removed it again before we heard that it was there; or nobody wants it by now.
        guard var entry = entries[address], case .placing(let last) = entry.placement else { return nil }
        version += 1
        if doubtful.remove(address) != nil {
            entry.placement = .waiting(after: .zero)
            entries[address] = entry
            arrivals.append(address)
            return nil
        }
        switch outcome {
        case .added, .present, .removed:
            let isOurs = outcome != .present(isOurs: false)
            let wasRefused = refusals.remove(address) != nil
            entry.placement = .placed(isOurs: isOurs)
            entries[address] = entry
            if entry.wants.isEmpty { leave(address, isOurs: isOurs) }
            return wasRefused ? .accepted : nil
        case .refused(let reason):
            guard !entry.wants.isEmpty else {
                entries[address] = nil
                refusals.remove(address)
                return nil
            }
            let isFirst = refusals.insert(address).inserted
            let delay = min(max(Self.shortestRetry, last * 2), Self.longestRetry)
            entry.placement = .refused(reason: reason, retry: now + delay, delay: delay)
            entries[address] = entry
            return isFirst ? .refused(reason) : nil
        }
    }

    private mutating func leave(_ address: IPv6Address, isOurs: Bool) {
        guard isOurs else {
            entries[address] = nil
            return
        }
        entries[address]?.placement = .leaving
        departures.append(address)
    }

    private mutating func removed(_ address: IPv6Address, _ outcome: Outcome) -> News? {
        guard let entry = entries[address], entry.placement == .removing else { return nil }
        if entry.wants.isEmpty {
            entries[address] = nil
        } else {
            entries[address]?.placement = .waiting(after: .zero)
            arrivals.append(address)
        }
        if case .refused(let reason) = outcome { return .stuck(reason) }
        return nil
    }

    /// Nobody but the owners to keep wants anything any more: the addresses of ours to remove at once, in order.
    public mutating func removeAll(keeping owners: Set<Owner>) -> [IPv6Address] {
        var removed: [IPv6Address] = []
        for address in entries.keys.sorted() {
            guard let entry = entries[address], owners.isDisjoint(with: entry.wants.keys) else { continue }
            switch entry.placement {
            case .placed(isOurs: true), .placing, .leaving: removed.append(address)
            case .placed(isOurs: false), .waiting, .refused, .removing: break
            }
            entries[address] = nil
        }
        (arrivals, departures, refusals) = ([], [], [])
        version += 1
        return removed
    }

    /// The kernel says that an address is gone from `lo`. What we removed ourselves is no news.
    public mutating func gone(_ address: IPv6Address) -> News? {
        guard let entry = entries[address] else { return nil }
        if case .placing = entry.placement { doubtful.insert(address) }
        guard case .placed = entry.placement else { return nil }
        version += 1
        guard !entry.wants.isEmpty else {
            entries[address] = nil
            return nil
        }
        entries[address]?.placement = .waiting(after: .zero)
        arrivals.append(address)
        return .stolen
    }
}
