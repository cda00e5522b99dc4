internal import Addressing
internal import OSPF

// Which group a destination wants: its members, its backup, and whether it is resilient.

extension FIB.Target {
    /// The next hops and the backup.
    var hops: [NextHop] { backup.map { nextHops + [$0] } ?? nextHops }
}

extension FIB.Group {
    /// Without a member, the backup is what is left of the group.
    mutating func useBackupIfEmpty() {
        guard members.isEmpty, let backup else { return }
        members = [backup]
        self.backup = nil
    }

    /// Whether the backup takes over when some next hops go.
    func isRepaired(without isRemoved: (NextHop) -> Bool) -> Bool {
        guard isPresent, let backup, !isRemoved(backup) else { return false }
        return members.allSatisfy(isRemoved)
    }
}

extension FIB {
    /// The members and the backup of a destination's group, as far as the kernel accepts them, according to the model. Only a
    /// single member has a backup. If the member is lost, the backup is the member: what the kernel made of the group by
    /// itself then stays.
    func wanted(_ target: Target) -> (members: [NextHop], backup: NextHop?) {
        let members = usable(target.nextHops)
        guard members.count <= 1, target.nextHops.count == 1, configuration.mode == .objects, configuration.hasBackups,
            let backup = target.backup, !usable([backup]).isEmpty
        else { return (members, nil) }
        return members.isEmpty ? ([backup], nil) : (members, backup)
    }

    /// Whether a group made for a destination is resilient. A group that was made for an anycast destination stays resilient
    /// whoever has it later.
    func wantsResilientGroup(_ target: Target) -> Bool {
        target.isAnycast && configuration.mode == .objects && configuration.hasResilientGroups
    }

    /// Takes the group from a destination that has become anycast, unless the group is resilient: the kernel does not change the
    /// kind of a group. Returns whether that was necessary. Its routes then move to a new group.
    mutating func disownPlainGroup(of destination: DestinationID) -> Bool {
        guard let target = targets[destination], wantsResilientGroup(target), let id = target.group,
            let group = groups[id], group.isPresent, !group.isResilient
        else { return false }
        groups[id]!.owner = nil
        unusedGroups.insert(id)
        targets[destination]!.group = nil
        return true
    }
}
