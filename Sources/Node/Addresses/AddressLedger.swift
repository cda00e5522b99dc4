public import Addressing
public import OSPF
public import Timing

/// The addresses that this node has on `lo` or wants there, each with its owners, its state in the kernel and its announcement.
///
/// An owner *wants* an address, the kernel *places* it, then it is *announced*. When no owner wants it any more, it is
/// withdrawn first and then *removed*. An address that the kernel refuses is not announced, and is tried again. An address that
/// `lo` had already without our protocol number (`IFA_PROTO`) counts as somebody else's: it is announced if an owner wants
/// that, and not removed.
public struct AddressLedger: Sendable {
    /// The owners of addresses. If several announce an address at the same metric, the first in this order counts.
    public enum Owner: Hashable, Sendable, Comparable {
        /// The node: its own addresses.
        case node
        /// A VIP of the configuration.
        case vip
        /// A service of the cluster.
        case service
    }

    /// The state of an address in the kernel.
    public enum Placement: Hashable, Sendable {
        /// To be added. `after` is the delay between the last refusal and this attempt, zero if the attempt does not follow a
        /// refusal. The delay after another refusal is twice as long, from 1 s up to 30 s.
        case waiting(after: Duration)
        /// The kernel was asked to add it. `after` as in ``waiting(after:)``.
        case placing(after: Duration)
        /// On `lo`. `isOurs` if the ledger had it added, or it was there with our protocol number; no other address is removed.
        case placed(isOurs: Bool)
        /// Refused: the time of the next attempt, and the delay until then. ``AddressLedger/refusal(of:)`` has the reason.
        case refused(retry: Instant, delay: Duration)
        /// On `lo`, and no owner wants it. It is removed when it has been withdrawn.
        case leaving
        /// The kernel was asked to remove it.
        case removing
    }

    /// The demand of one owner.
    public struct Demand: Hashable, Sendable {
        /// The announcement; `nil` to place the address without announcing it.
        public var announcement: AdvertisedPrefix?
    }

    /// An address with its owners and its state.
    public struct Entry: Hashable, Sendable {
        /// The demands, by owner.
        public fileprivate(set) var demands: [Owner: Demand] = [:]
        /// Its state in the kernel.
        public fileprivate(set) var placement: Placement

        /// Whether it is on `lo` and stays there, so that it may be announced.
        public var isPlaced: Bool {
            switch placement {
            case .placed: true
            case .waiting, .placing, .refused, .leaving, .removing: false
            }
        }

        /// Its announcement: of several owners' the one with the lowest metric; `nil` if it is not placed or no owner announces
        /// it.
        public var announcement: AdvertisedPrefix? {
            guard isPlaced else { return nil }
            return demands.sorted { $0.key < $1.key }.compactMap(\.value.announcement).min { $0.metric < $1.metric }
        }
    }

    /// A request to the kernel.
    public enum Request: Hashable, Sendable {
        /// Add the address to `lo`; with `ifUnclaimed`, only if the kernel's neighbor tables have no other machine with it.
        case add(IPv6Address, ifUnclaimed: Bool)
        /// Remove the address from `lo`.
        case remove(IPv6Address)
    }

    /// The outcome of a ``Request``.
    public enum Outcome: Hashable, Sendable {
        /// The address was added.
        case added
        /// It was there already, with our protocol number (`isOurs`) or without.
        case present(isOurs: Bool)
        /// It was removed, or was not there.
        case removed
        /// It could not be added or removed, or (`ifUnclaimed`) another machine has or may have it: the reason.
        case refused(String)
    }

    /// Counters of what may affect ``announcements``.
    public struct Version: Hashable, Sendable {
        /// Changes of the demands for addresses that the ledger has, and removals by other programs or at a stop. The
        /// announcements must follow at once.
        var changes: UInt64 = 0
        /// Outcomes of additions. While more are to be added, the announcements may follow later (``Announcements``).
        var placements: UInt64 = 0
    }

    /// A change of an address in the kernel, for the log.
    public enum Change: Hashable, Sendable {
        /// Another program removed it; it is put back.
        case removalNotified
        /// It was refused, with the reason. Further refusals are not reported until it is on `lo` or the ledger forgets it.
        case refused(String)
        /// It is on `lo` after a refusal: it was added, or was there.
        case accepted
        /// It could not be removed, with the reason. It stays on `lo`; the ledger forgets it, unless an owner wants it again.
        case notRemoved(String)
    }

    /// All addresses that are wanted, being added, leaving or being removed, or were left by an earlier run. The ledger forgets
    /// all others.
    public private(set) var entries: [IPv6Address: Entry] = [:]
    /// Addresses to add, in this order. One that is not ``Placement/waiting(after:)`` any more is skipped.
    private var additions: [IPv6Address] = []
    /// Addresses to remove, in any order. One that is not ``Placement/leaving`` any more is skipped.
    private var removals: [IPv6Address] = []
    /// Addresses that were refused and not placed since, each with the reason of the last refusal, also while another attempt
    /// is under way. All of them are in ``entries``. Normally few.
    private var refusals: [IPv6Address: String] = [:]
    /// Addresses that may be missing on `lo`, because their removal was notified while they were being added or were leaving.
    /// Whether the addition or the removal came last is not known, so an address that was being added is added once more if an
    /// owner still wants it. A leaving address is added again if an owner wants it again.
    private var uncertain: Set<IPv6Address> = []
    /// The number of requests to the kernel that have no outcome yet.
    private var requestsUnderWay = 0
    /// Grows with every change that may affect ``announcements``.
    public private(set) var version = Version()

    /// The delay before a refused address is tried again: after the first refusal, and the longest.
    private static let shortestRetry = Duration.seconds(1)
    private static let longestRetry = Duration.seconds(30)

    public init() {}

    /// Whether an address is on `lo` and stays there, so that it may be announced.
    public func isPlaced(_ address: IPv6Address) -> Bool { entries[address]?.isPlaced == true }

    /// Whether an address was refused and waits for the next attempt.
    public func isRefused(_ address: IPv6Address) -> Bool {
        if case .refused? = entries[address]?.placement { true } else { false }
    }

    /// Whether `owner` wants an address.
    public func isWanted(_ address: IPv6Address, by owner: Owner) -> Bool { entries[address]?.demands[owner] != nil }

    /// Whether there may be addresses to add.
    public var hasAdditions: Bool { !additions.isEmpty }
    /// Whether there may be requests to make, without new attempts to add refused addresses.
    public var hasWork: Bool { hasAdditions || !removals.isEmpty }
    /// Whether there may be requests to make at `now`, with new attempts to add refused addresses.
    public func hasRequests(at now: Instant) -> Bool { hasWork || nextDeadline.map { $0 <= now } ?? false }
    /// Whether requests are under way.
    public var isBusy: Bool { requestsUnderWay > 0 }
    /// When the next refused address is tried again; `nil` if none waits.
    public var nextDeadline: Instant? {
        refusals.keys.lazy.compactMap { address in
            if case .refused(let retry, _)? = entries[address]?.placement { retry } else { nil }
        }.min()
    }

    /// The announcements of placed addresses, by address.
    public var announcements: [AdvertisedPrefix] {
        entries.sorted { $0.key < $1.key }.compactMap(\.value.announcement)
    }

    /// The addresses that were refused and not placed since, each with the reason of the last refusal, by address.
    public var refused: [(address: IPv6Address, reason: String)] {
        refusals.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Why an address was last refused; `nil` if it was not, was placed since, or the ledger has forgotten it.
    public func refusal(of address: IPv6Address) -> String? { refusals[address] }

    /// Gives this copy its own storage; see ``MeshNode/detach()``.
    mutating func detach() { entries.detach() }

    // MARK: Demands

    /// Records that an owner wants an address, and its announcement; `nil` if the owner does not announce the address.
    public mutating func want(_ address: IPv6Address, by owner: Owner, as announcement: AdvertisedPrefix?) {
        let demand = Demand(announcement: announcement)
        guard var entry = entries[address] else {
            entries[address] = Entry(demands: [owner: demand], placement: .waiting(after: .zero))
            additions.append(address)
            return
        }
        guard entry.demands[owner] != demand else { return }
        entry.demands[owner] = demand
        switch entry.placement {
        case .leaving where uncertain.remove(address) != nil:
            entry.placement = .waiting(after: .zero)
            additions.append(address)
        // Its removal was neither requested nor notified, so it is still on `lo`. Only our addresses leave.
        case .leaving: entry.placement = .placed(isOurs: true)
        // An address that is being removed is added again afterward. The others are placed already, or the next outcome or
        // attempt counts for this owner too.
        case .removing, .waiting, .placing, .placed, .refused: break
        }
        entries[address] = entry
        version.changes += 1
    }

    /// An owner does not want an address any more.
    public mutating func drop(_ address: IPv6Address, by owner: Owner) {
        guard var entry = entries[address] else { return }
        // An address of an earlier run may have no owner; it is removed too.
        let wasWanted = entry.demands.removeValue(forKey: owner) != nil
        guard wasWanted || entry.demands.isEmpty else { return }
        version.changes += 1
        guard entry.demands.isEmpty else {
            entries[address] = entry
            return
        }
        switch entry.placement {
        case .waiting, .refused, .placed(isOurs: false):
            entries[address] = nil
            refusals[address] = nil
        case .placed(isOurs: true):
            entry.placement = .leaving
            entries[address] = entry
            removals.append(address)
        // The outcome of the request decides; an address that is leaving is in `removals` already.
        case .placing, .leaving, .removing: entries[address] = entry
        }
    }

    /// The addresses that an owner wants, ascending.
    public func addresses(of owner: Owner) -> [IPv6Address] {
        entries.filter { $0.value.demands[owner] != nil }.keys.sorted()
    }

    // MARK: The kernel

    /// Takes over an address with our protocol number that an earlier run left on `lo`. It stays until ``sweep(keeping:)`` or
    /// ``drop(_:by:)`` finds that no owner wants it. Does nothing if an owner wants it already: the addition finds it there.
    public mutating func adopt(_ address: IPv6Address) {
        guard entries[address] == nil else { return }
        entries[address] = Entry(placement: .placed(isOurs: true))
    }

    /// Marks for removal the addresses of an earlier run that no owner wants, except those to keep. Returns them, ascending.
    public mutating func sweep(keeping: Set<IPv6Address>) -> [IPv6Address] {
        let stale = entries.filter { address, entry in
            entry.demands.isEmpty && entry.placement == .placed(isOurs: true) && !keeping.contains(address)
        }.keys.sorted()
        for address in stale { entries[address]?.placement = .leaving }
        removals += stale
        return stale
    }

    /// The next requests, at most `limit`, additions first. Removals are included only if `mayRemove`, because an address must
    /// be withdrawn first. An address that only services want is added only if no other machine has it, unless it `isShared`:
    /// other nodes announce it too, so the other machine may be one of them.
    public mutating func nextRequests(
        limit: Int, mayRemove: Bool, at now: Instant, isShared: (IPv6Address) -> Bool
    ) -> [Request] {
        retry(at: now)
        var result: [Request] = []
        var taken = 0
        while taken < additions.count, result.count < limit {
            let address = additions[taken]
            taken += 1
            guard let entry = entries[address], case .waiting(let delay) = entry.placement else { continue }
            entries[address]?.placement = .placing(after: delay)
            let isOfServices = entry.demands.keys.allSatisfy { $0 == .service }
            result.append(.add(address, ifUnclaimed: isOfServices && !isShared(address)))
        }
        additions.removeFirst(taken)
        guard mayRemove else {
            requestsUnderWay += result.count
            return result
        }
        while result.count < limit, let address = removals.popLast() {
            guard entries[address]?.placement == .leaving else { continue }
            entries[address]?.placement = .removing
            result.append(.remove(address))
        }
        requestsUnderWay += result.count
        return result
    }

    /// Adds the refused addresses whose time has come to those to add.
    private mutating func retry(at now: Instant) {
        guard !refusals.isEmpty else { return }
        for address in refusals.keys.sorted() {
            guard case .refused(let retry, let delay)? = entries[address]?.placement, retry <= now else { continue }
            additions.append(address)
            entries[address]?.placement = .waiting(after: delay)
        }
    }

    /// Records the outcome of a request. Returns the change to log, if there is one.
    public mutating func record(_ outcome: Outcome, of request: Request, at now: Instant) -> Change? {
        requestsUnderWay = max(0, requestsUnderWay - 1)
        switch request {
        case .add(let address, _): return added(address, outcome, at: now)
        case .remove(let address): return removed(address, outcome)
        }
    }

    private mutating func added(_ address: IPv6Address, _ outcome: Outcome, at now: Instant) -> Change? {
        // Without an entry in this state, `removeAll` has forgotten the address while the request was under way.
        guard var entry = entries[address], case .placing(let last) = entry.placement else { return nil }
        version.placements += 1
        if uncertain.contains(address), !entry.demands.isEmpty {
            uncertain.remove(address)
            entry.placement = .waiting(after: .zero)
            entries[address] = entry
            additions.append(address)
            return nil
        }
        switch outcome {
        // `.removed` is never the outcome of an addition.
        case .added, .present, .removed:
            let isOurs = outcome != .present(isOurs: false)
            let wasRefused = refusals.removeValue(forKey: address) != nil
            entry.placement = .placed(isOurs: isOurs)
            entries[address] = entry
            if entry.demands.isEmpty { leave(address, isOurs: isOurs) }
            return wasRefused ? .accepted : nil
        case .refused(let reason):
            guard !entry.demands.isEmpty else {
                entries[address] = nil
                refusals[address] = nil
                return nil
            }
            let isFirst = refusals.updateValue(reason, forKey: address) == nil
            let delay = min(max(Self.shortestRetry, last * 2), Self.longestRetry)
            entry.placement = .refused(retry: now + delay, delay: delay)
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
        removals.append(address)
    }

    private mutating func removed(_ address: IPv6Address, _ outcome: Outcome) -> Change? {
        guard let entry = entries[address], entry.placement == .removing else { return nil }
        uncertain.remove(address)
        if entry.demands.isEmpty {
            entries[address] = nil
        } else {
            entries[address]?.placement = .waiting(after: .zero)
            additions.append(address)
        }
        if case .refused(let reason) = outcome { return .notRemoved(reason) }
        return nil
    }

    /// Forgets all addresses that none of these owners wants, and all requests that were not made yet: the node stops. Returns
    /// those that must be removed from `lo`, ascending: ours whose removal was not requested yet, and those being added.
    public mutating func removeAll(keeping owners: Set<Owner>) -> [IPv6Address] {
        var toRemove: [IPv6Address] = []
        for address in entries.keys.sorted() {
            guard let entry = entries[address], owners.isDisjoint(with: entry.demands.keys) else { continue }
            switch entry.placement {
            case .placed(isOurs: true), .placing, .leaving: toRemove.append(address)
            case .placed(isOurs: false), .waiting, .refused, .removing: break
            }
            entries[address] = nil
        }
        (additions, removals, refusals, uncertain) = ([], [], [:], [])
        version.changes += 1
        return toRemove
    }

    /// Handles the notification that an address was removed from `lo`. Returns a change if it was placed and is still wanted:
    /// then another program removed it.
    public mutating func removalNotified(_ address: IPv6Address) -> Change? {
        guard let entry = entries[address] else { return nil }
        switch entry.placement {
        case .placing, .leaving:
            uncertain.insert(address)
            return nil
        case .waiting, .refused, .removing: return nil
        case .placed: break
        }
        version.changes += 1
        guard !entry.demands.isEmpty else {
            entries[address] = nil
            return nil
        }
        entries[address]?.placement = .waiting(after: .zero)
        additions.append(address)
        return .removalNotified
    }
}
