import Addressing
import ShortestPath

/// The number of a group of prefixes, which is also the ID of its ``Destination``.
struct GroupNumber: SlotNumber {
    let rawValue: Int32
    var destinationID: DestinationID { DestinationID(rawValue: UInt32(rawValue)) }
}

/// The number of a prefix.
struct PrefixNumber: SlotNumber {
    let rawValue: Int32
}

/// The announcers of each prefix. Prefixes with the same candidates form a group, and a group is a ``Destination``.
/// Calculations and changes are made once per group, regardless of its number of prefixes.
///
/// What the last ``RouteTableUpdate`` said of each prefix and group, the reported state, is stored as well, so that the next
/// update contains only differences.
struct PrefixTable: Sendable {
    /// Prefixes with the same candidates.
    struct Group: Sendable {
        var list: CandidateList
        /// Numbers of prefixes, in no particular order.
        var members: [PrefixNumber] = []
        /// The number of prefixes whose last reported route refers to this group.
        var routeCount = 0
        /// The destination as last calculated and reported; `nil` if it was not calculated yet or there is no route.
        var destination: Destination?
        /// Whether it is in ``dirtyGroups``.
        var isDirty = false
    }

    /// Which groups must be calculated.
    enum Scope {
        /// All.
        case all
        /// The dirty groups, and those whose candidates depend on changed shortest paths.
        case changed(ShortestPaths, DistanceTable)
        /// If any prefix has changed, the dirty groups and those that depend on routes to forwarding addresses; else none.
        case new
    }

    /// A prefix.
    struct Entry: Sendable {
        var prefix: IPv6Prefix
        /// The group of the prefix, `none` without an announcer; and the prefix's position among the members.
        var group = GroupNumber.none
        var place: Int32 = 0
        /// The group to whose destination the last reported route refers; `none` if there is no route.
        var reportedGroup = GroupNumber.none
        /// Whether it is in ``dirtyEntries``.
        var isDirty = false
    }

    /// What a further LSA of the same announcer announces again.
    private struct Repeat: Hashable {
        var prefix: IPv6Prefix
        var candidate: Candidate
    }

    /// The limits; see ``RouterLimits``.
    private let maximumPrefixes: Int
    private let maximumCandidates: Int
    private let maximumAnnouncements: Int
    /// The number of prefixes with an announcer. The table also has prefixes without one, whose removal is still to be
    /// reported.
    private var announcedCount = 0
    /// The number of candidates of all prefixes together.
    private var candidateCount = 0
    /// The number of announcements in LSAs, including repeats and those refused because of a limit.
    private var announcementCount = 0
    /// The number of withdrawals since the first refusal; `nil` if nothing was refused.
    private var withdrawalsSinceRefusal: Int?

    /// All groups and prefixes. Numbers that are not in use have values without meaning.
    private(set) var groups = SlotMap<GroupNumber, Group>()
    private(set) var entries = SlotMap<PrefixNumber, Entry>()
    /// Groups to calculate: their candidates have changed, or they got a prefix and have no destination.
    private var dirtyGroups: [GroupNumber] = []
    /// Prefixes to compare with their reported state.
    private var dirtyEntries: [PrefixNumber] = []
    /// Groups that several routers or networks announce as intra-area prefixes.
    private(set) var sharedGroups: Set<GroupNumber> = []
    /// Groups that depend on routes to forwarding addresses.
    private(set) var forwardedGroups: Set<GroupNumber> = []
    /// The number of prefixes of each length.
    private(set) var lengthCounts = Array(repeating: 0, count: 129)

    /// The number of each prefix in ``entries``.
    private var numbers = PrefixMap<PrefixNumber>()
    /// The group with a list of candidates.
    private var groupNumbers: [CandidateList: GroupNumber] = [:]

    /// Copies the storage if another table shares it; see `Detach.swift` in `Addressing`.
    mutating func detach() {
        groups.detach()
        entries.detach()
        numbers.detach()
        groupNumbers.detach()
    }

    /// How many further LSAs of its announcer announce a candidate, as when a prefix moves between LSAs. The candidate is
    /// removed with the last of these announcements.
    private var repeats: [Repeat: Int] = [:]
    /// The last step from one group to another. Prefixes that are announced together mostly take the same step, which then
    /// needs no lookup of the list.
    private var lastTransition: (from: GroupNumber, candidate: Candidate, isAddition: Bool, to: GroupNumber)?

    init(limits: RouterLimits = RouterLimits()) {
        maximumPrefixes = limits.prefixes
        maximumCandidates = limits.announcersPerPrefix
        maximumAnnouncements = limits.announcements
    }

    /// Whether any prefix has changed since the last ``collectChanges(into:)``.
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

    /// Adds the announcement of `prefix` by one LSA. An announcement that exceeds a limit is refused: only counted.
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
        guard candidateCount < maximumAnnouncements else { return refuse() }
        candidateCount += 1
        let number = known ?? insert(prefix)
        move(number, to: step(from: group, candidate, isAddition: true, for: number))
    }

    /// Removes the announcement of `prefix` by one LSA.
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
            candidateCount -= 1
            move(number, to: step(from: entries[number].group, candidate, isAddition: false, for: number))
        }
    }

    /// Assigns a number to a prefix.
    private mutating func insert(_ prefix: IPv6Prefix) -> PrefixNumber {
        // A reused number has its old value.
        let number = entries.allocate(Entry(prefix: prefix))
        entries[number] = Entry(prefix: prefix)
        numbers[prefix] = number
        lengthCounts[prefix.length] += 1
        return number
    }

    /// The group whose candidates are those of `group` plus `candidate` or, if not `isAddition`, without `candidate`; `none` if
    /// no candidate is left. The caller moves the prefix `number` to that group.
    private mutating func step(
        from group: GroupNumber, _ candidate: Candidate, isAddition: Bool, for number: PrefixNumber
    ) -> GroupNumber {
        if let last = lastTransition, last.from == group, last.isAddition == isAddition, last.candidate == candidate {
            return last.to
        }
        if isUsed(group, onlyBy: number), let next = change(group, by: candidate, isAddition: isAddition) {
            return next
        }
        let old = group == .none ? CandidateList() : groups[group].list
        let list = isAddition ? old.adding(candidate) : old.removing(candidate)
        let next: GroupNumber
        if list.candidates.isEmpty {
            next = .none
        } else if let known = groupNumbers[list] {
            next = known
        } else {
            // A reused number has its old value, but no members, routes or destination.
            next = groups.allocate(Group(list: list))
            groups[next].list = list
            enter(next)
        }
        lastTransition = (group, candidate, isAddition, next)
        return next
    }

    /// Whether a prefix is the only member of its group, and no other prefix's reported route refers to the group.
    private func isUsed(_ group: GroupNumber, onlyBy number: PrefixNumber) -> Bool {
        guard group != .none, groups[group].members.count == 1 else { return false }
        return groups[group].routeCount == (entries[number].reportedGroup == group ? 1 : 0)
    }

    /// Changes the list of a group that has one member in place, because lists can be long and change often. If another group
    /// has the changed list already, the group stays as it is. Returns the group with the changed list; `nil` if the changed
    /// list would be empty.
    private mutating func change(_ group: GroupNumber, by candidate: Candidate, isAddition: Bool) -> GroupNumber? {
        guard isAddition || groups[group].list.candidates.count > 1 else { return nil }
        var list = CandidateList()
        swap(&list, &groups[group].list)
        // Removes the other reference to the list, so that changing it does not copy it.
        groupNumbers[list] = nil
        if isAddition { list.add(candidate) } else { list.remove(candidate) }
        let known = groupNumbers[list]
        if known == nil {
            markDirty(group: group)
            lastTransition = nil
        } else {
            // The member moves to the other group. This group gets its own list back, by which it is found when it is freed.
            if isAddition { list.remove(candidate) } else { list.add(candidate) }
        }
        swap(&list, &groups[group].list)
        enter(group)
        return known ?? group
    }

    /// Registers a group under its list.
    private mutating func enter(_ group: GroupNumber) {
        let list = groups[group].list
        groupNumbers[list] = group
        if list.isShared { sharedGroups.insert(group) } else { sharedGroups.remove(group) }
        if list.hasForwardingAddress { forwardedGroups.insert(group) } else { forwardedGroups.remove(group) }
    }

    /// Moves a prefix to another group, or to `none` if nobody announces it any more.
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

    /// Frees the number of a group that has no prefix and that no reported route refers to.
    private mutating func freeIfUnused(_ group: GroupNumber) {
        guard groups[group].members.isEmpty, groups[group].routeCount == 0 else { return }
        groupNumbers[groups[group].list] = nil
        sharedGroups.remove(group)
        forwardedGroups.remove(group)
        groups[group].list = CandidateList()
        groups[group].destination = nil
        groups.release(group)
        lastTransition = nil
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
    /// After this number of withdrawals, refused announcements are tried again. That takes a pass over all LSAs, so it must
    /// not follow every withdrawal.
    private static let withdrawalsBeforeRetry = 1024

    /// Whether any announcement was refused because of a limit.
    var hasRefused: Bool { withdrawalsSinceRefusal != nil }

    /// Whether there may be room for refused announcements now: many were withdrawn, or so few are left that all fit.
    var mayHaveRoom: Bool {
        guard let withdrawals = withdrawalsSinceRefusal else { return false }
        return withdrawals >= Self.withdrawalsBeforeRetry
            || announcementCount <= min(maximumPrefixes, maximumCandidates, maximumAnnouncements)
    }

    private mutating func refuse() { withdrawalsSinceRefusal = withdrawalsSinceRefusal ?? 0 }

    /// Removes all announcements. The caller then adds them again. The reported state is kept, so the next update has only what
    /// is different then.
    mutating func removeAllAnnouncements() {
        announcementCount = 0
        candidateCount = 0
        withdrawalsSinceRefusal = nil
        repeats = [:]
        for number in entries.numbers where entries[number].group != .none { move(number, to: .none) }
    }
}

// MARK: - Calculation and reports

extension PrefixTable {
    /// Returns the groups to calculate, in the order of their numbers, and clears the dirty groups. Some may have no members.
    mutating func drainGroups(_ scope: Scope) -> [GroupNumber] {
        let dirty = dirtyGroups
        for group in dirty { groups[group].isDirty = false }
        // Keeps the memory of usual changes, but not that of a burst.
        dirtyGroups.removeAll(keepingCapacity: dirtyGroups.count < 1024)
        switch scope {
        case .all: return Array(groups.numbers)
        case .new: return hasChanges ? forwardedGroups.union(dirty).sorted() : []
        case .changed(let paths, let distances):
            let dirtySet = Set(dirty)
            return groups.numbers.filter { group in
                dirtySet.contains(group) || groups[group].list.depends(onChangesIn: paths, distances)
            }
        }
    }

    /// Sets the calculated destination of a group; `nil` if there is no route.
    mutating func setDestination(of group: GroupNumber, to destination: Destination?) {
        let wasReachable = groups[group].destination != nil
        groups[group].destination = destination
        guard wasReachable != (destination != nil) else { return }
        for member in groups[group].members { markDirty(entry: member) }
    }

    /// Adds to `update` the differences between the routes and the reported state, and releases groups without routes.
    mutating func collectChanges(into update: inout RouteTableUpdate) {
        // Groups whose last route went away; a later entry may give one a route again.
        var withoutRoute: [GroupNumber] = []
        for number in dirtyEntries {
            let entry = entries[number]
            entries[number].isDirty = false
            let isReachable = entry.group != .none && groups[entry.group].destination != nil
            let group = isReachable ? entry.group : .none
            if group != entry.reportedGroup {
                entries[number].reportedGroup = group
                if group != .none { groups[group].routeCount += 1 }
                if entry.reportedGroup != .none {
                    groups[entry.reportedGroup].routeCount -= 1
                    if groups[entry.reportedGroup].routeCount == 0 { withoutRoute.append(entry.reportedGroup) }
                }
                update.routes.append((entry.prefix, group == .none ? nil : group.destinationID))
            }
            if entry.group == .none { removeEntry(number) }
        }
        dirtyEntries.removeAll(keepingCapacity: dirtyEntries.count < 1024)
        for group in withoutRoute.sorted() where groups[group].routeCount == 0 {
            update.released.append(group.destinationID)
            freeIfUnused(group)
        }
    }

    private mutating func removeEntry(_ number: PrefixNumber) {
        let prefix = entries[number].prefix
        numbers[prefix] = nil
        lengthCounts[prefix.length] -= 1
        entries.release(number)
    }
}
