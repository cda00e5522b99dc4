public import Addressing
internal import OSPF

// Changes that the kernel makes by itself, changes by other programs, and refusals.

extension FIB {
    /// A link went down, lost its carrier or was removed. The kernel then deletes the link's next-hop objects, removes them
    /// from their groups, and deletes groups that become empty with all routes that point to them. It notifies no removal of
    /// objects and groups. If `isGone`, the link was removed: nothing about it is remembered, because its index may be reused
    /// for another link. Otherwise the link is not used until ``linkUsable(_:)``.
    @discardableResult
    public mutating func linkLost(_ interface: UInt32, isGone: Bool = false) -> LinkLoss {
        if isGone { lostLinks.remove(interface) } else { lostLinks.insert(interface) }
        if interface == Self.loopback { loseServiceRoutes() }
        if hops.contains(where: { $0.key.interface == interface && $0.value.isPresent }) { needsVerification = true }
        let repaired = groups.values.count { $0.isRepaired { $0.interface == interface } }
        let emptied = groups.values.contains { group in
            group.isPresent && group.hops.allSatisfy { $0.interface == interface }
        }
        repairs += UInt64(repaired)
        markHopsRemoved { $0.interface == interface }
        if isGone { refusedHops = refusedHops.filter { $0.key.interface != interface } }
        return emptied ? .incomplete : repaired > 0 ? .repaired : .unaffected
    }

    /// What the loss of a link means for the groups.
    public enum LinkLoss: Hashable, Sendable {
        /// All groups have other members.
        case unaffected
        /// Some groups have lost all members and have their backup, and none lost both.
        case repaired
        /// Some groups are empty.
        case incomplete
    }

    /// A link is up and has carrier. Repeated calls are harmless.
    public mutating func linkUsable(_ interface: UInt32) {
        let wasLost = lostLinks.remove(interface) != nil
        if wasLost, interface == Self.loopback { retryServiceRoutes() }
        let stuck = refusedHops.keys.filter { $0.interface == interface }
        guard wasLost || !stuck.isEmpty else { return }
        for hop in stuck { refusedHops[hop] = nil }
        for (id, target) in targets where target.hops.contains(where: { $0.interface == interface }) {
            refusedDestinations[id] = nil
            dirtyTargets.insert(id)
        }
    }

    /// Another program removed or replaced a route that may have been ours. Returns whether it was, according to the model.
    @discardableResult
    public mutating func routeDeleted(_ prefix: IPv6Prefix) -> Bool {
        guard let position = routes.position(of: prefix), routes[position].installed.isRoute else { return false }
        setInstalled(position, .unknown)
        routes.markDirty(position)
        return true
    }

    /// A route of another program was removed. If our route to the prefix was refused because a route existed, ours is tried
    /// again.
    public mutating func foreignRouteRemoved(_ prefix: IPv6Prefix) {
        guard failures[prefix]?.reason == .exists, let position = routes.position(of: prefix) else { return }
        forgetFailure(position)
        routes.markDirty(position)
    }

    /// The preferred source or another attribute of all routes has changed: all routes must be written again.
    public mutating func rewriteRoutes() {
        for position in routes.positions where routes.contains(position) && routes[position].installed.isRoute {
            setInstalled(position, .other)
            routes.markDirty(position)
        }
        rewriteServiceRoutes()
    }

    /// The kernel refused a change. If the kernel seems to differ from the model, the model is corrected or ``requiredRead``
    /// requests a read. What was refused for another reason waits for ``retry()`` or for a change of what it depends on.
    public mutating func failed(_ change: FIBChange, _ failure: FIBFailure) {
        switch change {
        case .addNextHop(_, let hop):
            markHopsRemoved { $0 == hop }
            if failure.reason == .exists { return requireRead(.nextHops) }
            refusedHops[hop] = failure
        case .addGroup(let id, let group):
            let owner = groups[id]?.owner
            markGroupsRemoved([id])
            failedGroup(of: owner, group.objects, failure, isMismatch: failure.reason == .exists)
        case .replaceGroup(let id, let group):
            failedGroup(of: groups[id]?.owner, group.objects, failure, isMismatch: failure.reason == .missing)
        case .addRoute(let prefix, _):
            failedRoute(prefix, failure, leaves: .nothing)
        case .replaceRoute(let prefix, _) where failure.reason == .missing:
            guard let position = routes.position(of: prefix) else { return }
            setInstalled(position, .nothing)
            routes.markDirty(position)
        case .replaceRoute(let prefix, _):
            failedRoute(prefix, failure, leaves: .other)
        case .addServiceRoute(let prefix): failedServiceRoute(prefix, failure, leaves: .nothing)
        case .replaceServiceRoute(let prefix): failedServiceRoute(prefix, failure, leaves: .other)
        case .removeRoute, .removeServiceRoute, .removeGroup, .removeNextHop:
            if failure.reason != .missing { requireRead(.everything) }
        }
    }

    /// Lets ``changes(limit:)`` plan again what was refused or exceeded a limit.
    public mutating func retry() {
        for (id, target) in targets where target.hops.contains(where: { refusedHops[$0] != nil }) {
            dirtyTargets.insert(id)
        }
        dirtyTargets.formUnion(refusedDestinations.keys)
        refusedHops = [:]
        refusedDestinations = [:]
        for prefix in failures.keys.sorted() {
            guard let position = routes.position(of: prefix) else { continue }
            routes[position].hasFailed = false
            routes.markDirty(position)
        }
        failures = [:]
        if hasRefusedServiceRoutes { retryServiceRoutes() }
    }

    /// Handles a group that could not be added or replaced. If `isMismatch`, it exists or is missing, unlike in the model: a
    /// read corrects that, and the group does not count as refused.
    private mutating func failedGroup(
        of owner: DestinationID?, _ members: [NextHopID], _ failure: FIBFailure, isMismatch: Bool
    ) {
        requireRead(.nextHops)
        guard let owner else { return }
        dirtyTargets.insert(owner)
        // A member that could not be created explains the failure. Without that member the group can be created.
        let present = Set(hops.values.lazy.filter(\.isPresent).map(\.id))
        if !isMismatch, members.allSatisfy(present.contains) { refusedDestinations[owner] = failure }
    }

    /// Handles a refused route. `installed` is what the kernel has for the prefix now.
    private mutating func failedRoute(
        _ prefix: IPv6Prefix, _ failure: FIBFailure, leaves installed: RouteRecord.Installed
    ) {
        switch failure.reason {
        case .exists: requireRead(.everything)
        // Usually because the group does not exist any more.
        case .invalid where configuration.mode == .objects: requireRead(.nextHops)
        default: break
        }
        guard let position = routes.position(of: prefix) else { return }
        setInstalled(position, installed)
        // If the reason was a missing group, creating the group again clears the failure.
        noteFailure(position, failure)
        routes.markDirty(position)
    }

    /// Something happened that the model cannot follow: ``requiredRead`` requests a read of at least `extent`.
    public mutating func requireRead(_ extent: ReadExtent) { requiredRead = max(requiredRead, extent) }

    // MARK: Consequences

    /// Marks next hops as removed in the model, and what the kernel removes with them.
    mutating func markHopsRemoved(_ isRemoved: (NextHop) -> Bool) {
        for (nextHop, hop) in hops where hop.isPresent && isRemoved(nextHop) {
            hops[nextHop]!.isPresent = false
            unusedHops.insert(nextHop)
        }
        var emptied: Set<NextHopID> = []
        var changed: Set<NextHopID> = []
        for (id, group) in groups where group.isPresent && group.hops.contains(where: isRemoved) {
            for hop in group.hops where isRemoved(hop) { release(hop) }
            var kept = group
            kept.members.removeAll(where: isRemoved)
            if let backup = kept.backup, isRemoved(backup) { kept.backup = nil }
            kept.useBackupIfEmpty()
            groups[id] = kept
            if let owner = group.owner { dirtyTargets.insert(owner) }
            if kept.members.isEmpty { emptied.insert(id) }
            changed.insert(id)
        }
        switch configuration.mode {
        case .objects: markGroupsRemoved(emptied)
        // Routes with their own next hops may be removed, or have dead next hops, until they are rewritten.
        case .multipath: setInstalled(.other, whereGroupIsIn: changed)
        }
    }

    /// Marks groups, and the routes that point to them, as removed in the model.
    mutating func markGroupsRemoved(_ ids: Set<NextHopID>) {
        guard !ids.isEmpty else { return }
        for id in ids {
            guard let group = groups[id] else { continue }
            for hop in group.hops { release(hop) }
            groups[id]!.isPresent = false
            groups[id]!.members = []
            groups[id]!.backup = nil
            if let owner = group.owner {
                targets[owner]?.hasWaitingRoutes = true
                dirtyTargets.insert(owner)
            }
            unusedGroups.insert(id)
        }
        setInstalled(.nothing, whereGroupIsIn: ids)
    }

    /// Sets the state of all routes that point to one of these groups.
    private mutating func setInstalled(_ installed: RouteRecord.Installed, whereGroupIsIn ids: Set<NextHopID>) {
        guard !ids.isEmpty else { return }
        for position in routes.positions where routes.contains(position) {
            guard case .group(let id) = routes[position].installed, ids.contains(id) else { continue }
            setInstalled(position, installed)
            routes.markDirty(position)
        }
    }
}
