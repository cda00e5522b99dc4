internal import Addressing
internal import OSPF

// A next hop that all of its groups drop, because its neighbor was lost: the kernel takes it out of all of them when its object is
// removed, in one request. Replacing the groups takes a request each.

extension FIB {
    /// The removal of next hops that all their groups drop, if each of these keeps a wanted member or has a backup for what it
    /// loses. To be made before all other changes. The model assumes that it is made.
    mutating func planDroppedHops() -> [FIBChange] {
        guard configuration.mode == .objects else { return [] }
        /// The groups that drop a next hop.
        var groupsOf: [NextHop: [NextHopID]] = [:]
        /// Next hops that carry traffic of a group that drops them. There is no hurry to remove others.
        var dropped: Set<NextHop> = []
        for destination in dirtyTargets {
            guard let target = targets[destination], let id = target.group, let group = groups[id], group.isPresent,
                group.members.count > 1 || group.backup != nil
            else { continue }
            let (members, backup) = wanted(target)
            guard !members.isEmpty else { continue }
            let leaving = group.members.filter { !members.contains($0) && $0 != backup }
            // New members take the places of those that go (``arranged(_:like:)``), which replacing the group does.
            guard group.backup != nil || members.allSatisfy(group.members.contains) else { continue }
            for hop in leaving { groupsOf[hop, default: []].append(id) }
            dropped.formUnion(leaving)
            if let old = group.backup, old != backup, !members.contains(old) { groupsOf[old, default: []].append(id) }
        }
        let candidates = dropped.filter { hops[$0]?.isPresent == true && hops[$0]?.uses == groupsOf[$0]?.count }
        guard !candidates.isEmpty else { return [] }
        var stillWanted: Set<NextHop> = []
        for destination in dirtyTargets { stillWanted.formUnion(targets[destination]?.hops ?? []) }
        var changes: [FIBChange] = []
        for hop in candidates.sorted() where !stillWanted.contains(hop) {
            // Another next hop may have been removed from these groups just now.
            guard groupsOf[hop]!.allSatisfy({ groups[$0]!.hops.count > 1 }) else { continue }
            changes.append(.removeNextHop(hops[hop]!.id))
            repairs += UInt64(groupsOf[hop]!.count { groups[$0]!.isRepaired { $0 == hop } })
            markHopsRemoved { $0 == hop }
        }
        return changes
    }
}
