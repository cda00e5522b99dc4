internal import Addressing
internal import OSPF
internal import Timing

// Adoption of what an earlier run left in the kernel, and updates of the model with the result of a read.

extension FIB {
    /// Adopts the routes of an earlier run. Those that the router has neither wanted nor rejected are kept until ``sweep()``.
    public mutating func adopt(_ kernel: KernelRoutes) {
        keepsStaleRoutes = true
        reconcile(kernel)
    }

    /// Ends the adoption; called after initial database synchronization. From now on ``changes(limit:)`` removes routes and
    /// next-hop objects of the earlier run that the router does not want.
    public mutating func sweep() {
        keepsStaleRoutes = false
        for position in routes.positions where routes.contains(position) && routes[position].isStale {
            routes[position].isStale = false
            routes.markDirty(position)
        }
        for (id, group) in groups where group.owner == nil { unusedGroups.insert(id) }
        sweepServiceRoutes()
    }

    /// Updates the model with the result of reading the kernel.
    public mutating func reconcile(_ kernel: KernelRoutes) {
        requiredRead = .nothing
        needsVerification = false
        if configuration.mode == .objects {
            removeReplacedObjects(kernel)
            reconcileHops(kernel.nextHops)
            reconcileGroups(kernel)
        }
        if let routes = kernel.routes {
            reconcileRoutes(routes)
            reconcileServiceRoutes(kernel.serviceRoutes)
        }
    }

    /// Removes objects from the model under whose ID the kernel has another object, and reserves the IDs of others.
    private mutating func removeReplacedObjects(_ kernel: KernelRoutes) {
        for id in kernel.foreignIDs { pool.reserve(id) }
        /// Whether the kernel has another object under an ID than the model: this next hop, or a group if `nil`.
        func isSomethingElse(_ id: NextHopID, than nextHop: NextHop?) -> Bool {
            if kernel.foreignIDs.contains(id) { return true }
            if nextHop != nil, kernel.groups[id] != nil { return true }
            return kernel.nextHops[id].map { $0 != nextHop } ?? false
        }
        foreignReplacedHops.formIntersection(kernel.foreignIDs)
        for (nextHop, hop) in hops.sorted(by: { $0.key < $1.key }) where isSomethingElse(hop.id, than: nextHop) {
            // An object of ours that another program changed is removed later, as one of `surplusHops`.
            if hop.isPresent, kernel.foreignIDs.contains(hop.id) { foreignReplacedHops.insert(hop.id) }
            markHopsRemoved { $0 == nextHop }
            hops[nextHop] = nil
            retryRefusedDestinations()
        }
        for (id, group) in groups.sorted(by: { $0.key < $1.key }) where isSomethingElse(id, than: nil) {
            markGroupsRemoved([id])
            groups[id] = nil
            guard let owner = group.owner else { continue }
            targets[owner]?.group = nil
            refusedDestinations[owner] = nil
        }
    }

    /// Makes the model's next hops those that were found. Of two objects for one next hop, one is a duplicate and is removed
    /// later.
    private mutating func reconcileHops(_ found: [NextHopID: NextHop]) {
        let gone = hops.filter { $0.value.isPresent && found[$0.value.id] != $0.key }
        if !gone.isEmpty {
            markHopsRemoved { gone[$0] != nil }
            retryRefusedDestinations()
        }
        surplusHops = foreignReplacedHops
        for (id, nextHop) in found.sorted(by: { $0.key < $1.key }) {
            pool.reserve(id)
            if let hop = hops[nextHop], hop.id != id {
                guard !hop.isPresent else {
                    surplusHops.insert(id)
                    continue
                }
                pool.release(hop.id)
            }
            hops[nextHop] = Hop(id: id, isPresent: true, uses: hops[nextHop]?.uses ?? 0)
            if hops[nextHop]!.uses == 0 { unusedHops.insert(nextHop) }
        }
    }

    /// Examines refused groups again: a next hop that the kernel did not have may have been the reason.
    private mutating func retryRefusedDestinations() {
        dirtyTargets.formUnion(refusedDestinations.keys)
        refusedDestinations = [:]
    }

    /// Makes the model's groups those that were found. A group that is new to the model has no owner and can be claimed.
    private mutating func reconcileGroups(_ kernel: KernelRoutes) {
        markGroupsRemoved(Set(groups.lazy.filter { $0.value.isPresent && kernel.groups[$0.key] == nil }.map(\.key)))
        /// The next hop of an object, if the model has it.
        func known(_ id: NextHopID) -> NextHop? { kernel.nextHops[id].flatMap { hops[$0]?.id == id ? $0 : nil } }
        for (id, found) in kernel.groups.sorted(by: { $0.key < $1.key }) {
            pool.reserve(id)
            let previous = groups[id]
            var group = Group(
                owner: previous?.owner, isPresent: true, members: found.members.compactMap(known),
                backup: found.backup.flatMap(known), isResilient: found.isResilient, routes: previous?.routes ?? 0)
            group.useBackupIfEmpty()
            let isKnown =
                previous?.isPresent == true && previous?.members == group.members && previous?.backup == group.backup
                && previous?.isResilient == group.isResilient
            guard !isKnown else { continue }
            for hop in group.hops { hops[hop]!.uses += 1 }
            for hop in previous?.hops ?? [] { release(hop) }
            groups[id] = group
            unusedGroups.insert(id)
            if let owner = previous?.owner { dirtyTargets.insert(owner) }
            // In the model, the group was removed with its routes. Everything is read to find out which routes exist.
            if previous != nil, previous?.isPresent != true, kernel.routes == nil { requireRead(.everything) }
        }
    }

    /// Makes the model's routes those that were found.
    private mutating func reconcileRoutes(_ found: [IPv6Prefix: RouteTarget?]) {
        var virtual: [[NextHop]: NextHopID] = [:]
        // In an order that does not depend on hashes, so that the same kernel leads to the same changes.
        for (prefix, target) in found.sorted(by: { $0.key < $1.key }) {
            let installed = installed(target, &virtual)
            let isNew = routes.position(of: prefix) == nil
            let position = routes.insert(prefix)
            if isNew { routes[position].isStale = keepsStaleRoutes }
            if routes[position].installed != installed || isNew {
                setInstalled(position, installed)
                routes.markDirty(position)
            }
            // The route could not be created because it existed. Now it is in the model, so it can be replaced.
            if failures[prefix]?.reason == .exists { forgetFailure(position) }
        }
        for position in routes.positions where routes.contains(position) && routes[position].installed != .nothing {
            guard found[routes[position].prefix] == nil else { continue }
            setInstalled(position, .nothing)
            routes.markDirty(position)
        }
    }

    /// The model's state for a route found in the kernel. Where routes have next hops of their own, routes with the same
    /// next hops share a group that exists only in the model; `virtual` has these groups by their next hops.
    private mutating func installed(
        _ target: RouteTarget?, _ virtual: inout [[NextHop]: NextHopID]
    ) -> RouteRecord.Installed {
        switch (target, configuration.mode) {
        case (.group(let id), .objects):
            return groups[id]?.isPresent == true ? .group(id) : .other
        case (.nextHops(let members), .multipath):
            if virtual.isEmpty {
                for (id, group) in groups.sorted(by: { $0.key < $1.key }) where group.isPresent {
                    virtual[group.members] = id
                }
            }
            if let id = virtual[members] { return .group(id) }
            guard let id = pool.allocate() else { return .other }
            for hop in members where hops[hop] == nil {
                guard let hopID = pool.allocate() else { return .other }
                hops[hop] = Hop(id: hopID, isPresent: true)
            }
            for hop in members { hops[hop]!.uses += 1 }
            groups[id] = Group(owner: nil, isPresent: true, members: members)
            unusedGroups.insert(id)
            virtual[members] = id
            return .group(id)
        default:
            return .other
        }
    }
}
