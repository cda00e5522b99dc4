import Addressing
import OSPFPacket
internal import Timing

/// The node's prefixes of one family: which are announced now, and in which LSA.
///
/// Routers ignore an instance of an LSA that arrives less than MinLSArrival after the one before. So new prefixes are added to
/// an LSA that has not changed for as long (``OriginationThrottle/calm``), or to a new one, and go from one LSA to the next while
/// many are added. When nothing has changed for a while, small LSAs are merged.
///
/// * A prefix that is withdrawn or gets worse (a larger metric, other options) changes at once.
/// * New and better ones are gathered: at most every ``gathering`` some are announced.
/// * A prefix that changes again and again is announced again as an LSA would be originated again: after a delay that doubles.
struct PrefixOrigination: Sendable {
    /// The time between announcements of new prefixes. A prefix that is new does not wait longer.
    static let gathering = Duration.milliseconds(100)
    /// The time without a change after which LSAs are merged.
    static let mergeDelay = Duration.seconds(3)
    /// How long the prefixes of an LSA that is merged into others are in both: twice the usual RxmtInterval, so that every
    /// router has the others by then.
    static let overlap = Duration.seconds(10)
    /// The average time between LSAs that are originated for merging.
    private static let mergePace = Duration.milliseconds(100)
    /// How long a link state ID is not used again after its LSA was flushed: routers may have received the flush late, and would
    /// ignore an instance that follows too soon on it.
    private static let rest = Duration.seconds(10)
    /// How long a flap is remembered, twice the longest delay, and the maximum number of prefixes whose flaps are.
    private static let memory = Duration.seconds(10)
    private static let maximumFlaps = 65_536

    /// The prefixes to announce.
    var wanted: [IPv6Prefix: LSAPrefix] = [:] {
        didSet { isCurrent = false }
    }
    /// What is announced, by LSA.
    var fragments: StableFragments<IPv6Prefix, LSAPrefix>
    /// When to call ``advance(at:own:)`` next, if ``wanted`` does not change.
    private(set) var deadline: Instant?

    /// Whether ``fragments`` and ``waiting`` take account of ``wanted``.
    private var isCurrent = true
    /// The prefixes that are to be announced, or to be announced better.
    private var waiting: Set<IPv6Prefix> = []
    /// The earliest moment to add or improve prefixes.
    private var nextAddition = Instant.zero
    /// How often prefixes were withdrawn or became worse lately.
    private var flaps: [IPv6Prefix: OriginationThrottle] = [:]
    /// When to remove old entries of ``flaps``.
    private var nextForgetting = Instant.zero
    /// The LSAs whose prefixes are in others, too, and until when, in order.
    private var overlaps: [(fragment: Int, end: Instant)] = []
    /// When each LSA that has no prefixes any more lost them.
    private var emptied: [Int: Instant] = [:]
    /// When to merge LSAs, unless something changes before.
    private var nextMerge: Instant?

    /// `capacity`: the octets for prefixes in an LSA; `size`: those of a prefix.
    init(capacity: Int, size: @escaping @Sendable (LSAPrefix) -> Int) {
        fragments = StableFragments(capacity: capacity, size: size)
    }

    /// Whether prefixes wait to be announced, or to be announced better.
    var isWaiting: Bool { !waiting.isEmpty }

    /// Changes ``fragments`` as far as is due. `own` returns the LSA with a fragment number, if there is one.
    mutating func advance(at now: Instant, own: (Int) -> Origination.OwnLSA?) {
        let resting = emptied.filter { now - $0.value < Self.rest }
        func isOpen(_ fragment: Int) -> Bool {
            guard let lsa = own(fragment) else { return resting[fragment] == nil }
            return lsa.body != nil && lsa.throttle.calmMoment <= now
        }
        withdraw(at: now)
        if nextAddition <= now { add(at: now, own: own, isOpen: isOpen) }
        if !fragments.changed.isEmpty { nextMerge = fragments.usedCount > 1 ? now + Self.mergeDelay : nil }
        while let first = overlaps.first, first.end <= now {
            fragments.close(first.fragment)
            overlaps.removeFirst()
        }
        if let moment = nextMerge, moment <= now { merge(at: now, isOpen: isOpen) }
        emptied = resting
        for fragment in fragments.changed where fragments.isEmpty(fragment) { emptied[fragment] = now }
        let addition = waiting.map { earliestAddition(of: $0, own: own) }.min()
        deadline = [addition.map { max($0, nextAddition) }, overlaps.first?.end, nextMerge]
            .compactMap(\.self).min()
    }

    /// Withdraws prefixes that are not wanted any more, and updates those that get worse. Others are to wait.
    private mutating func withdraw(at now: Instant) {
        guard !isCurrent else { return }
        isCurrent = true
        for prefix in fragments.places.keys where wanted[prefix] == nil {
            fragments.remove(prefix)
            noteFlap(of: prefix, at: now)
        }
        waiting = []
        for (prefix, element) in wanted {
            guard let announced = fragments[prefix] else {
                waiting.insert(prefix)
                continue
            }
            guard element != announced else { continue }
            if element.options == announced.options, element.metric < announced.metric {
                waiting.insert(prefix)
            } else {
                fragments.set(prefix, element)
                noteFlap(of: prefix, at: now)
            }
        }
    }

    private mutating func noteFlap(of prefix: IPv6Prefix, at now: Instant) {
        if nextForgetting <= now {
            flaps = flaps.filter { !$0.value.isOver(at: now) }
            nextForgetting = now + Self.memory
        }
        guard flaps[prefix] != nil || flaps.count < Self.maximumFlaps else { return }
        flaps[prefix, default: OriginationThrottle(.doubling)].originated(at: now)
    }

    /// The earliest moment to announce a waiting prefix.
    private func earliestAddition(of prefix: IPv6Prefix, own: (Int) -> Origination.OwnLSA?) -> Instant {
        let earliest = flaps[prefix]?.earliest ?? .zero
        // A better prefix stays in its LSA. If that changes anyway, so does the prefix.
        guard let fragment = fragments.places[prefix], !fragments.changed.contains(fragment) else { return earliest }
        return max(earliest, own(fragment)?.throttle.earliestImprovement ?? .zero)
    }

    private mutating func add(at now: Instant, own: (Int) -> Origination.OwnLSA?, isOpen: (Int) -> Bool) {
        let due = waiting.filter { earliestAddition(of: $0, own: own) <= now }.sorted()
        guard !due.isEmpty else { return }
        waiting.subtract(due)
        nextAddition = now + Self.gathering
        var batch: [(key: IPv6Prefix, element: LSAPrefix)] = []
        for prefix in due {
            if fragments.places[prefix] != nil {
                fragments.set(prefix, wanted[prefix]!)
            } else {
                batch.append((prefix, wanted[prefix]!))
            }
        }
        fragments.add(batch, isOpen: isOpen)
    }

    private mutating func merge(at now: Instant, isOpen: (Int) -> Bool) {
        switch fragments.merge(isOpen: isOpen) {
        case .unnecessary: nextMerge = nil
        case .notNow: nextMerge = now + Self.mergePace
        case .closing(let fragment, let targets):
            overlaps.append((fragment, now + Self.overlap))
            nextMerge = now + Self.mergePace * (targets + 1)
        }
    }
}
