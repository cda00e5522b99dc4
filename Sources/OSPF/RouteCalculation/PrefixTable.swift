import Addressing
import ShortestPath

/// The number of a group of prefixes, which is that of its ``Destination``.
struct GroupNumber: SlotNumber {
    let rawValue: Int32
    var destinationID: DestinationID { DestinationID(rawValue: UInt32(rawValue)) }
}

/// The number of a prefix.
struct PrefixNumber: SlotNumber {
    let rawValue: Int32
}

/// The announcers of each prefix. Prefixes with the same candidates form a group, and a group is a ``Destination``:
/// however many prefixes it has, there is one thing to calculate and one to change.
///
/// The state as last reported is kept beside it, so that an update contains only differences.
struct PrefixTable: Sendable {
    /// Prefixes with the same candidates. Its index is its ``DestinationID``.
    struct Group: Sendable {
        var list: CandidateList
        /// Numbers of prefixes, in no order that means anything.
        var members: [PrefixNumber] = []
        /// The number of prefixes reported as routed here.
        var routeCount = 0
        /// The destination as last calculated and reported; `nil` if unreachable.
        var destination: Destination?
        /// Whether it is among ``dirtyGroups``.
        var isDirty = false
    }

    /// Which groups a change concerns.
    enum Scope {
        /// All.
        case all
        /// Those with an announcer to whom the shortest paths have changed.
        case changed(ShortestPaths)
        /// Those that are new, and those that depend on other prefixes.
        case new
    }

    struct Entry: Sendable {
        var prefix: IPv6Prefix
        /// Its group, and its place among the members.
        var group = GroupNumber.none
        var place: Int32 = 0
        /// The group as last reported.
        var told = GroupNumber.none
        /// Whether it is among ``dirtyEntries``.
        var isDirty = false
    }

    private struct Repeat: Hashable {
        var prefix: IPv6Prefix
        var candidate: Candidate
    }

    /// The bounds; see ``RouterLimits``.
    private let maximumPrefixes: Int
    private let maximumCandidates: Int
    private let maximumAnnouncements: Int
    /// Prefixes with an announcer; others may only wait for their removal to be reported.
    private var announcedCount = 0
    /// How many announcements there are in the lists of all prefixes.
    private var retainedCount = 0
    /// How many announcements there are, those that were refused for a bound among them.
    private var announcementCount = 0
    /// The number of withdrawals since the first refusal; `nil` if nothing was refused.
    private var withdrawalsSinceRefusal: Int?

    private(set) var groups = SlotMap<GroupNumber, Group>()
    private(set) var entries = SlotMap<PrefixNumber, Entry>()
    /// Groups to calculate, and prefixes to compare with the last report.
    private var dirtyGroups: [GroupNumber] = []
    private var dirtyEntries: [PrefixNumber] = []
    /// Groups that several routers announce as their own.
    private(set) var sharedGroups: Set<GroupNumber> = []
    /// Groups that depend on routes to forwarding addresses.
    private(set) var forwardedGroups: Set<GroupNumber> = []
    /// How many prefixes there are of each length.
    private(set) var lengthCounts = Array(repeating: 0, count: 129)

    private var numbers = PrefixMap<PrefixNumber>()
    private var groupNumbers: [CandidateList: GroupNumber] = [:]

    /// Gives this table storage of its own.
    mutating func detach() {
        groups.detach()
        entries.detach()
        numbers.detach()
        groupNumbers.detach()
    }

    /// How often a candidate is announced beyond once: by several LSAs of one router, as when a prefix moves between them.
    private var repeats: [Repeat: Int] = [:]
    /// The last step from one group to another: prefixes that come together mostly take the same one.
    private var lastStep: (from: GroupNumber, candidate: Candidate, isAddition: Bool, to: GroupNumber)?

    init(limits: RouterLimits = RouterLimits()) {
        maximumPrefixes = limits.prefixes
        maximumCandidates = limits.announcersPerPrefix
        maximumAnnouncements = limits.announcements
    }

    /// Whether any prefix has changed since the last ``notify(_:)``.
    var hasChanges: Bool { !dirtyEntries.isEmpty }

    /// Whether nothing is announced and nothing reported.
    var isEmpty: Bool {
        numbers.isEmpty && groupNumbers.isEmpty && repeats.isEmpty && sharedGroups.isEmpty && forwardedGroups.isEmpty
    }

    /// The group of a prefix; `nil` if it has no announcer.
    func group(of prefix: IPv6Prefix) -> GroupNumber? {
        guard let number = numbers[prefix] else { return nil }
        let group = entries[number].group
        return group == .none ? nil : group
    }

    /// One more LSA announces `prefix`. What exceeds a bound is refused: it costs nothing but its size.
    mutating func add(_ candidate: Candidate, to prefix: IPv6Prefix) {
        announcementCount += 1
        let known = numbers[prefix]
        let group = known.map { entries[$0].group } ?? .none
        if group == .none {
            guard announcedCount < maximumPrefixes else { return refuse() }
        } else if groups[group].list.contains(candidate) {
            repeats[Repeat(prefix: prefix, candidate: candidate), default: 0] += 1
            return
        } else if groups[group].list.candidates.count >= maximumCandidates {
            return refuse()
        }
        guard retainedCount < maximumAnnouncements else { return refuse() }
        retainedCount += 1
        let number = known ?? insert(prefix)
        move(number, to: step(from: group, candidate, isAddition: true, for: number))
    }

    /// One LSA less announces `prefix`.
    mutating func remove(_ candidate: Candidate, from prefix: IPv6Prefix) {
        announcementCount -= 1
        if let count = withdrawalsSinceRefusal { withdrawalsSinceRefusal = count + 1 }
        guard let number = numbers[prefix], entries[number].group != .none,
            groups[entries[number].group].list.contains(candidate)
        else { return precondition(hasRefused, "nobody announced the prefix") }
        let key = Repeat(prefix: prefix, candidate: candidate)
        if !repeats.isEmpty, let count = repeats[key] {
            repeats[key] = count == 1 ? nil : count - 1
        } else {
            retainedCount -= 1
            move(number, to: step(from: entries[number].group, candidate, isAddition: false, for: number))
        }
    }

    /// Gives a prefix a number.
    private mutating func insert(_ prefix: IPv6Prefix) -> PrefixNumber {
        let number = entries.claim(Entry(prefix: prefix))
        entries[number] = Entry(prefix: prefix)
        numbers[prefix] = number
        lengthCounts[prefix.length] += 1
        return number
    }

    /// The group with one candidate more or less than `group`, of which `number` is a member.
    private mutating func step(
        from group: GroupNumber, _ candidate: Candidate, isAddition: Bool, for number: PrefixNumber
    ) -> GroupNumber {
        if let last = lastStep, last.from == group, last.isAddition == isAddition, last.candidate == candidate {
            return last.to
        }
        if isItsOwn(group, of: number), let next = change(group, by: candidate, isAddition: isAddition) { return next }
        let old = group == .none ? CandidateList() : groups[group].list
        let list = isAddition ? old.adding(candidate) : old.removing(candidate)
        let next: GroupNumber
        if list.candidates.isEmpty {
            next = .none
        } else if let known = groupNumbers[list] {
            next = known
        } else {
            next = groups.claim(Group(list: list))
            groups[next].list = list
            enter(next)
        }
        lastStep = (group, candidate, isAddition, next)
        return next
    }

    /// Whether a prefix is the only one of its group, and no other was reported.
    private func isItsOwn(_ group: GroupNumber, of number: PrefixNumber) -> Bool {
        guard group != .none, groups[group].members.count == 1 else { return false }
        return groups[group].routeCount == (entries[number].told == group ? 1 : 0)
    }

    /// Changes the list of a group in place, because lists can be long and change often. Returns the group that has the
    /// list now, which may be another one that had it before; `nil` if the list is empty.
    private mutating func change(_ group: GroupNumber, by candidate: Candidate, isAddition: Bool) -> GroupNumber? {
        guard isAddition || groups[group].list.candidates.count > 1 else { return nil }
        var list = CandidateList()
        swap(&list, &groups[group].list)
        // The only reference, so that the list is not copied.
        groupNumbers[list] = nil
        if isAddition { list.add(candidate) } else { list.remove(candidate) }
        let known = groupNumbers[list]
        if known == nil {
            markDirty(group: group)
            lastStep = nil
        } else {
            // The group loses its only member, and is looked up by its own list when it is freed.
            if isAddition { list.remove(candidate) } else { list.add(candidate) }
        }
        swap(&list, &groups[group].list)
        enter(group)
        return known ?? group
    }

    /// Makes a group known by its list.
    private mutating func enter(_ group: GroupNumber) {
        let list = groups[group].list
        groupNumbers[list] = group
        if list.isShared { sharedGroups.insert(group) } else { sharedGroups.remove(group) }
        if list.hasForwardingAddress { forwardedGroups.insert(group) } else { forwardedGroups.remove(group) }
    }

    private mutating func move(_ number: PrefixNumber, to group: GroupNumber) {
        markDirty(entry: number)
        let entry = entries[number]
        guard entry.group != group else { return }
        announcedCount += (group == .none ? 0 : 1) - (entry.group == .none ? 0 : 1)
        if entry.group != .none {
            let last = groups[entry.group].members.removeLast()
            if last != number {
                groups[entry.group].members[Int(entry.place)] = last
                entries[last].place = entry.place
            }
            freeIfUnused(entry.group)
        }
        entries[number].group = group
        if group != .none {
            entries[number].place = Int32(groups[group].members.count)
            groups[group].members.append(number)
            if groups[group].destination == nil { markDirty(group: group) }
        }
    }

    /// Frees the number of a group that has no prefix and was never reported.
    private mutating func freeIfUnused(_ group: GroupNumber) {
        guard groups[group].members.isEmpty, groups[group].routeCount == 0 else { return }
        groupNumbers[groups[group].list] = nil
        sharedGroups.remove(group)
        forwardedGroups.remove(group)
        groups[group].list = CandidateList()
        groups[group].destination = nil
        groups.release(group)
        lastStep = nil
    }

    private mutating func markDirty(group: GroupNumber) {
        guard !groups[group].isDirty else { return }
        groups[group].isDirty = true
        dirtyGroups.append(group)
    }

    private mutating func markDirty(entry: PrefixNumber) {
        guard !entries[entry].isDirty else { return }
        entries[entry].isDirty = true
        dirtyEntries.append(entry)
    }
}

// MARK: - Bounds

extension PrefixTable {
    /// After this number of withdrawals, refused announcements are tried again.
    private static let minimumForIncremental = 1024

    /// Whether something is missing for a bound.
    var hasRefused: Bool { withdrawalsSinceRefusal != nil }

    /// Whether refused announcements may have room now: many were withdrawn, or so few are left that all fit.
    var mayHaveRoom: Bool {
        guard let withdrawals = withdrawalsSinceRefusal else { return false }
        return withdrawals >= Self.minimumForIncremental
            || announcementCount <= min(maximumPrefixes, maximumCandidates, maximumAnnouncements)
    }

    private mutating func refuse() { withdrawalsSinceRefusal = withdrawalsSinceRefusal ?? 0 }

    /// Removes all announcements, which are then added again. The last report stays.
    mutating func restart() {
        announcementCount = 0
        retainedCount = 0
        withdrawalsSinceRefusal = nil
        repeats = [:]
        for number in entries.numbers where entries[number].group != .none { move(number, to: .none) }
    }
}

// MARK: - Computing and telling

extension PrefixTable {
    /// Takes the groups out that are to be computed, in the order of their numbers. New ones always are.
    mutating func drainGroups(_ scope: Scope) -> [GroupNumber] {
        let new = dirtyGroups
        for group in new { groups[group].isDirty = false }
        dirtyGroups.removeAll(keepingCapacity: dirtyGroups.count < 1024)
        switch scope {
        case .all: return Array(groups.numbers)
        case .new: return hasChanges ? forwardedGroups.union(new).sorted() : []
        case .changed(let paths):
            let isNew = Set(new)
            return groups.numbers.filter { group in
                isNew.contains(group) || groups[group].list.depends(onChangesIn: paths)
            }
        }
    }

    /// Sets where a group leads.
    mutating func setDestination(of group: GroupNumber, to destination: Destination?) {
        let wasReachable = groups[group].destination != nil
        groups[group].destination = destination
        guard wasReachable != (destination != nil) else { return }
        for member in groups[group].members { markDirty(entry: member) }
    }

    /// Collects the differences between the routes and the last report, and the groups without routes.
    mutating func collectChanges(into update: inout RouteTableUpdate) {
        var left: [GroupNumber] = []
        for number in dirtyEntries {
            let entry = entries[number]
            entries[number].isDirty = false
            let isReachable = entry.group != .none && groups[entry.group].destination != nil
            let group = isReachable ? entry.group : .none
            if group != entry.told {
                entries[number].told = group
                if group != .none { groups[group].routeCount += 1 }
                if entry.told != .none {
                    groups[entry.told].routeCount -= 1
                    if groups[entry.told].routeCount == 0 { left.append(entry.told) }
                }
                update.routes.append((entry.prefix, group == .none ? nil : group.destinationID))
            }
            if entry.group == .none { removeLSA(number) }
        }
        dirtyEntries.removeAll(keepingCapacity: dirtyEntries.count < 1024)
        for group in left.sorted() where groups[group].routeCount == 0 {
            update.released.append(group.destinationID)
            freeIfUnused(group)
        }
    }

    private mutating func removeLSA(_ number: PrefixNumber) {
        let prefix = entries[number].prefix
        numbers[prefix] = nil
        lengthCounts[prefix.length] -= 1
        entries.release(number)
    }
}
