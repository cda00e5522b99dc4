internal import Addressing
internal import OSPF

/// The planned changes, in the order in which they must be made: objects before what points to them, removals last, except
/// those that leave groups in a better state than before.
private struct Plan {
    /// Next hops that leave all their groups at once.
    var losses: [FIBChange] = []
    var hops: [FIBChange] = []
    var groups: [FIBChange] = []
    var routes: [FIBChange] = []
    var removals: [FIBChange] = []
    /// Destinations whose routes must all be examined: some may have waited for a group, or in ``FIB/Mode/multipath`` the
    /// group has changed.
    var renewed: Set<DestinationID> = []

    var changes: [FIBChange] { losses + hops + groups + routes + removals }
}

extension FIB {
    /// Whether ``changes(limit:)`` would have something to examine.
    public var isDirty: Bool {
        !dirtyTargets.isEmpty || !routes.dirty.isEmpty || !unusedGroups.isEmpty || !unusedHops.isEmpty
            || !surplusHops.isEmpty && !keepsStaleRoutes || !dirtyServiceRoutes.isEmpty
    }

    /// The changes that bring the kernel to the wanted state, in order. From now on the model assumes that they were
    /// made. At most `limit` routes are examined, so that a large update is done in slices; ``isDirty`` is whether there is
    /// more.
    public mutating func changes(limit: Int = .max) -> [FIBChange] {
        guard isDirty else { return [] }
        var plan = Plan()
        claimGroups()
        plan.losses = planDroppedHops()
        for id in dirtyTargets.sorted() { planGroup(of: id, &plan) }
        dirtyTargets.removeAll()
        revisitRoutes(of: plan.renewed)
        dropRoutesWithTheirGroup()
        for position in routes.drainDirty(limit) { planRoute(position, &plan) }
        let services = planServiceRoutes()
        plan.routes += services.routes
        plan.removals += services.removals
        planRemovals(&plan)
        return plan.changes
    }

    /// Those of a destination's next hops that the kernel accepts, according to the model.
    func usable(_ nextHops: [NextHop]) -> [NextHop] {
        if lostLinks.isEmpty, refusedHops.isEmpty { return nextHops }
        return nextHops.filter { !lostLinks.contains($0.interface) && refusedHops[$0] == nil }
    }

    // MARK: Groups

    /// Destinations without a group claim one that prefixes of theirs point to in the kernel: of an earlier run, or of a
    /// released destination. A group with the wanted members comes first, then the one with the most of these prefixes.
    private mutating func claimGroups() {
        struct Claim: Hashable {
            var destination: DestinationID
            var group: NextHopID
        }
        let claimants = dirtyTargets.filter { targets[$0]?.group == nil }
        guard !claimants.isEmpty, groups.values.contains(where: { $0.owner == nil && $0.isPresent }) else { return }
        // How many of the routes to examine want the destination and point to the group now.
        var votes: [Claim: Int] = [:]
        for position in routes.dirty {
            let record = routes[position]
            guard let wanted = record.wanted, claimants.contains(wanted), case .group(let id) = record.installed,
                let group = groups[id], group.owner == nil, group.isPresent,
                group.isResilient || !targets[wanted].map(wantsResilientGroup)!
            else { continue }
            votes[Claim(destination: wanted, group: id), default: 0] += 1
        }
        let ranked = votes.map { claim, count in
            let wanted = targets[claim.destination].map(wanted)
            let isEqual = groups[claim.group].map { Self.areSame($0.members, wanted?.members ?? []) } ?? false
            return (claim: claim, rank: isEqual ? Int.max : count)
        }.sorted {
            if $0.rank != $1.rank { return $0.rank > $1.rank }
            if $0.claim.destination != $1.claim.destination { return $0.claim.destination < $1.claim.destination }
            return $0.claim.group < $1.claim.group
        }
        for (claim, _) in ranked {
            guard targets[claim.destination]?.group == nil, groups[claim.group]?.owner == nil else { continue }
            targets[claim.destination]?.group = claim.group
            groups[claim.group]?.owner = claim.destination
        }
    }

    /// Assigns a group with the wanted members to a destination.
    private mutating func planGroup(of destination: DestinationID, _ plan: inout Plan) {
        guard let target = targets[destination], refusedDestinations[destination] == nil else { return }
        var (members, backup) = wanted(target)
        // Without a usable next hop, there is nothing to plan until the next hops or a link change, or refused next hops are
        // tried again.
        guard !members.isEmpty else { return }
        let isDisowned = disownPlainGroup(of: destination)
        guard let id = targets[destination]?.group ?? pool.allocate() else { return runOutOfIDs(destination) }
        var group = groups[id] ?? Group(owner: destination, isPresent: false, members: [])
        if configuration.mode == .objects { members = Self.arranged(members, like: group.members) }
        targets[destination]?.group = id
        if target.hasWaitingRoutes || isDisowned { plan.renewed.insert(destination) }
        guard !group.isPresent || group.members != members || group.backup != backup else { return }
        groups[id] = group
        let wantedHops = members + (backup.map { [$0] } ?? [])
        guard let ids = presentHops(wantedHops, &plan) else { return runOutOfIDs(destination) }
        for hop in wantedHops { hops[hop]?.uses += 1 }
        for hop in group.hops { release(hop) }
        if !group.isPresent { group.isResilient = wantsResilientGroup(target) }
        if configuration.mode == .objects {
            let content = NextHopGroup(
                Array(ids.prefix(members.count)), backup: backup.map { _ in ids.last! }, isResilient: group.isResilient)
            // Flows of a resilient group stay with a member as long as it is in the group. So one that becomes the backup must
            // leave it first. One that is the backup already, too: if the carrier of the member is lost, the kernel gives it all
            // flows before the model learns of that.
            if group.isPresent, group.isResilient, backup != nil {
                plan.groups.append(.replaceGroup(id, NextHopGroup(content.members, isResilient: true)))
            }
            plan.groups.append(group.isPresent ? .replaceGroup(id, content) : .addGroup(id, content))
        }
        if configuration.mode == .multipath { plan.renewed.insert(destination) }
        group.isPresent = true
        group.members = members
        group.backup = backup
        groups[id] = group
    }

    /// The IDs of next hops, which are created if necessary; `nil` if no ID is free.
    private mutating func presentHops(_ members: [NextHop], _ plan: inout Plan) -> [NextHopID]? {
        var ids: [NextHopID] = []
        ids.reserveCapacity(members.count)
        for member in members {
            guard let hop = hops[member] ?? pool.allocate().map({ Hop(id: $0, isPresent: false) }) else { return nil }
            if !hop.isPresent, configuration.mode == .objects { plan.hops.append(.addNextHop(hop.id, member)) }
            hops[member] = Hop(id: hop.id, isPresent: true, uses: hop.uses)
            // The next hop stays unused if no ID is free for a later member.
            if hop.uses == 0 { unusedHops.insert(member) }
            ids.append(hop.id)
        }
        return ids
    }

    private mutating func runOutOfIDs(_ destination: DestinationID) {
        let range = configuration.nextHopIDs
        refusedDestinations[destination] = FIBFailure(
            .limit, message: "no next-hop ID is free between \(range.lowerBound) and \(range.upperBound)")
    }

    // MARK: Routes

    /// Marks all routes of these destinations to be examined.
    private mutating func revisitRoutes(of destinations: Set<DestinationID>) {
        guard !destinations.isEmpty else { return }
        for position in routes.positions where routes.contains(position) {
            // Without objects, the route still has the old next hops of the group.
            if configuration.mode == .multipath, case .group(let id) = routes[position].installed,
                let owner = groups[id]?.owner, destinations.contains(owner)
            {
                setInstalled(position, .other)
            }
            guard let wanted = routes[position].wanted, destinations.contains(wanted) else { continue }
            forgetFailure(position)
            routes.markDirty(position)
        }
        for id in destinations { targets[id]?.hasWaitingRoutes = false }
    }

    /// If all routes that point to a group without owner are to be removed, it is enough to remove the group: the
    /// kernel removes the routes with it.
    private mutating func dropRoutesWithTheirGroup() {
        guard configuration.mode == .objects, unusedGroups.contains(where: { groups[$0]?.owner == nil }) else { return }
        var leaving: [NextHopID: [Int32]] = [:]
        for position in routes.dirty {
            let record = routes[position]
            guard record.wanted == nil, !record.isStale, case .group(let id) = record.installed,
                groups[id]?.owner == nil
            else { continue }
            leaving[id, default: []].append(position)
        }
        for (id, positions) in leaving where groups[id]?.routes == positions.count {
            for position in positions { setInstalled(position, .nothing) }
        }
    }

    /// Plans the change of one route, if any: creates, replaces or removes it. It may have to wait for a group.
    private mutating func planRoute(_ position: Int32, _ plan: inout Plan) {
        let record = routes[position]
        guard let wanted = record.wanted else {
            if record.installed != .nothing {
                // A stale route is kept until `sweep`.
                guard !record.isStale else { return }
                plan.removals.append(.removeRoute(record.prefix))
                setInstalled(position, .nothing)
            }
            forgetFailure(position)
            routes.remove(position)
            return
        }
        guard let id = targets[wanted]?.group, let group = groups[id], group.isPresent, !group.members.isEmpty else {
            targets[wanted]?.hasWaitingRoutes = true
            return
        }
        guard !record.hasFailed, record.installed != .group(id) else { return }
        let target = configuration.mode == .objects ? RouteTarget.group(id) : .nextHops(group.members)
        if configuration.mode == .multipath, case .group(let other) = record.installed,
            groups[other]?.members == group.members
        {
            // Two destinations have the same next hops: the route in the kernel is the same.
            return setInstalled(position, .group(id))
        }
        if record.installed.isRoute {
            plan.routes.append(.replaceRoute(record.prefix, target))
        } else if installedRoutes < configuration.maximumRoutes {
            plan.routes.append(.addRoute(record.prefix, target))
        } else {
            noteFailure(
                position, FIBFailure(.limit, message: "the limit of \(configuration.maximumRoutes) routes is reached"))
            return
        }
        setInstalled(position, .group(id))
    }

    // MARK: Removals

    private mutating func planRemovals(_ plan: inout Plan) {
        for id in unusedGroups.sorted() {
            guard let group = groups[id], group.owner == nil, group.routes == 0 else { continue }
            if group.isPresent, configuration.mode == .objects { plan.removals.append(.removeGroup(id)) }
            for hop in group.hops { release(hop) }
            groups[id] = nil
            pool.release(id)
        }
        unusedGroups.removeAll()
        for nextHop in unusedHops.sorted() {
            guard let hop = hops[nextHop], hop.uses == 0 else { continue }
            if hop.isPresent, configuration.mode == .objects { plan.removals.append(.removeNextHop(hop.id)) }
            hops[nextHop] = nil
            pool.release(hop.id)
        }
        unusedHops.removeAll()
        guard !keepsStaleRoutes else { return }
        for id in surplusHops.sorted() {
            plan.removals.append(.removeNextHop(id))
            pool.release(id)
        }
        surplusHops.removeAll()
        foreignReplacedHops.removeAll()
    }

    /// Decrements the number of groups that have a next hop as a member.
    mutating func release(_ hop: NextHop) {
        guard hops[hop] != nil else { return }
        hops[hop]!.uses -= 1
        if hops[hop]!.uses == 0 { unusedHops.insert(hop) }
    }
}
